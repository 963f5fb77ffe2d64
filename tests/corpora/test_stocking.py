"""What is stored appears whole or not at all, once, and is found again; damage and older formats are said."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora import Corpus, CorpusSpec, RawPage, every, find, remove, stock
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.errors import ConfigError, DataError, StorageError

Make = Callable[..., Corpus]
Write = Callable[[str, Iterable[Any]], Path]
ROWS = [{"url": "a", "contents": "alpha", "links": ["b"]}, {"url": "b", "contents": "beta"}]


def test_the_same_pages_make_the_same_corpus_wherever_the_file_lies(write: Write, tmp_path: Path) -> None:
    first = stock(Jsonl(files=(write("pages.jsonl", ROWS),)))
    again = tmp_path / "deep" / "er"
    again.mkdir(parents=True)
    (tmp_path / "pages.jsonl").rename(again / "pages.jsonl")
    made = first.manifest.made
    assert stock(Jsonl(files=(again / "pages.jsonl",))).manifest.made == made
    assert every() == [first.name]


def test_changed_files_and_changed_keys_make_another_corpus(write: Write) -> None:
    first = stock(Jsonl(files=(write("p.jsonl", ROWS),)))
    second = stock(Jsonl(files=(write("p.jsonl", [*ROWS, {"url": "c", "contents": "gamma"}]),)))
    third = stock(Jsonl(files=(write("p.jsonl", ROWS),), limit=1))
    assert (len(first), len(second), len(third)) == (2, 3, 1)
    assert len({first.name, second.name, third.name}) == 3
    assert [page.url for page in first.pages()] == ["a", "b"]


def read_so_far() -> int:
    """Bytes that this process has read."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_file_that_was_not_touched_is_not_read_again(write: Write) -> None:
    source = Jsonl(files=(write("p.jsonl", [{"url": f"p{n}", "contents": "w" * 100_000} for n in range(20)]),))
    time.sleep(1.2)  # until then the time of its last change proves nothing
    start = read_so_far()
    first = stock(source)
    middle = read_so_far()
    assert stock(source).name == first.name
    assert middle - start > 4_000_000  # once to know it, once for its pages
    assert read_so_far() - middle < 100_000


def test_what_is_broken_is_put_on_file_with_its_place(write: Write) -> None:
    path = write(
        "p.jsonl",
        [
            *ROWS,
            b"{broken",
            {"title": "no url", "contents": "x"},
            {"url": "a", "contents": "another"},
            b'{"url": "latin", "contents": "caf\xe9"}',
            {"url": "c", "contents": " \n "},
            {"url": "d", "contents": "d", "links": "b"},
            {"url": "gone", "redirect": "nowhere"},
            {"url": "e", "contents": 5},
            b"[1]",
            b'{"url": "half", "contents": "\\ud83d broken pair"}',
        ],
    )
    made = stock(Jsonl(files=(path,)))
    assert [page.text for page in made.pages()] == ["alpha", "beta", " broken pair"]
    rows = [json.loads(line) for line in (made.folder / "rejects.jsonl").read_text().splitlines()]
    found = {(row["reason"], row["place"].rpartition(":")[2]) for row in rows}
    assert found == {
        ("not_json", "3"),
        ("no_url", "4"),
        ("double_url", "5"),
        ("not_utf8", "6"),
        ("empty", "7"),
        ("bad_list", "8"),
        ("leads_nowhere", "9"),
        ("no_text", "10"),
        ("no_mapping", "11"),
    }
    assert all(row["place"].startswith(str(path)) for row in rows)
    assert made.manifest.rejects == dict.fromkeys((reason for reason, _ in found), 1)
    assert next(row["detail"] for row in rows if row["reason"] == "double_url") == f"a was read before, in {path}:1"


def test_a_corpus_without_pages_is_an_error_that_says_why(write: Write, state: Path) -> None:
    with pytest.raises(DataError, match=r"no pages: all were rejected \(2 no_url\).*p\.jsonl:1"):
        stock(Jsonl(files=(write("p.jsonl", [{"id": 1}, {"id": 2}]),)))
    with pytest.raises(ConfigError, match="does not exist"):
        stock(Jsonl(files=(Path("/nowhere/p.jsonl"),)))
    assert every() == [] and not list(state.glob(".*.part"))


