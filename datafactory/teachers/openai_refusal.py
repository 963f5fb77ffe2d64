"""What a chat-completions server means when it does not answer. Pure."""

from __future__ import annotations

import contextlib
import email.utils
import re
import time
from collections.abc import Mapping
from typing import Literal

from datafactory.errors import TeacherError

BUSY = frozenset({429, 503, 529})
"""Statuses that say: not so many (529: Anthropic's and its bridges')."""
_AGAIN = frozenset({408, 409, 425, 429})
"""Of the statuses below 500, those after which the same call may be answered."""
_LONGEST_WAIT = 120.0
"""Seconds that a server may ask us to stay away at most; a quota that is back tomorrow must not hang a run."""
_SPOKEN = 600
"""Characters of a refusal that are the server's own words; further on, it may repeat the conversation."""
_FULL = (
    "context length",
    "context window",
    "context_length",
    "maximum model length",
    "prompt is too long",
    "max_model_len",
)
"""What servers say of a prompt that does not fit (OpenAI, vLLM, SGLang, llama.cpp, Anthropic's bridge)."""
_UNKNOWN = (
    "model_not_found",
    "does not exist",
    "not found",
    "not a valid model",
    "no such model",
    "unknown model",
    "invalid model",
)
"""What they say of a model that they do not have."""
_HELD_BACK = ("content_filter", "content management policy", "requires moderation", "was flagged")
"""What they say of a conversation that their filter will not have answered (Azure, OpenRouter, OpenAI)."""
_NO_CREDIT = ("insufficient_quota", "insufficient credits", "insufficient balance", "exceeded your current quota")
"""What they say of an account that is spent (OpenAI says so with 429)."""
_TOO_LARGE = ("request too large", "tokens must be reduced")
"""What OpenAI says, with 429, of one request that is more than a minute's quota: no waiting helps."""
_ASKED = re.compile(r"(?:too large: |max_tokens=)(\d+)|(\d+) in the completion|requested (\d+) output tokens")
_MOST = re.compile(r"maximum context length is (\d+)|max_model_len=(\d+)|at most (\d+) completion tokens")
"""How OpenAI and vLLM, old and new, say how long an answer was asked for, and what there is room for."""

Mistake = Literal["key", "credit", "model", "address", "room"]


class Again(TeacherError):
    """No answer this time; the same call may be answered later."""

    def __init__(self, message: str, *, busy: bool = False, after: float = 0.0, unreachable: bool = False) -> None:
        super().__init__(message)
        self.busy = busy
        """Whether the server said that it has too much to do."""
        self.after = after
        """Seconds that it asked us to stay away."""
        self.unreachable = unreachable
        """Whether there was nobody to talk to."""


def context_full(status: int, text: str) -> bool:
    """Whether a refusal says that the conversation, with the answer that was asked for, does not fit into the model's
    context. Look for a `mistake` first: an answer alone may be too long for any conversation."""
    return status in (400, 413, 422) and _says(text, _FULL)


def held_back(status: int, text: str) -> bool:
    """Whether a refusal says that a filter of the server's will not have this conversation answered."""
    return status in (400, 403) and _says(text, _HELD_BACK)


def mistake(status: int, text: str, model: str) -> Mistake | None:
    """What the user got wrong, where a refusal says that every further call would be refused too."""
    if status == 402 or (status in (403, 429) and _says(text, _NO_CREDIT)):
        return "credit"
    if status in (401, 403):
        return "key"
    if status in (400, 404, 422) and _says(text, (model.lower(), "model_not_found")) and _says(text, _UNKNOWN):
        return "model"
    asked, most = _ASKED.search(text[:_SPOKEN]), _MOST.search(text[:_SPOKEN])
    if status in (400, 422) and asked and most and _number(asked) >= _number(most):
        return "room"
    return "address" if status in (404, 405) else None


def again(status: int, text: str) -> bool:
    """Whether the same call may be answered later."""
    return (status in _AGAIN or status >= 500) and not _says(text, _TOO_LARGE)


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks us to stay away, 120 at most; 0: it does not say, or unreadably.

    Retry-After holds seconds or a date (RFC 9110, 10.2.3); OpenAI's own server adds retry-after-ms.
    """
    with contextlib.suppress(ValueError):
        return _bounded(float(headers.get("retry-after-ms", "")) / 1000)
    header = headers.get("Retry-After", "")
    with contextlib.suppress(ValueError):
        return _bounded(float(header))
    with contextlib.suppress(ValueError, TypeError):
        return _bounded(email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    return 0.0


def _number(found: re.Match[str]) -> int:
    return int(found[found.lastindex or 0])


def _bounded(seconds: float) -> float:
    return min(_LONGEST_WAIT, seconds) if seconds > 0 else 0.0


def _says(text: str, signs: tuple[str, ...]) -> bool:
    low = text[:_SPOKEN].lower()
    return any(sign in low for sign in signs)
