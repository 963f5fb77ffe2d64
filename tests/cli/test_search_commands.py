"""`datafactory corpora serve` and `ask`, as programs of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.cli.searching import named
from datafactory.corpora import stock
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.errors import ConfigError

Call = Callable[..., Any]
PAGES = [("json", "json", "json.dumps gives text"), ("pickle", "pickle", "pickle.dumps gives bytes")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The name of a stored corpus, and the folder of state that it is in."""
    folder = tmp_path_factory.mktemp("corpus")
    file, state = folder / "pages.jsonl", str(folder / "state")
    rows = [{"url": url, "title": title, "contents": text} for url, title, text in PAGES]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", state)
        return stock(Jsonl(files=(file,))).name, state


def test_people_and_scripts_ask_a_corpus(call: Call, corpus: tuple[str, str]) -> None:
    name, state = corpus
    asked = call("corpora", "ask", name, "json.dumps", "zzz", XDG_STATE_HOME=state)
    assert asked.returncode == 0, asked.stderr
    assert "json.dumps gives text" in asked.stdout and "nothing found" in asked.stdout
    opened = call("corpora", "ask", name, "json", "nowhere", "--pages", XDG_STATE_HOME=state)
    assert "json.dumps gives text" in opened.stdout and "no such page: nowhere" in opened.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bm52", "did you mean 'bm25'?"),
        ("{use: bm25, k1: -1}", "--retriever.k1: must be at least 0, not -1"),
        ("{use: bm25", "--retriever: "),
        ("", "expected a retriever"),
    ],
)
def test_a_mistaken_retriever_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as mistake:
        named(text)
    assert said in str(mistake.value)


def test_a_server_is_started_asked_and_stopped(call: Call, corpus: tuple[str, str], tmp_path: Path) -> None:
    name, state = corpus
    address, block = tmp_path / "address", tmp_path / "block.txt"
    block.write_text("pick*\n")
    command = [sys.executable, "-m", "datafactory", "corpora", "serve", name, "--port", "0", "--block", str(block)]
    command += ["--save-address-to", str(address)]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={"XDG_STATE_HOME": state, "PATH": "/usr/bin:/bin"}
    )
    try:
        deadline = time.monotonic() + 30
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        where = {"DATAFACTORY_SEARCH_URL": address.read_text().strip(), "XDG_STATE_HOME": str(tmp_path / "elsewhere")}
        found = json.loads(call("corpora", "ask", name, "dumps", "--json", **where).stdout)
        assert [[hit["url"] for hit in each["hits"]] for each in found] == [["json"]]
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0 and not address.exists()
    finally:
        server.kill()
        server.wait(20)
