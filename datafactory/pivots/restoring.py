"""A box as it was at a turn: a fresh one, in which the expert's turns before are carried out again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from datafactory.agent import dialect
from datafactory.agent.dialect import Conversation
from datafactory.agent.terminus_parse import parse
from datafactory.errands import carry_off
from datafactory.errors import SandboxError
from datafactory.pivots.actions import Action, action_of
from datafactory.pivots.observing import apart, screen, settled
from datafactory.protocols import Box, Guarded, SandboxHost
from datafactory.types import Message, Reply, Task, Trajectory, digest_of

_PATIENCE = 10.0
"""Seconds that a command at a terminal gets at least."""
_PROMPT = re.compile(r"^[\w.-]+@[\w.-]+:[^\n]*[#$] *$", re.MULTILINE)
_LOOK = 60.0
"""Seconds for looking at what lies in a box."""
_LISTED = 400_000
"""Characters of a list of files that is given whole, which names what differs; sandboxes drop what is past a limit."""
_FOOTPRINT = r"""
cd "$1" 2>/dev/null || exit 0
skip='( -name .git -o -name __pycache__ -o -name .pytest_cache ) -prune -o'
all=$({
find . -xdev $skip -type d -print
find . -xdev $skip -type f -perm -100 -exec printf 'x %s\n' {} +
find . -xdev $skip -type l -exec sh -c 'for at; do printf "%s -> %s\n" "$at" "$(readlink "$at")"; done' sh {} +
find . -xdev $skip -type f -exec sha256sum {} +
} | LC_ALL=C sort)
[ ${#all} -le "$2" ] && printf '%s\n' "$all" && exit
printf '%s  %s files and folders\n' \
    "$(printf '%s' "$all" | sha256sum | cut -c 1-64)" "$(printf '%s\n' "$all" | grep -c -v '^x ')"
"""
_SHELL = "pwd; export -p"
_FLEETING = ("_=", "OLDPWD", "SHLVL=")


@dataclass(frozen=True, slots=True)
class Differs:
    """The expert's turns, carried out again, do not show what they showed before."""

    where: str
    """After which turn, and what is seen there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the turns of one attempt are carried out again."""

    host: SandboxHost
    task: Task
    attempt: Trajectory
    command_seconds: float = 600.0
    """What one command may take at most."""
    turn_seconds: float = 900.0
    """What all commands of a turn may take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a turn."""

    seen: str
    """What was read next, in one spelling."""
    shell: str = ""
    """Folder and exported variables of the shell; at a terminal the prompt shows the folder."""
    files: frozenset[str] = frozenset()
    """What lies in the task's folder, and its artifacts: a line for each, with a checksum."""
    submitted: bool = False


async def carried_out(place: Place, turn: int, message: Message | None) -> Outcome | Differs:
    """What comes of `message` in the place of the expert's answer at `turn` (its place among the messages), in a box
    restored by replay; None: of the expert's own. Raises SandboxError."""
    task, attempt = place.task, place.attempt
    async with place.host.open(task.image, task.files, workdir=task.workdir, prepare=task.prepare) as box:
        conversation = dialect(attempt.agent)(task, box)
        await conversation.opening()
        for at, said in enumerate(attempt.messages[:turn]):
            if said.role == "assistant":
                seen, _ = await _take(conversation, said, place, at)
                if differs := _held_against(attempt, at, seen):
                    return differs
        acting = message or attempt.messages[turn]
        seen, submitted = await _take(conversation, acting, place, turn)
        if message is None and (differs := _held_against(attempt, turn, seen)):
            return differs
        action = action_of(acting, attempt.agent, attempt.tools)
        return await _outcome(box, place, seen, action, submitted=submitted)


async def _take(
    conversation: Conversation, message: Message, place: Place, at: int
) -> tuple[tuple[Message, ...], bool]:
    """What is seen after `message`, and whether it hands the work in; the expert's stands at `at`."""
    waited = place.attempt.agent == "terminus-2" and _PROMPT.search(_text(_seen(place.attempt, at)))
    reply = Reply(message=_patient(message) if waited else message)
    turn = await conversation.take(reply, seconds=place.command_seconds, left=place.turn_seconds)
    return turn.seen, turn.submitted


def _patient(message: Message) -> Message:
    """The answer with more time for its commands, which costs nothing where they end: where the expert's did, what
    comes of them must not depend on how busy the machine is. A wait stays as long as it was, and so does an answer with
    a remark on its form, which the terminal would no longer show."""
    answer = parse(message.content)
    if answer.error or answer.warnings or not all(keys.text.strip() for keys in answer.commands):
        return message
    commands = [{"keystrokes": keys.text, "duration": max(keys.seconds, _PATIENCE)} for keys in answer.commands]
    said = {"analysis": answer.analysis, "plan": answer.plan, "commands": commands, "task_complete": answer.complete}
    return message.but(content=json.dumps(said, ensure_ascii=False))


def _held_against(attempt: Trajectory, turn: int, seen: Sequence[Message]) -> Differs | None:
    """Whether a turn shows now what it showed then."""
    if turn < attempt.compacted:
        return None  # the row no longer has what was shown then
    before, now = (settled(_text(each), now=None) for each in (_seen(attempt, turn), seen))
    if before == now:
        return None
    number = sum(said.role == "assistant" for said in attempt.messages[:turn])
    return Differs(f"after turn {number}, then and now: {apart(before, now)}")


def _seen(attempt: Trajectory, turn: int) -> tuple[Message, ...]:
    """What the expert saw after the answer that stands at `turn`."""
    after = attempt.messages[turn + 1 :]
    return after[: next((n for n, said in enumerate(after) if said.role == "assistant"), len(after))]


def _text(seen: Sequence[Message]) -> str:
    return "\n".join(message.content for message in seen)


async def _outcome(box: Box, place: Place, seen: Sequence[Message], action: Action, *, submitted: bool) -> Outcome:
    terminal = place.attempt.agent == "terminus-2"
    shown = screen(_text(seen), action) if terminal else _text(seen)
    shell = "" if terminal or isinstance(box, Guarded) else await _shell(box)
    inside = box.inside if isinstance(box, Guarded) else box
    files = await inside.exec(["sh", "-c", _FOOTPRINT, "sh", place.task.workdir, str(_LISTED)], timeout=_LOOK)
    if files.timed_out or files.dropped:
        raise SandboxError(f"{place.task.workdir} holds too much to be looked at in {_LOOK:g} s")
    lines = frozenset(files.stdout.decode(errors="replace").splitlines())
    carried, note = await carry_off(box, place.task)
    lines |= {f"{digest_of(file.model_dump(mode='json'))}  {path}" for path, file in carried.items()} | {note}
    moment = datetime.now(UTC).replace(tzinfo=None)
    return Outcome(settled(shown, now=moment), shell, lines, submitted)


async def _shell(box: Box) -> str:
    said = (await box.exec(_SHELL)).output.splitlines()
    return "\n".join(line for line in said if not line.removeprefix("declare -x ").startswith(_FLEETING))


def difference(expected: Outcome, other: Outcome) -> str:
    """What came out otherwise than for the expert, in a line; empty: nothing."""
    if expected.submitted != other.submitted:
        return f"{'only the expert' if expected.submitted else 'it, and not the expert,'} hands the work in"
    if expected.files != other.files:
        one, two = (sorted(a.files - b.files) for a, b in ((expected, other), (other, expected)))
        return f"files differ: {_few(one)} for the expert, {_few(two)} here"
    if expected.shell != other.shell:
        return f"the shell differs: {apart(expected.shell, other.shell)}"
    return f"what is seen differs: {apart(expected.seen, other.seen)}" if expected.seen != other.seen else ""


def _few(lines: Sequence[str]) -> str:
    named = ", ".join(line.rpartition("  ")[2] for line in lines[:3])
    return f"{named}{' ...' if lines[3:] else ''}" or "none"
