"""The synthesis agent against a real vLLM and a model that knows nothing: it is rejected for what it said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.protocols import Chat, Slot
from datafactory.stages.live import NoBoxes
from datafactory.teachers.vllm.teacher import VLLMTeacher
from datafactory.types import Message, Reject, Reply
from generators.search.search_agent import SearchAgent

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

SLOTS = 6


class Listening:
    """Hands questions on, and keeps the answers with the schema that they were to have."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.heard: list[tuple[dict[str, Any], Reply]] = []

    async def reply(self, messages: Sequence[Message], *, schema: Any = None, **more: Any) -> Reply:
        reply = await self.chat.reply(messages, schema=schema, **more)
        self.heard.append((schema, reply))
        return reply


def reason(schema: dict[str, Any], reply: Reply) -> str:
    """What is wrong with an answer, worked out apart from the agent; empty: it has the form that was asked for."""
    if reply.finish in ("length", "context"):
        return "truncated"
    try:
        said = json.loads(reply.message.content)
    except ValueError:
        return "not_json"
    return "" if isinstance(said, dict) and set(schema["required"]) == set(said) else "schema"


async def test_a_model_that_knows_nothing_is_rejected_for_what_it_said(
    served: str, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    pages = [
        {"url": f"p{n}", "title": f"Page {n}", "contents": f"Page {n} tells of {n}. " * 6, "links": [f"p{n ^ 1}"]}
        for n in range(8)
    ]
    path = tmp_path / "pages.jsonl"
    path.write_text("\n".join(map(json.dumps, pages)))
    spec = SearchAgent(corpus=Jsonl(files=(path,), name="few"), count=SLOTS, samples=2, turns=3, fewest=50)
    teacher = VLLMTeacher(model=str(small_model), base_url=served, temperature=1.0, max_tokens=250)
    reasons: Counter[str] = Counter()
    async with teacher.open() as chat, spec.open(NoBoxes()) as maker:
        for number in range(SLOTS):
            listening = Listening(chat)
            made = await maker.make(Slot(number, 0, number), listening)
            assert isinstance(made, Reject), "a model of random weights composed a question that passed all checks"
            wrong = [reason(schema, reply) for schema, reply in listening.heard]
            if made.reason in ("truncated", "not_json", "schema"):
                assert made.reason in filter(None, wrong)
                assert not wrong[0] or wrong == [made.reason], "nothing is asked for after notes that cannot be read"
            else:
                assert not wrong[0] and not wrong[1], f"{made.reason}, though {wrong}"
            reasons[made.reason] += 1
    assert sum(reasons.values()) == SLOTS
    assert "truncated" in reasons, reasons
