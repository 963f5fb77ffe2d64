"""Reads a Terminus 2 answer: one JSON object, its faults named, its small slips put right with a warning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datafactory.agent.keys import Keys, pressed

FIELDS = ("analysis", "plan", "commands", "task_complete")
_DURATION = 1.0
"""Seconds of a command that names none."""
_TRIES = 20
"""Opening braces that are looked at; a model that loops writes thousands."""
_DEEPEST = 32
"""Brackets within brackets in an answer that is completed; an answer of the right shape has four."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says; with an `error` nothing in it is carried out."""

    commands: tuple[Keys, ...] = ()
    complete: bool = False
    analysis: str = ""
    plan: str = ""
    error: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def feedback(self) -> str:
        """Error and warnings as the model reads them; empty: all was well."""
        said = [f"ERROR: {self.error}"] if self.error else []
        if self.warnings:
            said.append("WARNINGS: " + "\n".join(f"- {warning}" for warning in self.warnings))
        return "\n".join(said)


@dataclass
class _Reading:
    """The text on its way to an object."""

    warnings: list[str] = field(default_factory=list)
    error: str = ""

    def fixed(self, what: str) -> None:
        self.warnings.insert(0, f"AUTO-CORRECTED: {what} - please fix this in future responses")


def parse(text: str) -> Answer:
    """Understand one answer. Pure; a leading ``<think>`` block is not part of it."""
    reading = _Reading()
    said = _object(_THOUGHT.sub("", text), reading)
    if said is None:
        return Answer(error=reading.error, warnings=tuple(reading.warnings))
    missing = [name for name in FIELDS[:3] if name not in said]
    if missing:
        return Answer(error=f"Missing required fields: {', '.join(missing)}", warnings=tuple(reading.warnings))
    warnings = reading.warnings
    _check_shape(said, warnings)
    complete = _is_true(said.get("task_complete", False), warnings)
    commands, error = _commands(said["commands"], warnings)
    if error and complete:
        # A finished task is not held up by a command that nobody needs any more.
        warnings.append(error)
        commands, error = [], ""
    return Answer(
        commands=() if error else tuple(commands),
        complete=complete and not error,
        analysis=_text(said["analysis"]),
        plan=_text(said["plan"]),
        error=error,
        warnings=tuple(warnings),
    )


def _object(text: str, reading: _Reading) -> dict[str, Any] | None:
    """The JSON object in the text, repaired where that is safe; None, with the reading's error, where there is none."""
    whole, problem = _load(text)
    if isinstance(whole, dict):
        return whole
    if whole is not None or "{" not in text:
        reading.error = "The JSON must be an object" if whole is not None else "No valid JSON found in response"
        return None
    other: tuple[dict[str, Any], int, int] | None = None
    for start, end in _spans(text):
        found, problem_here = _load(text[start:end])
        if found is None:
            found = _without_control(text[start:end], reading)
        if isinstance(found, dict) and FIELDS[2] in found:
            _around(text, start, end, reading)
            return found
        if isinstance(found, dict) and found.keys() & set(FIELDS):
            other = other or (found, start, end)
        problem = problem_here or problem
    if other is not None:
        _around(text, other[1], other[2], reading)
        return other[0]
    return _completed(text, reading, problem)


def _load(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text), ""
    except ValueError as error:
        return None, str(error)
    except RecursionError:
        return None, "nested too deeply"


