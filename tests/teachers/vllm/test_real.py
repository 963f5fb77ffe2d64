"""The teacher against a real vLLM and a small model with random weights."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError
from datafactory.protocols import Episode
from datafactory.teachers.vllm import families
from datafactory.teachers.vllm.program import Program
from datafactory.teachers.vllm.teacher import VLLMTeacher
from datafactory.types import Message, Reply

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

TOOL = {
    "type": "function",
    "function": {
        "name": "bash",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"command": {"enum": ["ls", "pwd"]}},  # a free text of a random model's breaks JSON
            "required": ["command"],
            "additionalProperties": False,
        },
    },
}
LONG = "the quick brown fox jumps over the lazy dog " * 30


@pytest.fixture
def fields(served: str, small_model: Path) -> dict[str, Any]:
    """A teacher of the server that is up."""
    return {"model": str(small_model), "base_url": served, "temperature": 1.0, "max_tokens": 24}


async def ask(fields: dict[str, Any], text: str = "hi", *, episode: str = "one", seed: int = 1, **more: Any) -> Reply:
    async with VLLMTeacher(**fields).open() as chat:
        return await chat.reply([Message(role="user", content=text)], episode=Episode(episode, seed), **more)


async def test_an_answer_has_text_usage_and_the_models_name(fields: dict[str, Any]) -> None:
    reply = await ask(fields)
    assert reply.message.content
    assert reply.model == fields["model"]
    assert reply.usage.completion_tokens <= 24 < reply.usage.prompt_tokens + 24
    assert reply.finish in ("length", "stop")


async def test_a_second_turn_finds_the_first_in_the_prefix_cache_and_the_rate_is_reported(
    fields: dict[str, Any],
) -> None:
    asked = [Message(role="user", content=f"cached {LONG}")]
    async with VLLMTeacher(**fields).open() as chat:
        first = await chat.reply(asked, episode=Episode("cached", 1))
        second = await chat.reply([*asked, first.message, Message(role="user", content="go on")])
        await asyncio.sleep(2)
        report = chat.report()
    assert second.usage.cached_tokens >= 256
    assert report["context"] == 1024
    assert 0 < report["prefix_hit_rate"] < 1


async def test_tools_are_called_natively_with_arguments_that_keep_to_their_schema(fields: dict[str, Any]) -> None:
    # How many calls a model without sense makes in a row is luck: one of a few drawings ends in time.
    for seed in range(8):
        reply = await ask(fields | {"tool_choice": "required", "max_tokens": 600}, tools=[TOOL], seed=seed)
        if reply.finish == "tool_calls":
            break
    assert reply.finish == "tool_calls"
    assert reply.message.tool_calls
    for call in reply.message.tool_calls:
        assert call.name == "bash"
        assert call.arguments["command"] in ("ls", "pwd")


async def test_an_answer_keeps_to_a_json_schema(fields: dict[str, Any]) -> None:
    whole = {"type": "integer", "minimum": 0, "maximum": 99}
    pair = {"type": "object", "properties": {"a": whole, "b": whole}, "required": ["a", "b"]}
    schema = {**pair, "additionalProperties": False}
    reply = await ask(fields | {"max_tokens": 200}, schema=schema)
    assert set(json.loads(reply.message.content)) == {"a", "b"}


async def test_log_probabilities_come_with_ids_and_the_likeliest_tokens(fields: dict[str, Any]) -> None:
    reply = await ask(fields | {"logprobs": True, "top_logprobs": 5, "max_tokens": 8, "extra": {"ignore_eos": True}})
    logs = reply.message.logprobs
    assert logs is not None
    assert len(logs.tokens) == len(logs.ids) == len(logs.chosen) == len(logs.top) == 8
    assert all(log < 0 for log in logs.chosen)
    assert all(max(top.values()) >= chosen for top, chosen in zip(logs.top, logs.chosen, strict=True))
    assert "".join(logs.tokens).strip("�")[:3] in reply.message.content


async def test_seeds_make_an_episodes_answer_come_again_and_another_ones_differ(fields: dict[str, Any]) -> None:
    seeded = fields | {"seed": 5}
    first, again, other = [await ask(seeded, seed=seed) for seed in (1, 1, 2)]
    assert first.message.content == again.message.content != other.message.content


async def test_a_stop_text_ends_an_answer_and_is_told(fields: dict[str, Any]) -> None:
    reply = await ask(fields | {"stop": ["e", "a", "o", "t"], "max_tokens": 200})
    assert reply.finish == "stop"
    assert reply.stopped_by in "eaot"
    assert reply.stopped_by not in reply.message.content


async def test_an_answer_cut_at_max_tokens_is_told_from_a_full_context(fields: dict[str, Any]) -> None:
    endless = fields | {"extra": {"ignore_eos": True}}
    assert (await ask(endless)).finish == "length"
    full = await ask(endless | {"max_tokens": None}, LONG)
    assert full.finish == "context"
    assert full.message.content
    assert full.usage.prompt_tokens + full.usage.completion_tokens == 1024


async def test_a_conversation_that_does_not_fit_is_an_empty_answer_and_no_error(fields: dict[str, Any]) -> None:
    reply = await ask(fields, LONG * 10)
    assert reply.finish == "context"
    assert not reply.message.content


async def test_many_calls_at_once_are_all_answered(fields: dict[str, Any]) -> None:
    async with VLLMTeacher(**fields, seed=3).open() as chat:
        asked = [(Message(role="user", content=f"{number % 8} {LONG[:400]}"),) for number in range(120)]
        replies = await asyncio.gather(
            *(chat.reply(messages, episode=Episode(f"e{at}", at)) for at, messages in enumerate(asked))
        )
        assert all(reply.usage.completion_tokens for reply in replies)
        assert chat.report()["restarts"] == 0


async def test_a_joined_server_without_the_model_tells_which_it_has(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"it has {fields['model']}")):
        await ask(fields | {"model": "Qwen/Qwen3-8B"})


def owned(model: str, **fields: Any) -> VLLMTeacher:
    return VLLMTeacher(model=model, tuning={"enforce-eager": True}, **fields)


@pytest.mark.usefixtures("real_environment", "vllm")
async def test_a_model_that_is_nowhere_fails_at_once_in_vllms_own_words() -> None:
    with pytest.raises(ConfigError, match=r"LocalEntryNotFoundError|RepositoryNotFoundError") as raised:
        async with owned("no-organisation/no-model").open():
            raise AssertionError("must not open")
    assert "the whole log: " in str(raised.value)


@pytest.mark.usefixtures("real_environment", "vllm")
async def test_an_unknown_flag_fails_at_once_and_is_named(small_model: Path) -> None:
    with pytest.raises(ConfigError, match="unrecognized arguments: --no-such-flag 3"):
        async with owned(str(small_model), flags={"no_such_flag": 3}).open():
            raise AssertionError("must not open")


def test_every_parser_that_we_name_is_in_vllm(vllm: Program) -> None:
    (package,) = vllm.path.parent.parent.glob("lib/python3*/site-packages/vllm")
    tools = (package / "tool_parsers" / "__init__.py").read_text(encoding="utf-8")
    thoughts = (package / "reasoning" / "__init__.py").read_text(encoding="utf-8")
    assert [f.tools for f in families.FAMILIES if f.tools and f'"{f.tools}": (' not in tools] == []
    assert [f.reasoning for f in families.FAMILIES if f.reasoning and f'"{f.reasoning}": (' not in thoughts] == []
