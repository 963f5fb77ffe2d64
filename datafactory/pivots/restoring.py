"""A box as it was at a turn: a fresh one, in which the expert's turns before are carried out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from datafactory.agent import dialect
from datafactory.agent.dialect import Conversation
from datafactory.errands import carry_off
from datafactory.errors import SandboxError
from datafactory.pivots.actions import Action, action_of
from datafactory.pivots.observing import apart, screen, settled
from datafactory.protocols import Box, Guarded, SandboxHost
from datafactory.types import Message, Reply, Task, Trajectory, digest_of

_LOOK = 60.0
"""Seconds for looking at what lies in a box."""
_FOOTPRINT = r"""
cd "$1" 2>/dev/null || exit 0
skip='( -name .git -o -name __pycache__ -o -name .pytest_cache ) -prune -o'
find . -xdev $skip -type d -print
find . -xdev $skip -type f -perm -100 -exec printf 'x %s\n' {} +
find . -xdev $skip -type l -exec sh -c 'for at; do printf "%s -> %s\n" "$at" "$(readlink "$at")"; done' sh {} +
find . -xdev $skip -type f -exec sha256sum {} +
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
    """What lies in the task's folder: a line for each, with a checksum."""
    artifacts: str = ""
    """Digest of the task's artifacts."""
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
                seen, _ = await _take(place, conversation, said)
                if differs := _held_against(attempt, at, seen):
                    return differs
        acting = message or attempt.messages[turn]
        seen, submitted = await _take(place, conversation, acting)
        if message is None and (differs := _held_against(attempt, turn, seen)):
            return differs
        action = action_of(acting, attempt.agent, attempt.tools)
        return await _outcome(box, place, seen, action, submitted=submitted)


async def _take(place: Place, conversation: Conversation, message: Message) -> tuple[tuple[Message, ...], bool]:
    reply = Reply(message=message.but(fault=None, logprobs=None))
    turn = await conversation.take(reply, seconds=place.command_seconds, left=place.turn_seconds)
    return turn.seen, turn.submitted


def _held_against(attempt: Trajectory, turn: int, seen: Sequence[Message]) -> Differs | None:
    """Whether a turn shows now what it showed then."""
    if turn < attempt.compacted:
        return None  # the row no longer has what was shown then
    after = attempt.messages[turn + 1 :]
    then = after[: next((n for n, said in enumerate(after) if said.role == "assistant"), len(after))]
    before, now = (settled(_text(each), now=None) for each in (then, seen))
    if before == now:
        return None
    number = sum(said.role == "assistant" for said in attempt.messages[:turn])
    return Differs(f"after turn {number}, then and now: {apart(before, now)}")


def _text(seen: Sequence[Message]) -> str:
    return "\n".join(message.content for message in seen)


async def _outcome(box: Box, place: Place, seen: Sequence[Message], action: Action, *, submitted: bool) -> Outcome:
    terminal = place.attempt.agent == "terminus-2"
    shown = screen(_text(seen), action) if terminal else _text(seen)
    shell = "" if terminal or isinstance(box, Guarded) else await _shell(box)
    inside = box.inside if isinstance(box, Guarded) else box
    files = await inside.exec(["sh", "-c", _FOOTPRINT, "sh", place.task.workdir], timeout=_LOOK)
    if files.timed_out or files.dropped:
        raise SandboxError(f"{place.task.workdir} holds too much to be looked at in {_LOOK:g} s")
    lines = frozenset(files.stdout.decode(errors="replace").splitlines())
    carried, note = await carry_off(box, place.task)
    artifacts = digest_of([{path: file.model_dump(mode="json") for path, file in carried.items()}, note])
    moment = datetime.now(UTC).replace(tzinfo=None)
    return Outcome(settled(shown, now=moment), shell, lines, artifacts, submitted)


async def _shell(box: Box) -> str:
    said = (await box.exec(_SHELL)).output.splitlines()
    return "\n".join(line for line in said if not line.removeprefix("declare -x ").startswith(_FLEETING))


def difference(expected: Outcome, other: Outcome) -> str:
    """What came out otherwise, in a line; empty: nothing."""
    if expected.submitted != other.submitted:
        return f"{'only the expert' if expected.submitted else 'it, and not the expert,'} hands the work in"
    if expected.files != other.files:
        one, two = (sorted(a.files - b.files) for a, b in ((expected, other), (other, expected)))
        return f"files differ: {_few(one)} for the expert, {_few(two)} here"
    if expected.artifacts != other.artifacts:
        return "the artifacts differ"
    if expected.shell != other.shell:
        return f"the shell differs: {apart(expected.shell, other.shell)}"
    return f"what is seen differs: {apart(expected.seen, other.seen)}" if expected.seen != other.seen else ""


def _few(lines: Sequence[str]) -> str:
    return (
        ", ".join(line.rpartition("  ")[2] for line in lines[:3]) + (" ..." if lines[3:] else "") if lines else "none"
    )
