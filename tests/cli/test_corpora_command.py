"""`datafactory corpora`: built from a file or from options, listed, looked over, removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
ROWS = [{"url": "a", "contents": "alpha \x1b[31m", "links": ["b"]}, {"url": "b", "contents": "beta"}, {"no": "url"}]


@pytest.fixture
def corpora(call: Call, tmp_path: Path) -> Call:
    """The command, in a folder with `pages.jsonl`, with a state folder of its own."""
    (tmp_path / "pages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return lambda *words, **more: call("corpora", *words, XDG_STATE_HOME=str(tmp_path / "state"), **more)


def test_one_is_built_listed_and_removed(corpora: Call) -> None:
    built = corpora("build", "pages.jsonl", "--use", "jsonl", "--name", "greek", "--set", "passage_words=40", "--json")
    assert built.returncode == 0, built.stderr
    row = json.loads(built.stdout)[0]
    assert (row["pages"], row["links"], row["rejects"]) == (2, 1, {"no_url": 1})
    assert row["name"].startswith("corpus/greek-")
    listed = corpora("list")
    assert f"{row['name']}  " in listed.stdout and "1 corpus, " in listed.stdout
    assert corpora("remove", row["name"]).returncode == 2
    assert "freed" in corpora("remove", row["name"], "--yes").stdout
    assert json.loads(corpora("list", "--json").stdout) == []


def test_all_that_a_pipeline_names_are_built_and_mistakes_are_shown_with_their_line(
    corpora: Call, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: demo\nstages:\n  - use: synthesize\n    generators:\n"
        "      - {use: search_paths, count: 3, corpus: {use: jsonl, files: [pages.jsonl]}}\n"
        "      - {use: search_paths, count: 4, corpus: {use: jsonl, files: [pages.jsonl]}}\n"
    )
    built = corpora("build", "p.yaml")
    assert built.returncode == 0, built.stderr
    assert built.stdout.count("corpus/pages-") == 1
    assert "not taken: 1 no_url; each is in" in built.stdout.replace("\n", " ")
    (tmp_path / "bad.yaml").write_text("corpora:\n  - {use: jsonl, files: [pages.jsonl], passage_words: 1}\n  - htm\n")
    bad = corpora("build", "bad.yaml")
    assert bad.returncode == 2
    assert "bad.yaml:2: corpora[0].passage_words: must be at least 20" in bad.stderr
    assert "did you mean 'html'?" in bad.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("build", "pages.jsonl", "--name", "x"), "--name and --set go with --use"),
        (("build", "."), "is a folder: say what to read in it, such as --use html"),
        (("build", "gone", "--use", "html"), "gone does not exist"),
        (("build", "pages.jsonl", "--use", "jsonl", "--set", "limit"), "write KEY=VALUE"),
        (("build", "pages.jsonl", "--use", "jsonl", "--set", "lmit=3"), "did you mean 'limit'?"),
        (("build", "x", "--use", "mine:Odd"), "mine:Odd: it is no subclass of datafactory.corpora.CorpusSpec"),
        (("remove", "pages-0123456789ab", "-y"), "no corpus/pages-0123456789ab on this machine"),
    ],
)
def test_a_mistake_is_said_with_the_way_out(corpora: Call, words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    odd = "from datafactory.spec import Spec\n\n\nclass Odd(Spec):\n    def pages(self): ...\n"
    (tmp_path / "mine.py").write_text(odd)
    done = corpora(*words)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_source_of_your_own_is_named_by_its_class(corpora: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from datafactory.corpora import CorpusSpec, RawPage, Unread\n\n\nclass Ten(CorpusSpec):\n"
        "    count: int = 10\n\n    def pages(self):\n        yield Unread('sky', 'clouds')\n"
        "        for n in range(self.count):\n            yield RawPage(f'p{n}', f'P{n}', 'text', (f'p{n + 1}',))\n"
    )
    (tmp_path / "own.yaml").write_text("corpus: {use: 'mine:Ten', name: ten, count: 7}\n")
    built = corpora("build", "own.yaml", "--json")
    assert built.returncode == 0, built.stderr
    row = json.loads(built.stdout)[0]
    assert (row["pages"], row["links"], row["rejects"]) == (7, 6, {"clouds": 1})
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text().replace("'text'", "'other text'"))
    assert json.loads(corpora("build", "own.yaml", "--json").stdout)[0]["digest"] != row["digest"]


def test_damage_is_listed_and_found_by_looking_all_over(corpora: Call) -> None:
    row = json.loads(corpora("build", "pages.jsonl", "--use", "jsonl", "--json").stdout)[0]
    text = Path(row["folder"]) / "text.bin"
    text.write_bytes(text.read_bytes()[::-1])
    assert corpora("list").returncode == 0
    checked = corpora("list", "--check")
    assert checked.returncode == 1 and "text.bin is not what was stored" in checked.stdout
    text.unlink()
    listed = corpora("list")
    assert "text.bin is missing" in listed.stdout.replace("\n", " ")
    assert corpora("remove", row["name"], "--yes").returncode == 0
