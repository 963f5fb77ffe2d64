"""How an agent and a box talk: what a model is told, what its answers mean, and what it sees of the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from datafactory.protocols import Box
from datafactory.types import Message, Reply, Task, Usage

_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model, understood and carried out."""

    message: Message
    """The assistant's message as it goes into the history, with its `fault` where it had one."""
    seen: tuple[Message, ...] = ()
    """What the model reads next; after a submission, what the calls before it gave."""
    submitted: bool = False
    unreadable: bool = False
    """Nothing in the answer could be understood; where it was cut off as well, the attempt ends."""
    usage: Usage = _NOTHING
    """What the dialect itself asked of the model meanwhile, such as the summary of a long page."""
    waited: float = 0.0
    """Seconds of that in which nothing was done for it: a server, or a place at it, was waited for."""


class Conversation(Protocol):
    """One attempt in one dialect."""

    tools: tuple[dict[str, Any], ...]
    """JSON schemas of the tools on offer, in the OpenAI shape; empty in a text dialect."""

    async def opening(self) -> tuple[Message, ...]:
        """What the model is told first. Raises SandboxError."""
        ...

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out one answer: no command in it runs for more than `seconds`, nor all of them for more than
        `left`. Raises SandboxError."""
        ...


Dialect = Callable[[Task, Box], Conversation]
"""Starts a conversation about a task in a box."""
