"""What an agent saw, without what is another at every run: the time, temporary names, the echo of what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from datafactory.pivots.actions import Action

_NEAR = timedelta(days=2)
"""How far from now a time may be and still be the clock's and not the data's; zones of time included."""
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_ISO = re.compile(r"\b(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?Z\b| ?[+-]\d{2}:?\d{2})?)?")
_LISTED = re.compile(rf"\b({_MONTHS}) {{1,2}}(\d{{1,2}}) +(\d{{1,2}}:\d{{2}}(?::\d{{2}})?|\d{{4}}\b)")
_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[\w.-]+@[\w.-]+:", re.MULTILINE), "user@box:"),
    (re.compile(r"\b(?:in|took|elapsed:?) \d+(?:\.\d+)? ?(?:ms|s|seconds?)\b"), "in <time>"),
    (re.compile(r"^(real|user|sys)\s+\d+m[\d.]+s$", re.MULTILINE), r"\1 <time>"),
    (re.compile(r"\bat 0x[0-9a-f]{6,16}\b"), "at <address>"),
    (re.compile(r"/tmp/tmp[.\w]+"), "/tmp/<name>"),
    (re.compile(r"^(\[\d+\][+-]?) +\d+$", re.MULTILINE), r"\1 <process>"),
    (re.compile(r"/\.terminal-\d+"), "/.terminal"),
)
_SCREEN = re.compile(r"(?:New Terminal Output|Current Terminal Screen):\n")


def settled(text: str, *, now: datetime | None) -> str:
    """The text as it would be at any time in any box: no prompt's host, durations, addresses, temporary names, and no
    times. `now`: only times within two days of it are taken out, since others are data; None: all are."""
    for pattern, instead in _PLAIN:
        text = pattern.sub(instead, text)
    text = _ISO.sub(_unless(now, _iso), text)
    text = _LISTED.sub(_unless(now, _listed), text)
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


def screen(text: str, action: Action) -> str:
    """What a terminal showed, without remarks on the answer's form and without the lines on which `action` was typed,
    so that two commands in one line or in two can show the same. The last line, the prompt, stays."""
    begins = _SCREEN.search(text)
    shown = text[begins.end() :] if begins else text
    *lines, last = shown.rstrip("\n").split("\n")
    typed = {line.strip() for move in action.moves for part in move.text for line in part.split("\n")} - {""}
    return "\n".join([line for line in lines if not _echo(line, typed)] + [last])


def _echo(line: str, typed: set[str]) -> bool:
    """Whether a line is a prompt, with what was typed or nothing behind it."""
    behind = re.match(r"(?:[\w.-]+@[\w.-]+:[^#$]*[#$]|>)(?: (.*))?\Z", line)
    if behind is None:
        return False
    said = " ".join((behind[1] or "").split())
    return not said or any(said == " ".join(one.split()) for one in typed)


def _unless(now: datetime | None, read: Callable[[re.Match[str], int], datetime | None]) -> Callable[..., str]:
    def instead(found: re.Match[str]) -> str:
        when = read(found, now.year) if now is not None else None
        far = now is not None and (when is None or abs(when - now) > _NEAR)
        return found[0] if far else "<time>"

    return instead


def _iso(found: re.Match[str], year: int) -> datetime | None:
    return _read(found[1], "%Y-%m-%d")


def _listed(found: re.Match[str], year: int) -> datetime | None:
    """As `ls -l` shows times; older ones have a year."""
    return _read(f"{found[1]} {found[2]} {year if ':' in found[3] else found[3]}", "%b %d %Y")


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def apart(one: str, other: str, *, room: int = 200) -> str:
    """In a line: where two texts begin to differ, and how both go on."""
    lines, others = one.split("\n"), other.split("\n")
    longest = max(len(lines), len(others))
    both: Sequence[tuple[str, str]] = [
        (lines[n] if n < len(lines) else "(nothing)", others[n] if n < len(others) else "(nothing)")
        for n in range(longest)
    ]
    number, (a, b) = next((n, pair) for n, pair in enumerate(both, 1) if pair[0] != pair[1])
    return f"line {number}: {a[:room]!r} and {b[:room]!r}"
