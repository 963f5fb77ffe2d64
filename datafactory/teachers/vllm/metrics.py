"""A vLLM server's own metrics, read from the Prometheus text at /metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Counters end in `_total` or not, by the version of the Prometheus client. A server with several engines (data
# parallel) has one row for each.
_ROW = re.compile(
    rb"^vllm:(num_requests_running|num_requests_waiting|kv_cache_usage_perc|num_preemptions|prefix_cache_queries"
    rb"|prefix_cache_hits)(?:_total)?(?:\{[^}\n]*\})? ([-+0-9.eE]+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a server said of itself at one moment; counts are since it started."""

    running: int = 0
    """Requests that it works on."""
    waiting: int = 0
    """Requests in its own queue."""
    kv: float = 0.0
    """Use of the fullest engine's KV cache, from 0 to 1."""
    preempted: int = 0
    """Requests that it threw out of the cache."""
    queries: int = 0
    """Prompt tokens that it looked for in its prefix cache."""
    hits: int = 0
    """Those that it found there."""


def read(text: bytes) -> Look | None:
    """The numbers in a /metrics page; None: they are not vLLM's."""
    rows: dict[bytes, list[float]] = {}
    for name, value in _ROW.findall(text):
        rows.setdefault(name, []).append(float(value))
    if b"num_requests_running" not in rows:
        return None

    def total(name: bytes) -> int:
        return round(sum(rows.get(name, ())))

    return Look(
        running=total(b"num_requests_running"),
        waiting=total(b"num_requests_waiting"),
        kv=max(rows.get(b"kv_cache_usage_perc", (0.0,))),
        preempted=total(b"num_preemptions"),
        queries=total(b"prefix_cache_queries"),
        hits=total(b"prefix_cache_hits"),
    )


class Counted:
    """Counts that go on growing where a server that was started anew begins at nought again."""

    def __init__(self) -> None:
        self.preempted = 0
        self.queries = 0
        self.hits = 0
        self._last: Look | None = None

    def add(self, look: Look) -> int:
        """Take note of a look; gives the preemptions since the one before it. What a joined server did before the
        first look is not ours."""
        last, self._last = self._last, look
        if last is None:
            return 0
        if look.queries < last.queries or look.preempted < last.preempted:
            last = Look()
        preempted = look.preempted - last.preempted
        self.preempted += preempted
        self.queries += look.queries - last.queries
        self.hits += look.hits - last.hits
        return preempted

    def begin(self) -> None:
        """A server of our own has started: all that it counts from now on is ours."""
        self._last = Look()
