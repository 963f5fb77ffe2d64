"""JSON Lines, Markdown and data sets become pages."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.huggingface import HuggingFace
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.corpora.sources.markdown import Markdown
from datafactory.errors import ConfigError, DataError

Write = Callable[[str, Iterable[Any]], Path]
Make = Callable[..., Corpus]


def test_json_lines_are_read_from_folders_and_gzip_and_other_columns(write: Write, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write("in/b.jsonl", [{"id": "two", "body": "zwei", "see": [{"url": "one", "text": "eins"}]}, b"", b"  "])
    with gzip.open(tmp_path / "in" / "a.jsonl.gz", "wb") as file:
        file.write(b'\xef\xbb\xbf{"id": "one/first_page", "body": "eins", "names": ["one"]}\n')
    columns = {"url_field": "id", "text_field": ("body",), "links_field": "see", "aliases_field": "names"}
    made = stock(Jsonl(files=(tmp_path / "in",), **columns))
    assert [(page.url, page.title, page.text) for page in made.pages()] == [
        ("one/first_page", "first page", "eins"),
        ("two", "two", "zwei"),
    ]
    assert made.page(1).links == ("one/first_page",) and made.manifest.rejects == {}


def test_compressed_lines_that_break_off_are_an_error_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"url": "a", "contents": "b"}\n' * 1000)[:-20])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: cannot be read"):
        stock(Jsonl(files=(path,)))


def test_what_steers_a_terminal_or_hides_is_not_kept(corpus: Make) -> None:
    made = corpus(
        {"url": "a", "title": "A\u202eB\n", "contents": "one\x1b[31m\r\ntwo\u200b\xa0three  \n\n\n\nfour\x00"}
    )
    assert made.page(0).title == "AB"
    assert made.page(0).text == "one[31m\ntwo three\n\nfour"


README = """---
title: Home page
aliases: [Start]
---
# Home

Welcome to [[Second Page|the second]], [its part](second_page.md#part-two) and [a site's](sub/third.html).

```python
def f():

    return 1
```
"""
SECOND = """# Second

See [[third#Deep Down]], [[nobody]] and [up](./).

## Part *two*!

{words} <b>raw</b>

## Part two

{words}

## Own {{#mine}}

{words}
"""


def test_markdown_links_by_path_and_as_a_wiki(tmp_path: Path) -> None:
    words = "words " * 20
    (tmp_path / "sub").mkdir()
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "second_page.md").write_text(SECOND.format(words=words))
    (tmp_path / "sub" / "third.md").write_text(
        f"text\n\nDeep Down\n---------\n{words}[b](../second_page.md#part-two-1)"
    )
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xfa")
    made = stock(Markdown(folder=tmp_path))
    assert {page.url: (page.title, page.links) for page in made.pages()} == {
        "README.md": ("Home page", ("second_page.md", "second_page.md#part-two", "sub/third.md")),
        "second_page.md": (
            "Second",
            (
                "sub/third.md#deep-down",
                "README.md",
                *(f"second_page.md#{n}" for n in ("part-two", "part-two-1", "mine")),
            ),
        ),
        "second_page.md#part-two": ("Second › Part two!", ()),
        "second_page.md#part-two-1": ("Second › Part two", ()),
        "second_page.md#mine": ("Second › Own", ()),
        "sub/third.md": ("third", ("sub/third.md#deep-down",)),
        "sub/third.md#deep-down": ("third › Deep Down", ("second_page.md#part-two-1",)),
    }
    assert made.page(0).text.endswith("def f():\n\n    return 1")
    assert [made.number(name) for name in ("Start", "README", "sub/third")] == [0, 0, 5]
    assert made.manifest.rejects == {"not_utf8": 1}


ROWS = {
    "url": ["https://x.org/A", "https://x.org/B", None],
    "title": ["A", None, "C"],
    "text": ["aa", "bb", "cc"],
    "links": [["http://X.org/B/"], [], None],
}


def test_a_data_set_is_read_from_parquet_and_from_a_saved_folder(tmp_path: Path) -> None:
    import datasets

    (tmp_path / "files").mkdir()
    pl.DataFrame(ROWS).write_parquet(tmp_path / "files" / "part-0.parquet")
    datasets.Dataset.from_dict(ROWS).save_to_disk(str(tmp_path / "saved"))
    for name, place in {"folder": "files", "file": "files/part-0.parquet", "saved": "saved"}.items():
        made = stock(HuggingFace(dataset=str(tmp_path / place), name=name))
        assert [(page.url, page.title, page.links) for page in made.pages()] == [
            ("https://x.org/A", "A", ("https://x.org/B",)),
            ("https://x.org/B", "B", ()),
        ]
        assert made.manifest.rejects == {"no_url": 1}


def test_a_data_set_that_is_not_there_is_said_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone does not exist"):
        stock(HuggingFace(dataset=str(tmp_path / "gone")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \.parquet, \.arrow, \.csv in"):
        stock(HuggingFace(dataset=str(tmp_path / "empty")))
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"bad\.parquet cannot be opened"):
        stock(HuggingFace(dataset=str(tmp_path / "bad.parquet")))
