"""A library in this process, and what its block list hides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.blocking import Blocklist
from datafactory.corpora.library import library, opened
from datafactory.corpora.retrievers import BM25
from datafactory.errors import ConfigError, DataError


async def test_hits_tell_page_title_and_passage(small: Corpus) -> None:
    async with library(small) as made:
        [hits, none] = await made.retrieve(["json.dumps", "zzzz"], topk=3)
        assert [hit.url for hit in hits] == ["json"] and none == []
        assert hits[0].title == "json" and hits[0].text.startswith("Encoding with json.dumps") and hits[0].score > 0
        assert (made.corpus, len(made.digest)) == (small.name, 16)
        assert await made.retrieve([]) == []


async def test_pages_are_opened_in_order_and_missing_ones_are_none(small: Corpus) -> None:
    async with library(small) as made:
        pages = await made.access(["tokyo", "nowhere", "json#dumps", "tokyo"])
        assert [page and page.title for page in pages] == ["東京", None, "json", "東京"]
        assert await made.access([]) == []


async def test_many_agents_at_once_get_what_one_alone_gets(large: Corpus) -> None:
    async with library(large) as made:
        queries = [f"w{n % 40} w{n + 30}" for n in range(300)]
        alone = [(await made.retrieve([query], topk=4))[0] for query in queries]
        together = await asyncio.gather(*(made.retrieve([query], topk=4) for query in queries))
        assert [hits for [hits] in together] == alone == await made.retrieve(queries, topk=4)


async def test_odd_questions_have_answers_and_wrong_ones_are_named(small: Corpus) -> None:
    async with library(small) as made:
        assert await made.retrieve(["", "the", "\ud800", "x" * 1_000_000]) == [[], [], [], []]
        assert [hit.url for hit in (await made.retrieve(["arithmetic"], topk=10**9))[0]] == ["goedel"]
        with pytest.raises(ConfigError, match="topk must be at least 1, not 0"):
            await made.retrieve(["json"], topk=0)


async def test_of_a_query_the_start_is_read(small: Corpus) -> None:
    async with library(small) as made:
        assert await made.retrieve(["zz " * 4000 + "json"]) == [[]]


@pytest.mark.parametrize("line", ["json", "js?n", "J*", "json#dumps"])
async def test_a_blocked_page_is_neither_found_nor_opened(small: Corpus, line: str) -> None:
    async with library(small, blocked=Blocklist((line,))) as made, library(small) as free:
        assert await made.retrieve(["json.dumps"]) == [[]]
        assert await made.access(["json", "os.path"]) == [None, (await free.access(["os.path"]))[0]]
        assert made.digest != free.digest


def test_a_block_list_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("\ufeff# benchmark pages\n\nhttps://example.org/a\n  *.example.com/*  \n#\n")
    assert Blocklist.read(file).lines == ("https://example.org/a", "*.example.com/*")
    assert Blocklist.read(file).digest == Blocklist(("*.example.com/*", "https://example.org/a")).digest
    with pytest.raises(DataError, match="cannot be read as a block list"):
        Blocklist.read(tmp_path)


async def test_patterns_are_of_addresses_as_they_are_compared(make: object) -> None:
    pages = {f"https://example.org/{name}": (name, f"about {name}") for name in ("bench/a%20b", "bench/c", "other")}
    corpus = make(pages)  # type: ignore[operator]
    async with library(corpus, blocked=Blocklist(("http://EXAMPLE.org/bench/*",))) as made:
        found = await made.access(list(pages))
        assert [page is None for page in found] == [True, True, False]


async def test_a_corpus_is_opened_by_name(small: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATAFACTORY_SEARCH_URL", raising=False)
    async with opened(small.name, BM25(per_page=2)) as made:
        assert [hit.url for hit in (await made.retrieve(["arithmetic"]))[0]] == ["goedel"]
    with pytest.raises(ConfigError, match="datafactory corpora build"):
        opened("corpus/small-000000000000")
