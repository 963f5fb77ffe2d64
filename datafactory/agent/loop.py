"""One attempt at a task: the model speaks, box or library answers, until it submits or a limit is reached."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from datafactory.agent.dialect import Conversation
from datafactory.agent.fit import Fit
from datafactory.agent.fit_tokens import Ruler
from datafactory.errors import TeacherError, boundary
from datafactory.protocols import Chat, Episode
from datafactory.types import Message, Reply, Stop, Usage


@dataclass(frozen=True, slots=True)
class Limits:
    """What an attempt may use. Reaching one ends it: an outcome of the attempt, not an error."""

    turns: int = 30
    """How often the model may speak."""
    tokens: int | None = None
    """Completion tokens of all its answers together; None: no limit."""
    seconds: float = 900.0
    """On the attempt's clock, looked at between turns: an answer under way is waited for."""
    command_seconds: float = 600.0
    """What one command may take at most; a terminal is watched for 60 at a time whatever this says."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What happened."""

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...]
    """Schemas of the tools that were on offer; empty in a text dialect."""
    stop: Stop
    usage: Usage
    seconds: float
    """On the attempt's clock."""
    model: str = ""
    """The model that answered last, as it names itself."""
    compacted: int = 0
    """How many messages, from the first, were shortened after the model had answered them."""
    student_tokens: int | None = None
    """Length of the messages in the student's tokens; None: there was no student."""


async def attempt(
    conversation: Conversation, chat: Chat, *, limits: Limits, episode: Episode, student: Ruler | None = None
) -> Attempted:
    """Let `chat` work in a conversation about a task. The history only grows, so that a server's prefix cache holds,
    unless the student's policy is to compact it. Raises TeacherError, SandboxError and SearchError, which are no
    outcome of the attempt."""
    clock = _Clock()
    with clock.runs():
        messages: list[Message] = [*await conversation.opening()]
    fit = Fit(student, conversation.tools)
    usage, model = Usage(), ""
    stop: Stop | None = None
    while stop is None:
        if not await fit.asks(messages):
            stop = "student_limit"
            break
        asked = time.monotonic()
        with boundary(TeacherError, "asking the teacher"):
            reply = await chat.reply(messages, tools=conversation.tools, episode=episode)
        clock.seconds += time.monotonic() - asked if reply.seconds is None else reply.seconds
        usage, model = usage + reply.usage, reply.model or model
        if _empty(reply):
            stop = "context_limit" if reply.finish == "context" else "truncated"
            break
        if not await fit.takes(messages, reply.message):
            stop = "student_limit"
            break
        left = limits.seconds - clock.seconds
        with clock.runs():
            turn = await conversation.take(reply, seconds=limits.command_seconds, left=max(left, 0.5))
        clock.seconds -= turn.waited
        usage += turn.usage
        messages.append(turn.message)
        if turn.unreadable and reply.cut:
            stop = "truncated"
            break
        messages += turn.seen
        stop = "submitted" if turn.submitted else _exhausted(limits, messages, usage, clock.seconds)
    await fit.ends(messages)
    return Attempted(
        tuple(messages),
        conversation.tools,
        stop,
        usage,
        clock.seconds,
        model,
        compacted=fit.compacted,
        student_tokens=fit.tokens,
    )


class _Clock:
    """Counts what the model and the box take, and nothing of what an attempt waits for through no doing of its own."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def runs(self) -> Iterator[None]:
        """It runs on this machine's clock meanwhile."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began


def _empty(reply: Reply) -> bool:
    """Whether nothing came at all: the context was full, or the server held everything back."""
    said = reply.message
    return reply.cut and not (said.content.strip() or said.tool_calls or said.reasoning_content)


def _exhausted(limits: Limits, messages: Sequence[Message], usage: Usage, seconds: float) -> Stop | None:
    if sum(message.role == "assistant" for message in messages) >= limits.turns:
        return "turn_limit"
    if limits.tokens is not None and usage.completion_tokens >= limits.tokens:
        return "token_limit"
    if seconds >= limits.seconds:
        return "time_limit"
    return None
