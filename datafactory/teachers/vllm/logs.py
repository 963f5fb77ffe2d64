"""Logs of the servers that the factory starts: where they are, and which of their lines explain a failure."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datafactory.errors import RunError
from datafactory.local import state_folder

REPORTS = "reports.jsonl"
"""A line for each fleet that was closed: what `VLLMChat.report` said at its end."""
KEPT = 32
"""Logs that stay; older ones are deleted when a new one is made."""
_TAIL = 256 << 10
"""Bytes at a log's end in which an explanation is looked for."""
_PREFIX = re.compile(r"^(?:\([\w ]+pid=\d+\) ?)?(?:(?:ERROR|CRITICAL) \d\d-\d\d [\d:]+ \[[^\]]*\] ?)?")
_REASON = re.compile(r"^(?:[\w.]*(?:Error|Exception|Exit)\b: .|[\w .-]*: error: |.*: No such file or directory$)")
_EMPTY = re.compile(r"[Ss]ee (?:root cause above|stack trace)|EngineDeadError|CancelledError|^SystemExit")
"""Reasons that only point to another."""


def folder() -> Path:
    """Where logs are kept: `datafactory/vllm` in XDG_STATE_HOME, or in ~/.local/state; where neither can be written, in
    the folder of temporary files. Raises RunError where nothing can."""
    for place in (state_folder() / "vllm", Path(tempfile.gettempdir()) / f"datafactory-{os.getuid()}" / "vllm"):
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            if os.access(place, os.W_OK):
                return place
    raise RunError(f"no folder for vllm's logs can be written; name one in XDG_STATE_HOME (tried {place})")


def fresh(model: str, replica: int) -> Path:
    """A new log for one replica, and its folder; the oldest of too many are deleted."""
    place = folder()
    old = sorted(place.glob("*.log"), key=lambda path: path.stat().st_mtime if path.exists() else 0.0)
    for path in old[: max(0, len(old) - KEPT + 1)]:
        path.unlink(missing_ok=True)
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", model.rstrip("/").rpartition("/")[2]).strip("-")
    path = place / f"{slug}-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{replica}.log"
    path.touch()
    return path


def explanation(path: Path, *, since: int = 0, lines: int = 4) -> str:
    """The lines of a log from byte `since` on that say why a server ended: its errors' last words, or else its own."""
    try:
        with path.open("rb") as log:
            log.seek(max(since, path.stat().st_size - _TAIL))
            text = log.read().decode(errors="replace")
    except OSError as error:
        return f"(its log cannot be read: {error})"
    said = [_PREFIX.sub("", line).strip() for line in text.splitlines()]
    said = [line for line in said if line]
    reasons = [line for line in said if _REASON.match(line)]
    told = [line for line in reasons if not _EMPTY.search(line)] or reasons or said
    return "\n".join(f"  {line[:500]}" for line in list(dict.fromkeys(told))[-lines:]) or "  (its log is empty)"


def write_report(report: Mapping[str, Any]) -> None:
    """Put what a fleet did on file, beside the logs."""
    place = folder()
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    with (place / REPORTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"ended": ended, "pid": os.getpid(), **report}) + "\n")
