"""The client of a search server: the same answers as in process, and clear words when the server goes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.blocking import Blocklist
from datafactory.corpora.library import library, opened
from datafactory.corpora.retrievers import BM25
from datafactory.corpora.server.client import served
from datafactory.errors import ConfigError, SearchError

Start = Callable[..., Any]
ODD = ["json.dumps", "", "the", "東京", "\ud800 json", "\x00", "zz " * 4000 + "json", "C++ \U0001f600", "marmalade"]


async def test_a_server_answers_what_a_library_in_process_answers(server: Any, small: Corpus) -> None:
    async with library(small) as near, served(small.name, address=server.url) as far:
        assert (far.corpus, far.digest) == (near.corpus, near.digest)
        assert await far.retrieve(ODD, topk=3) == await near.retrieve(ODD, topk=3)
        assert await far.retrieve(["json"], topk=10**9) == await near.retrieve(["json"], topk=10**9)
        urls = ["tokyo", "nowhere", "json#dumps", "\ud800", "cpp"]
        assert await far.access(urls) == await near.access(urls)
        assert (await far.retrieve([]), await far.access([])) == ([], [])
        with pytest.raises(ConfigError, match="topk must be at least 1"):
            await far.retrieve(["json"], topk=0)


async def test_more_than_one_request_holds_is_asked_in_several(server: Any, small: Corpus) -> None:
    async with served(small.name, address=server.url) as far:
        found = await far.retrieve(["json " + "\x01" * 9000] * 1500, topk=1)
        assert [[hit.url for hit in hits] for hits in found] == [["json"]] * 1500
        assert len(await far.access(["json"] * 1500)) == 1500


async def test_an_agent_is_led_to_the_server_by_the_environment(
    server: Any, small: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFACTORY_SEARCH_URL", server.address)
    async with opened(small.name) as far:
        assert type(far).__name__ == "Remote"
        assert [hit.url for hit in (await far.retrieve(["arithmetic"]))[0]] == ["goedel"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"corpus_name": "corpus/other-0123456789ab"}, "and corpus/other-0123456789ab is wanted"),
        ({"retriever": BM25(k1=3)}, "'k1': 3.0"),
        ({"blocked": Blocklist(("json",))}, "blocks other pages"),
    ],
)
async def test_a_server_of_something_else_is_refused(
    server: Any, small: Corpus, how: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        async with served(**({"corpus_name": small.name, "address": server.url} | how)):
            pass
    assert said in str(refused.value) and "datafactory corpora serve" in str(refused.value)


@pytest.mark.parametrize("address", ["", "ftp://example.org"])
async def test_an_address_that_is_none_is_a_mistake(
    small: Corpus, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATAFACTORY_SEARCH_URL", raising=False)
    with pytest.raises(ConfigError, match="DATAFACTORY_SEARCH_URL"):
        async with served(small.name, address=address):
            pass


async def test_a_server_killed_in_the_middle_is_an_error_and_its_successor_is_found(
    small: Corpus, start: Start
) -> None:
    first = start(small)
    async with served(small.name, address=first.url) as far:
        before = await far.retrieve(["json"])
        first.stop(signal.SIGKILL)
        calls = [far.retrieve([f"json {n}"]) for n in range(16)]
        errors = await asyncio.gather(*calls, far.access(["json"]), return_exceptions=True)
        assert all(isinstance(error, SearchError) and not error.final for error in errors), errors
        assert "does not answer" in str(errors[0])
        start(small, port=first.port)
        assert await far.retrieve(["json"]) == before


async def test_a_server_that_restarts_is_waited_for(small: Corpus, start: Start) -> None:
    first = start(small)
    async with served(small.name, address=first.url) as far:
        before = await far.retrieve(["json"])
        first.stop(signal.SIGKILL)
        asked = asyncio.create_task(far.retrieve(["json"]))
        await asyncio.to_thread(start, small, port=first.port)
        assert await asked == before


async def test_a_successor_that_answers_differently_is_refused(small: Corpus, start: Start) -> None:
    first = start(small)
    async with served(small.name, address=first.url) as far:
        first.stop()
        start(small, port=first.port, more="blocked=Blocklist(('json',))")
        with pytest.raises(ConfigError, match="replaced by one that answers differently"):
            await far.retrieve(["json"])


async def test_something_that_is_no_search_server_is_named(small: Corpus, tmp_path: Path) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(ConfigError, match="no search server of datafactory"):
            async with served(small.name, address=f"127.0.0.1:{port}"):
                pass
