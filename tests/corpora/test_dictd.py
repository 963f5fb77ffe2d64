"""Dictionaries of the DICT server become pages: entries, headwords, references."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from datafactory.corpora import stock
from datafactory.corpora.sources.dictd import Dict
from datafactory.errors import ConfigError

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

ENTRIES: list[tuple[Sequence[str], str]] = [
    (("00-database-short",), "00-database-short\n     Pets\n"),
    (
        ("dog", "hound"),
        "Dog\nhound\n\n   <animal> A friend of man, which is a kind of {wolf\n   (Canis lupus)} that hunts {cats} and,"
        " says {Darwin\n   (http://x.org/d.html)}, was tamed early by {people}.\n\n"
        "   1. big\n   2. small\n\n   (1999-01-31)\n\n",
    ),
    (("cat",), "Cat\n\n   See {Dog}, {hounds}, {C#}, {nothing known}.\n\n"),
    (("cat",), "Cat\n\n   Also a command, {((x))}, {(dog)}.\n\n"),
    (("canis lupus",), "Canis lupus\n\n   The wolf.\n\n"),
    (("c#",), "C#\n\n   A language.\n\n"),
]


def number(value: int) -> str:
    """In base 64, as dictd writes it."""
    digits = ""
    while value or not digits:
        value, digit = divmod(value, 64)
        digits = DIGITS[digit] + digits
    return digits


def dictionary(folder: Path, *, packed: bool, encoding: str = "utf-8", more: str = "") -> Path:
    """Write the entries, the text plain or packed; the index is sorted by headword."""
    text, lines = b"", list[str]()
    for words, entry in ENTRIES:
        data = entry.encode(encoding)
        lines += [f"{word}\t{number(len(text))}\t{number(len(data))}" for word in words]
        text += data
    (folder / "pets.index").write_text("\n".join(sorted(lines)) + f"\n{more}")
    path = folder / ("pets.dict.dz" if packed else "pets.dict")
    path.write_bytes(gzip.compress(text) if packed else text)
    return folder / "pets"


@pytest.mark.parametrize("packed", [True, False])
def test_entries_are_pages_headwords_are_names_and_references_are_links(tmp_path: Path, packed: bool) -> None:
    made = stock(Dict(dictionary=dictionary(tmp_path, packed=packed)))
    assert [page.url for page in made.pages()] == ["Dog", "Cat", "Cat (2)", "Canis lupus", "C#"]
    assert [page.title for page in made.pages()] == ["Dog", "Cat", "Cat", "Canis lupus", "C#"]
    assert [page.links for page in made.pages()] == [("Canis lupus", "Cat"), ("Dog", "C#"), ("Dog",), (), ()]
    assert made.page(0).text == (
        "<animal> A friend of man, which is a kind of wolf that hunts cats and, says Darwin (http://x.org/d.html), "
        "was tamed early by people.\n\n1. big\n2. small\n\n(1999-01-31)"
    )
    assert [made.number(word) for word in ("DOG", "Hound", "c#", "canis  LUPUS", "C", "dogs")] == [
        0,
        0,
        4,
        3,
        None,
        None,
    ]
    assert made.manifest.rejects == {} and made.name.startswith("corpus/pets-")


def test_lines_of_the_index_that_lead_nowhere_are_put_on_file(tmp_path: Path) -> None:
    more = f"broken\tA\nworse\tA\t!\nfar\t{number(10_000)}\t{number(9)}\n"
    made = stock(Dict(dictionary=dictionary(tmp_path, packed=True, more=more)))
    assert len(made) == 5
    assert made.manifest.rejects == {"bad_index": 2, "past_the_end": 1}
    assert "pets.index:8" in (made.folder / "rejects.jsonl").read_text()


def test_any_of_its_files_names_it_and_one_that_is_missing_is_said(tmp_path: Path) -> None:
    path = dictionary(tmp_path, packed=True)
    names = {stock(Dict(dictionary=Path(f"{path}{ending}"))).name for ending in ("", ".index", ".dict.dz", ".dict")}
    assert len(names) == 1
    (tmp_path / "pets.dict.dz").unlink()
    with pytest.raises(ConfigError, match=r"no .*pets\.dict and no .*pets\.dict\.dz"):
        stock(Dict(dictionary=path))


def test_case_tells_headwords_apart_where_it_can(tmp_path: Path) -> None:
    entries = (
        "Byte\n\n   A magazine, counted in {bytes} of {byte}s, not of {BYTE}.\n\n",
        "byte\n\n   Bits; see {Byte}.\n\n",
    )
    lines, text = [], ""
    for word, entry in zip(("Byte", "byte"), entries, strict=True):
        lines.append(f"{word}\t{number(len(text))}\t{number(len(entry))}")
        text += entry
    (tmp_path / "b.index").write_text("\n".join(lines) + "\n")
    (tmp_path / "b.dict").write_text(text)
    made = stock(Dict(dictionary=tmp_path / "b"))
    assert [page.url for page in made.pages()] == ["Byte", "byte"]
    assert [page.links for page in made.pages()] == [("byte",), ("Byte",)]
    assert [made.number(word) for word in ("Byte", "byte", "BYTE")] == [0, 1, 1]