def _without_control(text: str, reading: _Reading) -> Any:
    """JSON whose strings hold raw newlines and tabs, which the standard forbids."""
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    reading.fixed("Escaped raw control characters inside strings")
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Balanced ``{...}`` stretches, braces in strings not counted, outermost first."""
    position = text.find("{")
    for _ in range(_TRIES):
        if position < 0:
            return
        end = _balanced(text, position)
        if end is None:
            position = text.find("{", position + 1)
            continue
        yield position, end
        position = text.find("{", end)


def _balanced(text: str, start: int) -> int | None:
    depth, quoted, escaped = 0, False, False
    for position in range(start, len(text)):
        char = text[position]
        if quoted:
            quoted, escaped = (char != '"' or escaped), (char == "\\" and not escaped)
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return position + 1
    return None


def _around(text: str, start: int, end: int, reading: _Reading) -> None:
    """Warn of what stands around the object."""
    before, after = text[:start].strip(), text[end:].strip()
    if before:
        reading.warnings.append("Extra text detected before JSON object")
    if after:
        reading.warnings.append("Extra text detected after JSON object")
    if before or after:
        reading.fixed("Extracted JSON from mixed content")


def _completed(text: str, reading: _Reading, problem: str) -> dict[str, Any] | None:
    """The object of an answer that was cut off, with what is missing at its end put back."""
    start = text.find("{")
    for ending in _endings(text[start:]):
        found, _ = _load(ending)
        if isinstance(found, dict) and FIELDS[2] in found:
            if text[:start].strip():
                reading.warnings.append("Extra text detected before JSON object")
            reading.fixed("Completed truncated JSON")
            return found
    reading.error = f"Invalid JSON: {problem}" if problem else "No valid JSON found in response"
    return None


def _endings(text: str) -> Iterator[str]:
    """The text closed at its end, and, where that is no JSON, cut back to its last whole value."""
    stack: list[str] = []
    quoted = escaped = False
    whole: list[tuple[int, tuple[str, ...]]] = []
    for position, char in enumerate(text):
        if quoted:
            quoted, escaped = (char != '"' or escaped), (char == "\\" and not escaped)
            continue
        if char == '"':
            quoted = True
        elif char in "{[":
            stack.append("}" if char == "{" else "]")
            if len(stack) > _DEEPEST:
                return
        elif char in "}]":
            if not stack or stack.pop() != char:
                return
            whole.append((position + 1, tuple(reversed(stack))))
        elif char == ",":
            whole.append((position, tuple(reversed(stack))))
    if not quoted:
        yield text.rstrip().rstrip(",") + "".join(reversed(stack))
    # A command cut in the middle of its keystrokes is dropped rather than typed half.
    for position, closing in reversed(whole[-8:]):
        yield text[:position] + "".join(closing)


def _check_shape(said: dict[str, Any], warnings: list[str]) -> None:
    for name in ("analysis", "plan"):
        if not isinstance(said[name], str):
            warnings.append(f"Field '{name}' should be a string")
    present = [name for name in said if name in FIELDS]
    if present != [name for name in FIELDS if name in said]:
        warnings.append(f"Fields appear in the wrong order: found {', '.join(present)}; expected {', '.join(FIELDS)}")


def _is_true(value: Any, warnings: list[str]) -> bool:
    if isinstance(value, bool) or value is None:
        return bool(value)
    warnings.append("Field 'task_complete' should be true or false")
    return isinstance(value, str) and value.strip().lower() in ("true", "yes", "1")


def _commands(value: Any, warnings: list[str]) -> tuple[list[Keys], str]:
    if not isinstance(value, list):
        return [], "Field 'commands' must be an array"
    made: list[Keys] = []
    for index, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            return [], f"Command {index} must be an object"
        if "keystrokes" not in item:
            return [], f"Command {index} missing required 'keystrokes' field"
        if not isinstance(item["keystrokes"], str):
            return [], f"Command {index} 'keystrokes' must be a string"
        unknown = [str(key) for key in item if key not in ("keystrokes", "duration")]
        if unknown:
            warnings.append(f"Command {index}: Unknown fields: {', '.join(unknown)}")
        made.append(Keys(item["keystrokes"], _duration(item, index, warnings)))
        if index < len(value) and item["keystrokes"] and not _ends(item["keystrokes"]):
            warnings.append(
                f"Command {index} should end with newline when followed by another command. "
                "Otherwise the two commands will be concatenated on the same line."
            )
    return made, ""


def _ends(keystrokes: str) -> bool:
    return keystrokes.endswith("\n") or pressed(keystrokes) is not None


def _duration(item: dict[str, Any], index: int, warnings: list[str]) -> float:
    if "duration" not in item:
        warnings.append(f"Command {index}: Missing duration field, using default {_DURATION}")
        return _DURATION
    value = item["duration"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        warnings.append(f"Command {index}: Invalid duration value, using default {_DURATION}")
        return _DURATION
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
