"""How the oracle reacts to what it sees: it waits for what still runs, and looks into errors that it did not plan."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from shlex import quote

from datafactory.teachers.oracle.desk import Story
from datafactory.teachers.oracle.plan import Act, Beat, plan
from datafactory.teachers.oracle.words import say
from datafactory.types import Message, Task

_WAITS = (5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 60.0, 60.0)
"""Seconds of one wait after another, for a command that does not end."""

_PROMPT = re.compile(r"[\w.-]+@[\w.-]+:[^\n]*[#$] ?\Z")
_ERROR = re.compile(
    r"^(?:(?:-?bash|sh|/bin/\w+): .*(?:command not found|No such file|syntax error|ermission denied|annot|nvalid).*"
    r"|Traceback \(most recent call last\):"
    r"|\w[\w.+-]*: (?:cannot|can't|unrecognized|invalid|missing|fatal|error).*"
    r"|\w[\w.+-]*: .*: No such file or directory"
    r"|(?:\w+\.)?[A-Z]\w*Error: .*)$",
    re.MULTILINE,
)
_FAILED = re.compile(r"^(?:exit code: (?!0\b)-?\d+|timed out after .*)", re.MULTILINE)
_UNREPEATABLE = re.compile(
    r">>|\btee\s+-a|\b(?:sed|perl)\s+-\w*i|\bxargs\b|-exec\b|-delete\b|,\s*[\"']a[b+]?[\"']"
    r"|(?:^|[;&|({])\s*(?:cd\s+[^/\s]|(?:mv|rm|rmdir|patch|git|ln|gzip|gunzip|unzip|zip|tar|kill|dd|shred|truncate|split"
    r"|exit|pushd|popd|useradd|pip3?|npm|chmod|sqlite3)\b)",
    re.MULTILINE,
)


def next_beat(task: Task, seed: int, slip: float, agent: str, messages: Sequence[Message]) -> Beat:
    """The turn that follows on `messages`: the plan, with a reaction put in wherever an observation asked for one."""
    waiting = list(_plan(task, seed, slip))
    for number, seen in enumerate(observations(messages)):
        beat = waiting.pop(0)
        rng = random.Random(f"{seed} {task.digest} {number}")
        error = _error(seen)
        added = _reaction(task, beat, seen, error, agent, rng)
        if error and not added and waiting and waiting[0].kind in ("act", "check", "done"):
            waiting[0] = _sobered(beat, waiting[0], error, rng)
        elif added and added[-1].kind == "error" and waiting:
            waiting[0] = replace(waiting[0], analysis=say(rng, "anyway_analysis"))
        waiting = added + waiting
        if not waiting:
            return replace(beat, kind="done", acts=())
    return waiting[0]


def told_beat(turns: Story[None], agent: str, seed: int, messages: Sequence[Message]) -> Beat:
    """The turn of a story that follows on `messages`; at a terminal it waits until the prompt is back."""
    beat, seen, waited = next(turns), "", 0
    current = beat
    for number, part in enumerate(observations(messages)):
        seen += part
        if agent == "terminus-2" and beat.kind != "done" and not _PROMPT.search(part) and waited < len(_WAITS):
            rng = random.Random(f"{seed} {number}")
            current = Beat("wait", say(rng, "wait_analysis"), say(rng, "wait_plan"), (Act("", _WAITS[waited]),))
            waited += 1
            continue
        current = beat = turns.send(seen)
        seen, waited = "", 0
    return current


_PLANS = lru_cache(maxsize=1024)(lambda key: plan(key.task, key.seed, key.slip))


def _plan(task: Task, seed: int, slip: float) -> list[Beat]:
    return _PLANS(_Key(task, seed, slip))


class _Key:
    """A plan's key: tasks are large, and their digest stands for them."""

    def __init__(self, task: Task, seed: int, slip: float) -> None:
        self.task, self.seed, self.slip = task, seed, slip
        self._same = (task.id, task.digest, seed, slip)

    def __hash__(self) -> int:
        return hash(self._same)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._same == other._same


def observations(messages: Sequence[Message]) -> list[str]:
    """What was seen after each assistant turn."""
    seen: list[list[str]] = []
    for message in messages:
        if message.role == "assistant":
            seen.append([])
        elif seen:
            seen[-1].append(message.content)
    return ["\n".join(parts) for parts in seen]


def _sobered(beat: Beat, following: Beat, error: str, rng: random.Random) -> Beat:
    """The next turn without its cheer, where a second try or a check showed an error."""
    if beat.kind == "act":
        return replace(following, analysis=say(rng, "anyway_analysis"))
    if beat.kind == "check":
        return replace(following, analysis=say(rng, "doubt_analysis", error=error))
    return following


def _reaction(task: Task, beat: Beat, seen: str, error: str, agent: str, rng: random.Random) -> list[Beat]:
    """Turns to put in before the plan goes on."""
    if agent == "terminus-2" and beat.kind != "done" and not _PROMPT.search(seen):
        waited = beat.tries if beat.kind == "wait" else 0
        if waited < len(_WAITS):
            pause = Act("", _WAITS[waited])
            return [Beat("wait", say(rng, "wait_analysis"), say(rng, "wait_plan"), (pause,), waited + 1)]
    if beat.kind != "act" or beat.tries or not error:
        return []
    look = Act(f"ls -la {quote(task.workdir)}")
    beats = [Beat("error", say(rng, "error_analysis", error=error), say(rng, "error_plan"), (look,))]
    if not any(_UNREPEATABLE.search(act.command) for act in beat.acts):
        beats.append(replace(beat, analysis=say(rng, "retry_analysis"), tries=1))
    return beats


def _error(seen: str) -> str:
    """The error that an observation shows, in a line; empty: none."""
    lines = [match.group() for match in _ERROR.finditer(seen)]
    if lines:
        return f"`{lines[-1][:160]}`"
    failed = _FAILED.search(seen)
    return f"`{failed.group()}`" if failed else ""
