"""The openai teacher against a real server on the loopback."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web

from datafactory.agent import MALFORMED
from datafactory.errors import ConfigError, TeacherError
from datafactory.protocols import Episode
from datafactory.storage import dump
from datafactory.teachers.openai import OpenAITeacher
from datafactory.types import Message, ToolCall, Usage

ASKED = [Message(role="system", content="be brief"), Message(role="user", content="hi")]
TOOL = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}


async def ask(url: str, messages: Any = ASKED, *, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    teacher = OpenAITeacher(**{"model": "served-model", "base_url": url, "timeout": 5.0} | (fields or {}))
    async with teacher.open() as chat:
        return await chat.reply(messages, **more)


async def test_an_answer_comes_with_usage_and_the_models_own_name(server: Any):
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    async with server.serving(lambda _: server.completion(usage=usage, model="served-model-0711")) as up:
        reply = await ask(up.url)
    assert reply.message == Message(role="assistant", content="hello")
    assert reply.finish == "stop"
    assert reply.usage == Usage(prompt_tokens=12, completion_tokens=3, cached_tokens=8)
    assert reply.model == "served-model-0711"


async def test_a_request_has_messages_and_sampling_and_nothing_else(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        await ask(up.url, fields={"temperature": 0.7, "max_tokens": 64, "extra": {"top_k": 20}})
    assert up.bodies == [
        {
            "model": "served-model",
            "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
            "temperature": 0.7,
            "max_tokens": 64,
            "top_k": 20,
        }
    ]


async def test_the_key_goes_into_a_header_and_into_no_description(server: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    async with server.serving(lambda _: server.completion()) as up:
        await ask(up.url)
    assert up.headers[0]["Authorization"] == "Bearer secret-key"
    described = str(OpenAITeacher(model="m", base_url="http://somewhere/v1").describe())
    assert "secret-key" not in described
    assert "somewhere" not in described


async def test_the_address_comes_from_the_environment(server: Any, monkeypatch: pytest.MonkeyPatch):
    async with server.serving(lambda _: server.completion()) as up:
        monkeypatch.setenv("OPENAI_BASE_URL", up.url + "/")
        async with OpenAITeacher(model="served-model").open() as chat:
            assert (await chat.reply(ASKED)).message.content == "hello"


@pytest.mark.parametrize("address", ["", "localhost:8000/v1"])
async def test_a_missing_or_wrong_address_is_told_before_any_call(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(ConfigError, match="address"):
        async with OpenAITeacher(model="m").open():
            raise AssertionError("must not open")


async def test_tool_calls_come_as_objects(server: Any):
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    async with server.serving(lambda _: server.completion(None, tool_calls=[call], finish_reason="tool_calls")) as up:
        reply = await ask(up.url, tools=[TOOL], fields={"tool_choice": "auto"})
    assert reply.message.tool_calls == (ToolCall(id="c1", name="bash", arguments={"command": "ls"}),)
    assert reply.message.content == ""
    assert reply.finish == "tool_calls"
    assert up.bodies[0]["tools"] == [TOOL]
    assert up.bodies[0]["tool_choice"] == "auto"


@pytest.mark.parametrize("text", ['{"command": "l', "[1]", '"ls"', "null", f'{{"a": {"[" * 210}{"]" * 210}}}'])
async def test_arguments_that_are_no_object_are_kept_as_text(server: Any, text: str):
    call = {"id": "c1", "function": {"name": "bash", "arguments": text}}
    async with server.serving(lambda _: server.completion("", tool_calls=[call])) as up:
        reply = await ask(up.url)
    assert reply.message.tool_calls[0].arguments == {MALFORMED: text}
    assert Message.model_validate_json(dump(reply.message)) == reply.message


async def test_earlier_calls_go_back_as_text_and_without_thoughts(server: Any):
    spoken = Message(
        role="assistant",
        reasoning_content="hm",
        tool_calls=(ToolCall(id="c1", name="bash", arguments={"command": "ls"}),),
        fault="ours alone",
    )
    answered = Message(role="tool", content="a.txt", tool_call_id="c1", name="bash")
    async with server.serving(lambda _: server.completion()) as up:
        await ask(up.url, [*ASKED, spoken, answered])
        await ask(up.url, [*ASKED, spoken, answered], fields={"keep_reasoning": True})
    sent = up.bodies[0]["messages"][2]
    assert sent["tool_calls"][0]["function"] == {"name": "bash", "arguments": '{"command": "ls"}'}
    assert set(sent) == {"role", "content", "tool_calls"}
    assert up.bodies[0]["messages"][3]["tool_call_id"] == "c1"
    assert up.bodies[1]["messages"][2]["reasoning_content"] == "hm"


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
async def test_thoughts_are_read_under_both_names(server: Any, key: str):
    async with server.serving(lambda _: server.completion(**{key: "let me see"})) as up:
        assert (await ask(up.url)).message.reasoning_content == "let me see"


@pytest.mark.parametrize(
    ("said", "meant"), [("length", "length"), ("content_filter", "length"), ("stop", "stop"), (None, "stop")]
)
async def test_finish_reasons_are_mapped(server: Any, said: str | None, meant: str):
    async with server.serving(lambda _: server.completion(finish_reason=said)) as up:
        assert (await ask(up.url)).finish == meant


async def test_a_schema_becomes_structured_output(server: Any):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    async with server.serving(lambda _: server.completion("{}")) as up:
        await ask(up.url, schema=schema)
    assert up.bodies[0]["response_format"]["json_schema"]["schema"] == schema
    assert up.bodies[0]["response_format"]["type"] == "json_schema"


async def test_the_seed_differs_between_episodes_and_repeats_within_one(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        for number in (1, 1, 2):
            await ask(up.url, fields={"seed": 7}, episode=Episode(id=f"e{number}", seed=number))
    first, again, other = (body["seed"] for body in up.bodies)
    assert first == again != other


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
            await ask(up.url, fields={"tries": 2})
    assert len(up.bodies) == 2


async def test_a_server_that_is_not_there_is_a_teacher_error():
    with pytest.raises(TeacherError, match="Connect"):
        await ask("http://127.0.0.1:9/v1", fields={"tries": 1})


async def test_a_refusal_is_not_tried_again_and_tells_what_the_server_said(server: Any):
    async with server.serving(lambda _: web.Response(status=400, text="temperature must be positive")) as up:
        with pytest.raises(TeacherError, match="HTTP 400: temperature must be positive"):
            await ask(up.url)
    assert len(up.bodies) == 1


async def test_a_wrong_key_points_at_the_variable(server: Any):
    async with server.serving(lambda _: web.Response(status=401, text="bad key")) as up:
        with pytest.raises(TeacherError, match="OPENAI_API_KEY"):
            await ask(up.url)


async def test_a_wrong_model_lists_what_the_server_has(server: Any):
    gone = web.json_response({"error": {"message": "The model `nope` does not exist."}}, status=404)
    async with server.serving(lambda _: gone) as up:
        with pytest.raises(TeacherError, match=r"no model 'nope'; it has other-model, served-model"):
            await ask(up.url, fields={"model": "nope"})


async def test_a_full_context_is_an_empty_answer_that_was_cut_off(server: Any):
    text = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
    async with server.serving(lambda _: web.json_response({"error": {"message": text}}, status=400)) as up:
        reply = await ask(up.url)
    assert reply.finish == "length"
    assert reply.message == Message(role="assistant")
    assert len(up.bodies) == 1


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
            await ask(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", fields={"timeout": 0.2, "tries": 1})
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"message": {"content": 7}}]}, [1]])
async def test_an_answer_of_another_shape_is_a_teacher_error(server: Any, answer: Any):
    async with server.serving(lambda _: answer) as up:
        with pytest.raises(TeacherError, match="no chat completion"):
            await ask(up.url)


async def test_half_a_surrogate_in_a_message_can_be_sent(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        await ask(up.url, [Message(role="user", content="broken \ud83d end")])
    assert len(up.bodies) == 1


async def test_half_a_surrogate_in_an_answer_is_an_answer(server: Any):
    async with server.serving(lambda _: server.completion("broken \ud83d end")) as up:
        assert (await ask(up.url, fields={"tries": 1})).message.content == "broken \ud83d end"


@pytest.mark.parametrize("status", [200, 401, 404, 500])
async def test_a_key_that_the_server_repeats_is_not_told_on(server: Any, status: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    said = {"error": "bad key: sk-very-secret"}
    async with server.serving(lambda _: web.json_response(said, status=status)) as up:
        with pytest.raises(TeacherError, match=r"\*\*\*") as raised:
            await ask(up.url, fields={"tries": 1})
    assert "sk-very-secret" not in str(raised.value)


async def test_a_password_in_the_address_is_not_told_on():
    with pytest.raises(TeacherError, match=r"someone:\*\*\*@") as raised:
        await ask("http://someone:hunter2hunter2@127.0.0.1:1/v1", fields={"tries": 1})
    assert "hunter2" not in str(raised.value)
