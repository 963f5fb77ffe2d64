"""The server's answers, as the clients of ASearcher and Search-R1 read them, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.library import library


async def post(url: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(url, data=data) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def test_asearchers_client_reads_contents_and_url(server: Any) -> None:
    status, answer = await post(f"{server.url}/retrieve", {"queries": ["json.dumps", "zzz"], "topk": 3})
    [[document], nothing] = answer["result"]
    assert (status, nothing) == (200, [])
    assert document["url"] == "json" and document["id"].isdigit()
    assert document["contents"].startswith("json\nEncoding with")


async def test_search_r1s_client_reads_document_and_score(server: Any, small: Corpus) -> None:
    asked = {"queries": ["arithmetic"], "topk": 3, "return_scores": True}
    _, answer = await post(f"{server.url}/retrieve", asked)
    [[found]] = answer["result"]
    title, _, text = found["document"]["contents"].partition("\n")
    async with library(small) as made:
        [[hit]] = await made.retrieve(["arithmetic"])
    assert (title, text, found["score"]) == (hit.title, hit.text, hit.score)


async def test_pages_come_in_order_with_null_for_those_that_are_not_there(server: Any) -> None:
    status, answer = await post(f"{server.url}/access", {"urls": ["tokyo", "nowhere", "json"]})
    assert status == 200
    tokyo, nowhere, page = answer["result"]
    assert tokyo == {"url": "tokyo", "title": "東京", "contents": "東京都は日本の首都である。", "links": []}
    assert nowhere is None and page["url"] == "json"


@pytest.mark.parametrize("empty", [{"queries": []}, {"queries": [], "topk": None, "return_scores": None}])
async def test_no_queries_have_no_answers(server: Any, empty: dict[str, Any]) -> None:
    assert await post(f"{server.url}/retrieve", empty) == (200, {"result": []})


MISTAKES: list[tuple[str, Any, int, str]] = [
    ("retrieve", b"{", 400, "not JSON"),
    ("retrieve", b"", 400, "not JSON"),
    ("retrieve", b"\xff\xfe", 400, "not JSON"),
    ("retrieve", b'{"queries": ["\\ud800"]}', 400, "not JSON"),
    ("retrieve", b"[" * 100_000, 400, "not JSON"),
    ("retrieve", ["json"], 422, "must be a JSON object"),
    ("retrieve", {}, 422, "queries is required"),
    ("retrieve", {"queries": "json"}, 422, 'queries must be a list of texts, not "json"'),
    ("retrieve", {"queries": ["a", 3]}, 422, "queries[1] must be text, not 3"),
    ("retrieve", {"queries": ["a"] * 1025}, 422, "queries has 1,025 entries, and 1,024 is the limit"),
    ("retrieve", {"queries": ["a" * 10_001]}, 422, "queries[0] has 10,001 characters"),
    ("retrieve", {"queries": ["a"], "topk": 0}, 422, "topk must be from 1 to 1000, not 0"),
    ("retrieve", {"queries": ["a"], "topk": -1}, 422, "not -1"),
    ("retrieve", {"queries": ["a"], "topk": 10**9}, 422, "not 1000000000"),
    ("retrieve", {"queries": ["a"], "topk": "3"}, 422, 'topk must be a whole number, not "3"'),
    ("retrieve", {"queries": ["a"], "topk": 2.5}, 422, "whole number, not 2.5"),
    ("retrieve", {"queries": ["a"], "topk": True}, 422, "whole number, not true"),
    ("retrieve", {"queries": ["a"], "return_scores": "yes"}, 422, "return_scores must be true or false"),
    ("retrieve", {"queries": ["a" * 1_000_000]}, 422, "queries[0] has 1,000,000 characters"),
    ("retrieve", {"queries": ["a" * 5_000_000]}, 413, "more than 4,194,304 bytes"),
    ("access", {"urls": "json"}, 422, "urls must be a list of texts"),
    ("access", {"urls": [None]}, 422, "urls[0] must be text, not null"),
    ("access", {"queries": ["json"]}, 422, "urls is required"),
]


@pytest.mark.parametrize(("path", "body", "status", "said"), MISTAKES, ids=range(len(MISTAKES)))
async def test_a_mistake_is_refused_with_a_clear_line(
    server: Any, path: str, body: Any, status: int, said: str
) -> None:
    answered, answer = await post(f"{server.url}/{path}", body)
    assert (answered, list(answer)) == (status, ["detail"])
    assert said in answer["detail"] and len(answer["detail"]) < 300


async def test_a_request_that_does_not_say_how_long_it_is_is_cut_off_too(server: Any) -> None:
    async def parts() -> Any:
        for _ in range(80):
            yield b" " * 65_536

    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/retrieve", data=parts()) as response:
        assert response.status == 413


async def test_urls_may_be_anything(server: Any) -> None:
    odd = ["", "#", "%", "%zz", "../../etc/passwd", "http://", "\x00", "a" * 100_000, "json#", "JSON"]
    status, answer = await post(f"{server.url}/access", {"urls": odd})
    assert status == 200
    assert [page and page["url"] for page in answer["result"]] == [None] * 8 + ["json", None]


async def test_the_server_says_what_it_is(server: Any, small: Corpus) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/health") as response:
            assert await response.json() == {"status": "ok", "corpus": small.name}
        async with session.get(f"{server.url}/info") as response:
            info = await response.json()
        assert (info["corpus"], info["pages"], info["retriever"]["use"]) == (small.name, len(small), "bm25")
        async with library(small) as made:
            assert response.headers["x-library-digest"] == info["digest"] == made.digest
        async with session.get(f"{server.url}/openapi.json") as response:
            assert "requestBody" in (await response.json())["paths"]["/retrieve"]["post"]
        for method, path, status in (("GET", "/retrieve", 405), ("POST", "/nowhere", 404)):
            async with session.request(method, server.url + path) as response:
                assert (response.status, "detail" in await response.json()) == (status, True)


async def test_clients_that_hang_up_leave_the_server_well(server: Any) -> None:
    for sent in (
        b"POST /retrieve HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"\x00\x01nonsense\r\n\r\n",
        b"",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        await writer.drain()
        writer.close()
    assert (await post(f"{server.url}/retrieve", {"queries": ["json"]}))[0] == 200


async def test_mistakes_among_many_clients_spoil_nothing(server: Any) -> None:
    good = {"queries": ["arithmetic", "parsing"], "topk": 2}
    expected = await post(f"{server.url}/retrieve", good)
    asked: list[Any] = [good, b"{", {"queries": ["a"], "topk": -1}, good] * 15
    answers = await asyncio.gather(*(post(f"{server.url}/retrieve", body) for body in asked))
    assert [status for status, _ in answers] == [200, 400, 422, 200] * 15
    assert all(answer == expected for answer in answers[::4] + answers[3::4])
