"""The openai teacher against a real server on the loopback."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest

from datafactory.agent import MALFORMED
from datafactory.errors import ConfigError
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
        await ask(up.url, fields={"temperature": 0.7, "max_tokens": 64, "stop": ["END"], "extra": {"top_k": 20}})
    assert up.bodies == [
        {
            "model": "served-model",
            "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
            "temperature": 0.7,
            "max_tokens": 64,
            "stop": ["END"],
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
    ("said", "meant"),
    [
        ("length", "length"),
        ("content_filter", "filtered"),
        ("SAFETY", "filtered"),
        ("model_length", "context"),
        ("tool_calls", "tool_calls"),
        ("stop", "stop"),
        ("eos", "stop"),
        (None, "stop"),
    ],
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


@pytest.mark.parametrize(("said", "meant"), [("END", "END"), (151643, "151643"), (None, "")])
async def test_what_stopped_an_answer_is_told(server: Any, said: Any, meant: str):
    body = server.completion()
    body["choices"][0]["stop_reason"] = said
    async with server.serving(lambda _: body) as up:
        assert (await ask(up.url)).stopped_by == meant


@pytest.mark.parametrize(("used", "meant"), [(90, "length"), (100, "context")])
async def test_an_answer_cut_by_a_full_context_is_told_from_one_cut_at_max_tokens(server: Any, used: int, meant: str):
    usage = {"prompt_tokens": 60, "completion_tokens": used - 60}
    async with server.serving(lambda _: server.completion("so far", finish_reason="length", usage=usage)) as up:
        up.listing = {"data": [{"id": "other"}, {"id": "served-model", "max_model_len": 100}]}
        reply = await ask(up.url)
    assert reply.finish == meant
    assert reply.message.content == "so far"


@pytest.mark.parametrize("listing", [{}, {"data": 7}, [1], {"data": [{"id": "served-model", "max_model_len": "x"}]}])
async def test_a_server_that_does_not_tell_its_context_is_taken_at_its_word(server: Any, listing: Any):
    usage = {"prompt_tokens": 60, "completion_tokens": 40}
    async with server.serving(lambda _: server.completion(finish_reason="length", usage=usage)) as up:
        up.listing = listing
        assert (await ask(up.url)).finish == "length"


@pytest.mark.parametrize("fields", [{}, {"keep_reasoning": True, "seed": 3, "max_tokens": 9, "stop": ["END"]}])
async def test_each_turns_request_begins_with_the_turn_before(server: Any, fields: dict[str, Any]):
    call = {"id": "c", "function": {"name": "bash", "arguments": '{"command": "ls é", "n": 1.0}'}}
    episode = Episode(id="t/0", seed=5)
    said: list[Message] = list(ASKED)
    async with server.serving(
        lambda n: server.completion(f"turn {n}", tool_calls=[call], reasoning="hm") if n % 2 else server.completion()
    ) as up:
        teacher = OpenAITeacher(model="served-model", base_url=up.url, **fields)
        async with teacher.open() as chat:
            for turn in range(6):
                reply = await chat.reply(said, tools=[TOOL], episode=episode)
                said += [reply.message, Message(role="tool", content=f"out {turn}", tool_call_id="c", name="bash")]
    head = b'{"model":"served-model","messages":'
    turns = [orjson.dumps(body["messages"])[:-1] for body in up.bodies]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(turns))
    assert all(raw.startswith(head + turn) for raw, turn in zip(up.raw, turns, strict=True))
    assert len({raw[len(head + turn) :] for raw, turn in zip(up.raw, turns, strict=True)}) == 1


async def test_half_a_surrogate_in_a_message_can_be_sent(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        await ask(up.url, [Message(role="user", content="broken \ud83d end")])
    assert len(up.bodies) == 1


async def test_half_a_surrogate_in_an_answer_is_an_answer(server: Any):
    async with server.serving(lambda _: server.completion("broken \ud83d end")) as up:
        assert (await ask(up.url, fields={"tries": 1})).message.content == "broken \ud83d end"
