"""Cuts long output to its head and its tail."""

from __future__ import annotations

LIMIT = 10_000
"""Bytes of UTF-8 that an observation may have (Harbor's Terminus 2, and mini-swe-agent's limit too)."""


def clip(text: str, limit: int = LIMIT, *, missing: int = 0) -> str:
    """The first and the last half of `limit` bytes, with a note on what lies between; `missing`: bytes that
    were lost before, from the middle."""
    data = text.encode(errors="replace")
    if len(data) <= limit and not missing:
        return text
    half = min(limit, len(data)) // 2
    head = data[:half].decode(errors="ignore")
    tail = data[len(data) - half :].decode(errors="ignore")
    omitted = len(data) - len(head.encode()) - len(tail.encode()) + missing
    return f"{head}\n[... output limited to {limit} bytes; {omitted} interior bytes omitted ...]\n{tail}"