class Breaks(CorpusSpec):
    """A source that breaks in its middle."""

    def pages(self) -> Iterator[RawPage]:
        """One page, then an error."""
        yield RawPage("a", "A", "text")
        raise OSError(5, "Input/output error", "/dev/tape")


def test_a_source_that_breaks_leaves_nothing(state: Path) -> None:
    with pytest.raises(StorageError, match=r"storing corpus 'corpus'.*Input/output error"):
        stock(Breaks())
    assert every() == [] and not list(state.glob(".*.part"))


def test_a_full_disk_is_said_and_leaves_nothing(write: Write, state: Path) -> None:
    path = write("p.jsonl", ({"url": f"p{n}", "contents": "word " * 500} for n in range(2000)))
    code = (
        "import resource, signal, sys\n"
        "from datafactory.corpora import stock\n"
        "from datafactory.corpora.sources.jsonl import Jsonl\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))\n"
        "stock(Jsonl(files=(sys.argv[1],)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert "StorageError: storing corpus 'p': no room in" in done.stderr
    assert "`datafactory corpora remove` makes some" in done.stderr
    assert every() == [] and not list(state.glob(".*.part"))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_one_that_was_killed_leaves_nothing_that_is_found(write: Write, state: Path) -> None:
    pages = [{"url": f"p{n}", "contents": "word " * 100} for n in range(2000)]
    path = write("p.jsonl", pages)
    code = "import sys; from datafactory.corpora import *; from datafactory.corpora.sources.jsonl import Jsonl\n"
    code += "stock(Jsonl(files=(sys.argv[1],)), tell=lambda pages: print(pages, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as builder:
        assert builder.stdout is not None and builder.stdout.readline() == b"1000\n"
        builder.kill()
    assert every() == [] and list(state.glob(".*.part"))
    assert len(stock(Jsonl(files=(path,)))) == 2000
    assert not list(state.glob(".*.part"))


def test_two_that_build_at_once_build_one(write: Write, state: Path) -> None:
    path = write("p.jsonl", ({"url": f"p{n}", "contents": "word " * 50} for n in range(1500)))
    code = "import sys; from datafactory.corpora import *; from datafactory.corpora.sources.jsonl import Jsonl\n"
    code += "c = stock(Jsonl(files=(sys.argv[1],)), tell=lambda pages: print('read')); print(c.manifest.made, len(c))"
    command = [sys.executable, "-c", code, str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted((builder.communicate(timeout=60)[0].splitlines() for builder in both), key=len)
    assert [len(lines) for lines in said] == [1, 2]
    assert said[0][0] == said[1][-1] and said[0][0].endswith(" 1500")
    assert len(every()) == 1


def test_damage_and_another_format_are_said_with_the_way_out(corpus: Make) -> None:
    made = corpus(*ROWS)
    whole = (made.folder / "text.bin").read_bytes()
    (made.folder / "text.bin").write_bytes(whole[::-1])
    with pytest.raises(DataError, match=r"text\.bin is not what was stored"):
        find(made.name).check()
    (made.folder / "text.bin").write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"text.bin has 8 bytes, not 9.*datafactory corpora remove {made.name}"):
        find(made.name)
    (made.folder / "text.bin").write_bytes(whole)
    find(made.name).check()
    manifest = made.folder / "corpus.json"
    manifest.write_text(json.dumps({"format": 99, "unheard": "of"}))
    with pytest.raises(DataError, match="was stored in format 99, and this version reads 2"):
        find(made.name)


def test_what_is_removed_is_gone_and_stays_readable_for_who_has_it_open(corpus: Make) -> None:
    made = corpus(*ROWS)
    assert remove(made.name) and not remove(made.name)
    assert every() == []
    assert made.page(0).links == ("b",) and made.number("b") == 1
    assert find(corpus(*ROWS).name).digest == made.digest
