"""What the openai teacher makes of a server that does not answer."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from datafactory.errors import ConfigError, FactoryError, TeacherError
from datafactory.protocols import Episode
from datafactory.run import Run
from datafactory.storage import Shelf
from datafactory.teachers import openai_wire
from datafactory.teachers.gate import Gate
from datafactory.teachers.openai import OpenAITeacher
from datafactory.teachers.openai_endpoint import endpoint
from datafactory.types import Message, Reject

ASKED = [Message(role="system", content="be brief"), Message(role="user", content="hi")]


def at(url: str, **fields: Any) -> OpenAITeacher:
    return OpenAITeacher(**{"model": "served-model", "base_url": url, "timeout": 5.0} | fields)


async def ask(url: str, **fields: Any) -> Any:
    async with at(url, **fields).open() as chat:
        return await chat.reply(ASKED)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_server_is_asked_again(server: Any, status: int):
    busy = lambda n: web.Response(status=status, headers={"Retry-After": "0"}) if n < 1 else server.completion()  # noqa: E731
    async with server.serving(busy) as up:
        assert (await ask(up.url)).message.content == "hello"
    assert len(up.bodies) == 2


async def test_a_connection_that_breaks_is_tried_again(server: Any):
    async with server.serving(lambda n: None if n == 0 else server.completion()) as up:
        assert (await ask(up.url)).message.content == "hello"


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured(server: Any, form: str):
    asked = "2" if form == "seconds" else formatdate(time.time() + 3, usegmt=True)
    busy = lambda n: web.Response(status=429, headers={"Retry-After": asked}) if n == 0 else server.completion()  # noqa: E731
    began = time.monotonic()
    async with server.serving(busy) as up:
        await ask(up.url)
    assert 1.9 <= time.monotonic() - began < 6


async def test_tries_are_bounded_and_the_last_error_is_told(server: Any):
    async with server.serving(lambda _: web.Response(status=503, text="overloaded")) as up:
        with pytest.raises(TeacherError, match=r"HTTP 503: overloaded \(tried 2 times\)"):
            await ask(up.url, tries=2)
    assert len(up.bodies) == 2


async def test_a_server_that_was_never_there_is_a_mistake_in_the_address():
    with pytest.raises(ConfigError, match=r"nothing answers: .*Connect.*is the server up, and the address right\?"):
        await ask("http://127.0.0.1:9/v1", tries=1)


async def test_a_server_that_goes_away_is_a_fault_of_the_infrastructure(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        teacher = at(up.url, tries=1)
        opened = teacher.open()
        chat = await opened.__aenter__()
        await chat.reply(ASKED)
    try:
        with pytest.raises(TeacherError, match=r"tried 1 times"):
            await chat.reply(ASKED)
    finally:
        await opened.__aexit__(None, None, None)


async def test_a_server_that_refuses_some_loses_no_call(server: Any):
    inside = refused = 0

    async def answer(_: int) -> Any:
        nonlocal inside, refused
        if inside >= 6:
            refused += 1
            return web.Response(status=429)
        inside += 1
        await asyncio.sleep(0.05)
        inside -= 1
        return server.completion()

    async with server.serving(answer) as up, at(up.url, tries=3).open() as chat:
        episodes = [Episode(id=f"e{number}", seed=0) for number in range(40)]
        replies = await asyncio.gather(*(chat.reply(ASKED, episode=episode) for episode in episodes))
        gate = chat.endpoint.gate
        assert (gate.busy, gate.waiting) == (0, 0)
        assert gate.limit < 20
    assert [reply.message.content for reply in replies] == ["hello"] * 40
    assert refused >= 1


async def test_a_call_that_is_given_up_gives_its_place_back(server: Any):
    async def late(_: int) -> Any:
        await asyncio.sleep(1)
        return server.completion()

    async with server.serving(late) as up, at(up.url, at_once=1).open() as chat:
        calls = [asyncio.create_task(chat.reply(ASKED)) for _ in range(3)]
        await asyncio.sleep(0.1)
        gate = chat.endpoint.gate
        assert (gate.busy, gate.waiting) == (1, 2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert (gate.busy, gate.waiting) == (0, 0)


async def test_a_refusal_is_not_tried_again_and_tells_what_the_server_said(server: Any):
    async with server.serving(lambda _: web.Response(status=400, text="temperature must be positive")) as up:
        with pytest.raises(TeacherError, match="HTTP 400: temperature must be positive") as raised:
            await ask(up.url)
    assert len(up.bodies) == 1
    assert raised.value.final


async def test_a_request_that_was_refused_for_what_it_is_costs_one_try(server: Any, tmp_path: Path):
    async def refused(key: str, item: int) -> Reject:
        await chat.reply(ASKED)
        raise AssertionError("must not be answered")

    async with (
        server.serving(lambda _: web.Response(status=400, text="no such role")) as up,
        at(up.url).open() as chat,
        Shelf(tmp_path / "shelf", Reject) as shelf,
    ):
        await Run(shelf, pause=0.01).each([("a", 1)], refused, at_once=1)
    assert len(up.bodies) == 1
    assert '"tries":1' in (tmp_path / "shelf" / "failures.jsonl").read_text().replace(" ", "")


@pytest.mark.parametrize(
    ("status", "said", "way_out"),
    [
        (401, "bad key", "OPENAI_API_KEY set"),
        (403, "not allowed", "OPENAI_API_KEY set"),
        (402, "pay first", "no credit left"),
        (429, '{"error": {"code": "insufficient_quota"}}', "no credit left"),
        (404, "Not Found", "up to and with /v1"),
        (405, "Method Not Allowed", "up to and with /v1"),
        (400, "'max_tokens' is too large: 9000. This model's maximum context length is 8192 tokens", "ask for fewer"),
        (
            400,
            "maximum context length is 8192 tokens. You requested 9010 tokens (10 in the messages, "
            "9000 in the completion)",
            "ask for fewer",
        ),
        (400, "max_tokens is too large: 9000. This model supports at most 4096 completion tokens", "ask for fewer"),
        (400, "served-model is not a valid model ID", "it has other-model, served-model"),
    ],
)
async def test_what_would_fail_every_call_ends_the_run_with_the_way_out(
    server: Any, status: int, said: str, way_out: str
):
    async with server.serving(lambda _: web.Response(status=status, text=said)) as up:
        with pytest.raises(ConfigError, match=way_out):
            await ask(up.url)
    assert len(up.bodies) == 1


async def test_a_wrong_model_lists_what_the_server_has(server: Any):
    gone = lambda _: web.json_response({"error": {"message": "The model `nope` does not exist."}}, status=404)  # noqa: E731
    async with server.serving(gone) as up:
        with pytest.raises(ConfigError, match=r"no model 'nope'; it has other-model, served-model"):
            await ask(up.url, model="nope")
        up.listing = {}
        with pytest.raises(ConfigError, match="it does not say which it has"):
            await ask(up.url, model="nope")


async def test_a_page_that_is_missing_for_a_moment_ends_no_run(server: Any):
    missing = lambda n: web.Response(status=404, text="no backend") if n == 1 else server.completion()  # noqa: E731
    async with server.serving(missing) as up, at(up.url).open() as chat:
        await chat.reply(ASKED)
        assert (await chat.reply(ASKED)).message.content == "hello"
    assert len(up.bodies) == 3


@pytest.mark.parametrize(
    ("status", "said", "finish"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, your prompt contains 5000", "context"),
        (400, "'max_tokens' is too large: 900. This model's maximum context length is 8192 tokens", "context"),
        (400, "The decoder prompt (length 9) is longer than the maximum model length of 8.", "context"),
        (200, {"code": 400, "message": "context_length_exceeded"}, "context"),
        (400, {"code": "content_filter", "message": "The response was filtered"}, "filtered"),
        (403, {"message": "Your chosen model requires moderation and your input was flagged"}, "filtered"),
    ],
)
async def test_a_conversation_that_cannot_be_answered_has_an_empty_answer(
    server: Any, status: int, said: Any, finish: str
):
    async with server.serving(lambda _: web.json_response({"error": said}, status=status)) as up:
        reply = await ask(up.url)
    assert reply.finish == finish
    assert reply.cut
    assert reply.message == Message(role="assistant")
    assert len(up.bodies) == 1


async def test_a_refusal_that_repeats_the_conversation_is_read_by_its_own_words(server: Any):
    said = "Field required" + " " * 600 + "served-model: command not found; context length; content_filter"
    async with server.serving(lambda _: web.Response(status=400, text=said)) as up:
        with pytest.raises(TeacherError, match="Field required"):
            await ask(up.url)


async def test_a_request_larger_than_the_quota_is_not_sent_again(server: Any):
    said = "Request too large for gpt: Limit 30000, Requested 40000."
    async with server.serving(lambda _: web.Response(status=429, text=said)) as up:
        with pytest.raises(TeacherError, match="too large"):
            await ask(up.url)
    assert len(up.bodies) == 1


@pytest.mark.parametrize("said", [{"error": {"code": 429, "message": "busy upstream"}}, "abort", "no JSON"])
async def test_an_answer_that_broke_off_is_asked_for_again(server: Any, said: Any):
    def answer(number: int) -> Any:
        if number:
            return server.completion()
        if said == "no JSON":
            return web.Response(text="<html>")
        return said if isinstance(said, dict) else server.completion("half", finish_reason=said)

    async with server.serving(answer) as up:
        assert (await ask(up.url)).message.content == "hello"
    assert len(up.bodies) == 2


async def test_a_slow_answer_is_given_up(server: Any):
    async def late(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/chat/completions", late)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(TeacherError, match="no answer in time"):
            await ask(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", timeout=0.2, tries=1)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [200, 401, 404, 500])
async def test_a_key_that_the_server_repeats_is_not_told_on(server: Any, status: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    said = {"error": "bad key: sk-very-secret"}
    async with server.serving(lambda _: web.json_response(said, status=status)) as up:
        with pytest.raises(FactoryError, match=r"\*\*\*") as raised:
            await ask(up.url, tries=1)
    assert "sk-very-secret" not in str(raised.value)


async def test_a_password_in_the_address_is_not_told_on():
    with pytest.raises(FactoryError, match=r"someone:\*\*\*@") as raised:
        await ask("http://someone:hunter2hunter2@127.0.0.1:1/v1", tries=1)
    assert "hunter2" not in str(raised.value)


async def test_an_answer_says_how_long_it_took_without_its_wait_at_the_gate_or_for_another_try(server: Any):
    async def answer(number: int) -> Any:
        await asyncio.sleep(0.3)
        return server.completion() if number else None

    async with server.serving(answer) as up:
        began = time.monotonic()
        async with endpoint(up.url, model="served-model", gate=Gate(start=1, most=1)) as one:
            body = openai_wire.body(OpenAITeacher(model="served-model"), ASKED, (), None, None)
            replies = await asyncio.gather(*(one.send(body, order=number) for number in range(5)))
        assert time.monotonic() - began >= 6 * 0.3
        assert all(0.3 <= reply.seconds < 0.9 for reply in replies if reply.seconds is not None)
        assert None not in [reply.seconds for reply in replies]
