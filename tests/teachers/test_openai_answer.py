"""What the openai teacher reads from answers, sound and unsound: log-probabilities, and whatever a server may send."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import TeacherError
from datafactory.storage import dump
from datafactory.teachers import openai_wire
from datafactory.teachers.openai import OpenAITeacher
from datafactory.types import Logprobs, Message, Reply, Usage

ASKED = [Message(role="user", content="hi")]


async def ask(url: str, **fields: Any) -> Any:
    teacher = OpenAITeacher(**{"model": "served-model", "base_url": url, "timeout": 5.0, "tries": 1} | fields)
    async with teacher.open() as chat:
        return await chat.reply(ASKED)


def place(token: str, logprob: Any, *top: tuple[str, float]) -> dict[str, Any]:
    shown = [{"token": word, "logprob": value, "bytes": [1]} for word, value in top]
    return {"token": token, "logprob": logprob, "bytes": [1], "top_logprobs": shown}


def told(server: Any, places: Any, **more: Any) -> dict[str, Any]:
    """An answer with log-probabilities, as vLLM 0.32 and OpenAI shape them."""
    body: dict[str, Any] = server.completion("a b")
    body["choices"][0] |= {"logprobs": {"content": places}, **more}
    return body


PLACES = [place("a", -0.1, ("a", -0.1), ("x", -2.5)), place(" b", -1.5, (" c", -0.5), (" b", -1.5))]


async def test_log_probs_come_with_tokens_ids_and_the_likeliest(server: Any):
    async with server.serving(lambda _: told(server, PLACES, token_ids=[64, 293])) as up:
        reply = await ask(up.url, logprobs=True, top_logprobs=2, extra={"return_token_ids": True})
    assert reply.message.logprobs == Logprobs(
        tokens=("a", " b"), ids=(64, 293), chosen=(-0.1, -1.5), top=({"a": -0.1, "x": -2.5}, {" c": -0.5, " b": -1.5})
    )
    assert up.bodies[0]["logprobs"] is True
    assert up.bodies[0]["top_logprobs"] == 2
    assert up.bodies[0]["return_token_ids"] is True


async def test_log_probs_without_ids_or_likeliest_leave_them_empty(server: Any):
    async with server.serving(lambda _: told(server, [place("a", -0.1), place(" b", -1.5)])) as up:
        reply = await ask(up.url, logprobs=True)
    assert reply.message.logprobs == Logprobs(tokens=("a", " b"), chosen=(-0.1, -1.5))
    assert "top_logprobs" not in up.bodies[0]


async def test_tokens_that_are_told_by_id_give_the_ids(server: Any):
    places = [place("token_id:64", -0.1), place("token_id:293", -1.5)]
    async with server.serving(lambda _: told(server, places)) as up:
        assert (await ask(up.url, logprobs=True)).message.logprobs.ids == (64, 293)


async def test_a_probability_of_nothing_is_a_number(server: Any):
    async with server.serving(lambda _: told(server, [place("a", -math.inf), place(" b", math.nan)])) as up:
        reply = await ask(up.url, logprobs=True)
    assert reply.message.logprobs.chosen == (-9999.0, -9999.0)
    assert Reply.model_validate_json(dump(reply)) == reply


async def test_two_tokens_that_read_alike_keep_the_likelier(server: Any):
    async with server.serving(lambda _: told(server, [place("a", -0.1, ("?", -0.1), ("?", -3.0))])) as up:
        assert (await ask(up.url, logprobs=True, top_logprobs=2)).message.logprobs.top == ({"?": -0.1},)


async def test_log_probs_that_were_asked_for_and_did_not_come_are_a_fault(server: Any):
    async with server.serving(lambda _: server.completion()) as up:
        with pytest.raises(TeacherError, match="asked for log-probabilities"):
            await ask(up.url, logprobs=True)
        assert (await ask(up.url)).message.content == "hello"


def test_the_likeliest_are_told_only_with_log_probs():
    with pytest.raises(ValueError, match="top_logprobs needs logprobs: true"):
        OpenAITeacher(model="m", top_logprobs=3)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [1],
        7,
        {"choices": []},
        {"choices": None},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": [{"text": None}]}}]},
        {"choices": [{"message": {"content": "a", "tool_calls": [{"function": {"name": None}}]}}]},
        {"choices": [{"message": {"content": "a", "tool_calls": 7}}]},
        {"choices": [{"message": {"content": "a", "reasoning": {"a": 1}}}]},
        {"choices": [{"message": {"content": "a"}, "finish_reason": ["stop"]}]},
        {"choices": [{"message": {"content": "a"}}], "usage": [1]},
        {"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": "many"}},
        {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [{"token": "a"}]}}]},
        {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [{"token": 7, "logprob": 0}]}}]},
        {"choices": [{"message": {"content": "a"}, "logprobs": [1]}]},
        {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [place("a", 0.0)]}, "token_ids": [1, 2]}]},
    ],
)
async def test_an_answer_of_another_shape_is_a_teacher_error(server: Any, answer: Any):
    async with server.serving(lambda _: answer) as up:
        with pytest.raises(TeacherError, match="no chat completion"):
            await ask(up.url)


@pytest.mark.parametrize("count", [math.nan, math.inf, -1, -0.5, 10**30, None])
def test_a_count_of_tokens_that_is_none_costs_neither_the_answer_nor_the_sums(count: Any):
    usage = {"prompt_tokens": count, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": count}}
    reply = openai_wire.reply({"choices": [{"message": {"content": "a"}}], "usage": usage})
    assert reply.usage == Usage(completion_tokens=3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("content", "tool_calls", "reasoning", "finish_reason", "stop_reason", "logprobs", "token_ids", "usage", "model")


@settings(max_examples=300, deadline=None)
@given(odd=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_whatever_a_server_sends_is_a_reply_that_can_be_filed_or_a_teacher_error(odd: dict[str, Any]):
    message = {"content": "a", **{key: odd[key] for key in KEYS[:3] if key in odd}}
    choice = {"message": message, **{key: odd[key] for key in KEYS[3:7] if key in odd}}
    answer = {"choices": [choice], **{key: odd[key] for key in KEYS[7:] if key in odd}}
    try:
        reply = openai_wire.reply(answer)
    except TeacherError:
        return
    assert Reply.model_validate_json(dump(reply)) == reply
