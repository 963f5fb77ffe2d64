"""Keeps an attempt within what its student can be trained on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datafactory.agent.fit_tokens import Meter, Ruler
from datafactory.types import Message

ROOM = 4
"""A compaction frees this part of `max_length` (a quarter), so that many turns pass before the next one breaks the
server's prefix cache again."""
RECENT = 3
"""Turns whose observations are never shortened."""
KEPT = 400
"""Characters of a shortened observation's head, and as many of its tail."""


class Fit:
    """One attempt's student: asked before each call and after each answer; without a ruler everything fits.

    No row of the policies `stop` and `compact` is longer than `max_length`, unless the task's own prompt is. What a
    template cannot show does not fit either, whatever the policy.
    """

    def __init__(self, ruler: Ruler | None, tools: Sequence[Mapping[str, Any]]) -> None:
        self.compacted = 0
        """`Trajectory.compacted`."""
        self.tokens: int | None = None
        """`Trajectory.student_tokens`, once the attempt ended."""
        self._ruler = ruler
        self._tools = tools
        self._meter = Meter(ruler) if ruler is not None else None

    async def asks(self, messages: list[Message]) -> bool:
        """Whether the next call may be paid for. May shorten older observations, in place."""
        return self._ruler is None or await self._fits(messages, self._ruler.student.free)

    async def takes(self, messages: list[Message], answer: Message) -> bool:
        """Whether a row can end with this answer. May shorten older observations, in place."""
        if self._ruler is None:
            return True
        with_it = [*messages, answer]
        fits = await self._fits(with_it, 0)
        messages[:] = with_it[:-1]
        return fits

    async def ends(self, messages: list[Message]) -> None:
        """Count the row; what was seen after the last answer is taken off, in place, where the row is too long."""
        if self._ruler is None:
            return
        self.tokens = await self._count(messages)
        if not self._holds(self.tokens) and any(message.role == "assistant" for message in messages):
            while messages[-1].role != "assistant":
                messages.pop()
            self.tokens = await self._count(messages)
        self.compacted = min(self.compacted, len(messages))

    def _holds(self, tokens: int | None, free: int = 0) -> bool:
        assert self._ruler is not None
        student = self._ruler.student
        return tokens is not None and (student.policy == "mark" or tokens <= student.max_length - free)

    async def _count(self, messages: Sequence[Message]) -> int | None:
        assert self._meter is not None
        return await asyncio.to_thread(self._meter.count, messages, self._tools)

    async def _fits(self, messages: list[Message], free: int) -> bool:
        assert self._ruler is not None
        tokens = await self._count(messages)
        if self._holds(tokens, free):
            return True
        if tokens is None or self._ruler.student.policy != "compact":
            return False
        shorter = await asyncio.to_thread(self._shortened, messages, tokens, free)
        if shorter is None:
            return False
        messages[:] = shorter
        self.compacted = len(messages)
        return True

    def _shortened(self, messages: Sequence[Message], tokens: int, free: int) -> list[Message] | None:
        """The conversation with as many old observations shortened, oldest first, as it takes to free a quarter of the
        length; None where all of them are not enough."""
        assert self._ruler is not None and self._meter is not None
        length = self._ruler.student.max_length
        most = length - max(free, length // ROOM)
        made = list(messages)
        for index in _old(messages):
            text = shorten(made[index].content)
            tokens -= self._ruler.tokens(made[index].content) - self._ruler.tokens(text)
            made[index] = made[index].but(content=text)
            if tokens <= most:  # an estimate: tokens of a part are not quite the part's share of the whole
                counted = self._meter.count(made, self._tools)
                if counted is None or counted <= most:
                    return None if counted is None else made
                tokens = counted
        return None


def _old(messages: Sequence[Message]) -> Iterator[int]:
    """Places of the observations that may be shortened: none of the task's, none of the last turns'."""
    answers = [index for index, message in enumerate(messages) if message.role == "assistant"]
    if len(answers) > RECENT:
        for index in range(answers[0], answers[-RECENT]):
            if messages[index].role != "assistant" and len(messages[index].content) > 3 * KEPT:
                yield index


def shorten(text: str) -> str:
    """The first and the last characters of an observation, with a note on how many lie between."""
    return f"{text[:KEPT]}\n[... {len(text) - 2 * KEPT:,} characters left out ...]\n{text[-KEPT:]}"
