"""What the output of a script or of tests says, read as a developer reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RAISED = re.compile(
    r"^(?:E\s+)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Iteration|Warning)\b.*)$", re.M
)
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in (\S+)|^(\S+\.py):(\d+): in (\S+)', re.M)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+\.py(?:::.+?)?)(?: - .*)?$", re.M)
_COUNT = re.compile(r"\b(\d+) (failed|passed|errors?)\b")
_CODE = re.compile(r"^\[?exit code:? -?\d+\]?$|^\[?timed out after .*$", re.M)
_SHELL = re.compile(r"^[\w.-]+@[\w.-]+:[^\n]*[#$] ?.*$|^(?:New Terminal Output|Current Terminal Screen):$", re.M)
_TYPED = re.compile(r"^> ?.*$", re.M)


def printed(seen: str) -> str:
    """What a command printed: without exit codes, prompts, and what was typed."""
    return _CODE.sub("", _TYPED.sub("", _SHELL.sub("", seen))).strip("\n").removeprefix("(no output)")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a script."""

    raised: str
    """Last line of its traceback; empty: it raised nothing."""
    value: str
    """The last line that it printed."""
    hung: bool


def ran(seen: str) -> Ran:
    """Reads the output of a script."""
    text = printed(seen)
    raised = _RAISED.findall(text) if "Traceback (most recent call last)" in text or "SyntaxError" in text else []
    lines = [line for line in text.splitlines() if line.strip()]
    return Ran(
        raised[-1].strip() if raised else "",
        "" if raised or not lines else lines[-1].strip(),
        "timed out after" in seen,
    )


def frames(seen: str, root: str) -> list[tuple[str, int, str]]:
    """Places of the repository in tracebacks, as (path, line, function), outermost first."""
    found = []
    for path, line, name, short, short_line, short_name in _FRAME.findall(seen):
        at = (path or short).removeprefix(f"{root}/")
        if not at.startswith(("/", "<")):
            found.append((at, int(line or short_line), (name or short_name).rpartition(".")[2]))
    return found


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a run of pytest."""

    failing: tuple[str, ...]
    """Ids, as far as its summary was shown."""
    failed: int
    passed: int

    @property
    def known(self) -> bool:
        """Whether it came to an end with a count."""
        return self.failed + self.passed > 0


def tested(seen: str) -> Tested:
    """Reads the end of pytest's output."""
    counts = {"failed": 0, "passed": 0}
    for number, what in _COUNT.findall(seen.rpartition("\n=")[2] or seen)[-6:]:
        counts["passed" if what == "passed" else "failed"] += int(number)
    return Tested(tuple(dict.fromkeys(_FAILED.findall(seen))), counts["failed"], counts["passed"])
