"""What a check's exit status, its words and the score that it left come to: passed, failed or crashed.

Exported tasks carry a copy of this file: it needs Python 3.8 and nothing else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from typing import Literal

Ruling = Literal["passed", "failed", "crashed"]

GENUINE = ("AssertionError", "OSError", "FileNotFoundError", "IsADirectoryError", "NotADirectoryError", "Failed")
"""Exceptions that speak of the attempt (a wrong or missing product), not of a broken check."""

_PYTHON = re.compile(
    r"^(?:E\s+)?(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Iteration|Warning))\b", re.M
)

_UNPARSED = re.compile(r"^(?:Syntax|Indentation|Tab)Error: .*\s*\Z", re.M)
"""How Python ends where the program that it was given does not parse: without a traceback."""

_FRAME = re.compile(r'^\s*File "([^"]+)", line \d+', re.M)
_LIBRARY = re.compile(r"/(?:python3[^/]*|site-packages|dist-packages)/|^<frozen ")


def rule(status: int, stdout: bytes, stderr: bytes, own: Collection[str]) -> Ruling:
    """`passed`, `failed` or `crashed`; `own`: paths of the check's programs, as tracebacks name them."""
    if status == 0:
        return "passed"
    said, report = stderr.decode(errors="replace"), stdout.decode(errors="replace")
    return "crashed" if status != 1 or _broke(said, report, own) else "failed"


def _broke(said: str, report: str, own: Collection[str]) -> bool:
    """Whether an exit status of 1 came from an exception that is no verdict (a bare traceback, or pytest's report)."""
    if "Traceback (most recent call last)" in said or _UNPARSED.search(said):
        trace = said.rpartition("Traceback (most recent call last)")[2]
        raised = _PYTHON.findall(trace)
        return bool(raised) and raised[-1] not in GENUINE and _is_own(trace, own)
    if "short test summary info" not in report and " FAILURES " not in report:
        return False
    raised = _PYTHON.findall(report)
    plain = re.search(r"^E\s+assert\b", report, re.M)
    return bool(raised) and not plain and not any(name in GENUINE for name in raised)


def _is_own(trace: str, own: Collection[str]) -> bool:
    """Whether the check raised it, rather than the attempt's program that it ran or imported: by the deepest frame
    outside libraries."""
    frames = [file for file in _FRAME.findall(trace) if not _LIBRARY.search(file)]
    return not frames or frames[-1] in own or frames[-1] in ("<string>", "<stdin>")


def read_score(path: str, data: bytes | None) -> tuple[Ruling, float, str]:
    """Outcome, score and complaint of a file by Harbor's rules: one number, or a flat JSON object with `reward`
    (or of one key); None: there is no such file."""
    if data is None:
        return "crashed", 0.0, f"\nno reward in {path}"
    try:
        value = json.loads(data)
        if isinstance(value, dict):
            value = value["reward"] if "reward" in value else math.fsum(value.values()) / len(value)
        score = float(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        return "crashed", 0.0, f"\n{path} holds no number: {error}"
    if not 0.0 <= score <= 1.0:
        return "crashed", 0.0, f"\n{path} holds {score}, not a number from 0 to 1"
    return ("passed" if score == 1.0 else "failed"), score, ""
