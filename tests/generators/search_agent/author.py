"""A teacher for tests of the synthesis agent: it answers by the kind of thing that it is asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from datafactory.protocols import Episode
from datafactory.types import Message, Reply, Usage

Says = Mapping[str, Any]
"""By the name of the schema (`Notes`, `Asked`, `Choice`, ...): an answer, a list of answers in turn whose last one
stays, or a function of the prompt. An answer that is a string is sent as it is."""

GOOD: Says = {
    "Notes": {"summary": "A page.", "points": ["A point."]},
    "Asked": lambda prompt: {
        "question": "Which engine did she write notes on?" if "answer is exactly" not in prompt else "Who wrote notes?",
        "answer": named(prompt) or "Analytical Engine",
        "statement": f"Fact about {named(prompt) or 'the notes'}.",
    },
    "Choice": [{"note": "n", "action": "inject", "target": "", "question": ""}],
    "Covered": {"reasoning": "r", "covered": False},
    "Composed": {"note": "n", "question": "Which machine did the one who met a lord's friend describe?", "answer": ""},
    "Validity": {"reasoning": "r", "one_question": True, "right": True, "unique": True, "supported": True},
    "ByHeart": {"reasoning": "r", "answer": "ENIAC"},
    "Word": {"reasoning": "r", "correct": False},
    "Alternative": {"reasoning": "r", "also_right": False},
}


def named(prompt: str) -> str:
    """The answer that a link question is to have."""
    return prompt.partition("answer is exactly: ")[2].partition("\n")[0]


class Author:
    """Keeps what it was asked: kind, prompt and seed."""

    def __init__(self, **says: Any) -> None:
        self.says = {**GOOD, **says}
        self.asked: list[tuple[str, str, int]] = []
        self._turns: Counter[str] = Counter()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.asked]

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        assert schema is not None and episode is not None
        kind, prompt = schema["title"], messages[-1].content
        self.asked.append((kind, prompt, episode.seed))
        said = self.says[kind]
        if isinstance(said, list):
            said = said[min(self._turns[kind], len(said) - 1)]
        self._turns[kind] += 1
        if isinstance(said, Callable):
            said = said(prompt)
        text = said if isinstance(said, str) else json.dumps(said)
        usage = Usage(prompt_tokens=10, completion_tokens=1)
        return Reply(message=Message(role="assistant", content=text), usage=usage, model="author")
