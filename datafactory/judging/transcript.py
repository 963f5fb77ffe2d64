"""An attempt as text for a judge, shortened by one rule."""

from __future__ import annotations

import json
from collections.abc import Sequence

from datafactory.types import Message

WHO = {"assistant": "agent", "user": "environment", "tool": "environment", "system": "environment"}
"""Who speaks in a transcript, by the role of the message."""


def sound_text(text: str) -> str:
    """Text that any encoding can carry: two halves of a surrogate pair are joined, a half alone becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clipped(text: str, limit: int) -> str:
    """The head and the tail, `limit` characters together, with a note on what lies between."""
    text = sound_text(text)
    if len(text) <= limit:
        return text
    tail = limit // 2
    head = limit - tail
    left = len(text) - limit
    return f"{text[:head]}\n[... {left:,} characters left out ...]\n{text[len(text) - tail :]}"


def transcript(messages: Sequence[Message], *, code: str, limit: int, each: int) -> str:
    """The conversation from the agent's first turn on, at most about `limit` characters (1000 or more).

    What was said before that turn is the agent's instruction; the task stands elsewhere. Thoughts of a thinking model
    are left out: they are no deed. Each message stands under a line with `code`, which tells it from a line that it
    quotes, and is cut to its head and tail, `each` characters together (a third of `limit` at most). Where all that is
    still too long, whole messages go from the middle: a third of the room is for the first ones and the rest for the
    last, since the end decides.
    """
    each = min(each, limit // 3)
    first = next((place for place, message in enumerate(messages) if message.role == "assistant"), len(messages))
    blocks, turn = [], 0
    for message in messages[first:]:
        turn += message.role == "assistant"
        blocks.append(f"[{code} turn {turn}, {WHO[message.role]}]\n{clipped(_said(message), each)}")
    if not blocks:
        return "(the agent said nothing)"
    return "\n\n".join(_fitted(blocks, limit))


def _said(message: Message) -> str:
    calls = [f"call {call.name}: {json.dumps(call.arguments, ensure_ascii=False)}" for call in message.tool_calls]
    return "\n".join(filter(None, [message.content, *calls])) or "(nothing)"


def _fitted(blocks: list[str], limit: int) -> list[str]:
    sizes = [len(block) + 2 for block in blocks]
    if sum(sizes) <= limit:
        return blocks
    head = _taken(sizes, limit // 3)
    tail = _taken(sizes[head:][::-1], limit - sum(sizes[:head]))
    left = len(blocks) - head - tail
    return [*blocks[:head], f"[... {left:,} messages left out ...]", *blocks[len(blocks) - tail :]]


def _taken(sizes: list[int], room: int) -> int:
    """How many, from the first, fit."""
    count = 0
    for size in sizes:
        room -= size
        if room < 0:
            break
        count += 1
    return count


def last_words(messages: Sequence[Message], *, each: int) -> str:
    """What the agent said last."""
    spoken = [message for message in messages if message.role == "assistant"]
    return clipped(_said(spoken[-1]), each) if spoken else "(nothing)"
