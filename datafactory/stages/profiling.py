"""How a policy does at one turn: it answers the same history several times, and each answer is held against the
expert's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from datafactory.errors import SandboxError, TeacherError, boundary
from datafactory.pivots import (
    SCHEMA,
    Action,
    Differs,
    Match,
    Outcome,
    Place,
    action_of,
    carried_out,
    difference,
    matched,
    question,
    read_word,
)
from datafactory.protocols import Episode, Sandbox, Teacher
from datafactory.run import Run
from datafactory.stages.live import host_of, line_to
from datafactory.types import LocalRollout, Message, Reply, Rung, Task, Trajectory, Usage, digest_of

ASKED = 2
"""How often a judge is asked until its answer can be read."""
NOTE = 1000
"""Characters of a note."""


@dataclass(frozen=True)
class Moment:
    """One turn of one attempt."""

    attempt: Trajectory
    task: Task
    turn: int
    """Which of the expert's answers it is, from 0."""
    place: int
    """Where that stands among the messages."""

    @property
    def key(self) -> str:
        """`<task>/<attempt>/<turn>`."""
        return f"{self.attempt.id}/{self.turn}"

    @property
    def history(self) -> tuple[Message, ...]:
        """What was said before."""
        return self.attempt.messages[: self.place]

    @property
    def expected(self) -> Message:
        """What the expert said."""
        return self.attempt.messages[self.place]


@dataclass(frozen=True)
class Answers:
    """What a policy answered, in order."""

    replies: tuple[Reply, ...]
    teacher: Teacher
    """Who answered; of a mix, first."""

    @property
    def usage(self) -> Usage:
        """Tokens of all."""
        return sum((reply.usage for reply in self.replies), Usage())


async def answers(moment: Moment, teacher: Teacher, run: Run[Any], *, count: int) -> Answers:
    """`count` answers to the history, each on a line of its own: what was paid for is not asked again. Raises
    TeacherError, BudgetSpent."""
    replies: list[Reply] = []
    first: Teacher | None = None
    attempt = moment.attempt
    for number in range(count):
        name = f"{moment.key}/{number}"
        episode = Episode(id=name, seed=_seed(run, name), task=moment.task, agent=attempt.agent)
        line = await line_to(run, teacher, scope=f"pivot:{name}", episode=episode)
        first = first or line.teacher
        with boundary(TeacherError, "asking the policy"):
            replies.append(await line.reply(moment.history, tools=attempt.tools, episode=episode))
    return Answers(tuple(replies), first or teacher)


@dataclass
class Scorer:
    """Holds answers at one moment against the expert's: by what they do, then by what comes of it, then by a judge. The
    same action is carried out, and judged, once."""

    moment: Moment
    run: Run[Any]
    match: Match
    sandbox: Sandbox | None = None
    """Where actions are carried out; None: they are not."""
    command_seconds: float = 60.0
    judge: Teacher | None = None
    judge_chars: int = 20_000
    _outcomes: dict[Action | None, Outcome] = field(default_factory=dict)
    _repeated: bool = False
    _scored: dict[Action, LocalRollout] = field(default_factory=dict)

    @property
    def verifier(self) -> str:
        """What may show that an answer is right."""
        executed = self.sandbox is not None and self.moment.task.question is None
        return "action" + "+outcome" * executed + "+judge" * (self.judge is not None)

    async def score(self, replies: Sequence[Reply]) -> list[LocalRollout] | Differs:
        """Each answer with its score; Differs: the box cannot be restored, so that nobody knows. Raises SandboxError,
        TeacherError."""
        made = []
        for reply in replies:
            scored = await self._one(reply)
            if isinstance(scored, Differs):
                return scored
            made.append(scored)
        return made

    async def _one(self, reply: Reply) -> LocalRollout | Differs:
        attempt, expected = self.moment.attempt, self.moment.expected
        message = reply.message.but(logprobs=None)
        action = action_of(message, attempt.agent, attempt.tools, reply.stopped_by)
        if action.problem:
            cut = f", cut off ({reply.finish})" if reply.cut else ""
            return LocalRollout(message=message, score=0.0, note=f"unreadable{cut}: {action.problem}"[:NOTE])
        wanted = action_of(expected, attempt.agent, attempt.tools)
        rung = matched((expected, wanted), (message, action), self.match)
        if rung is not None:
            return LocalRollout(message=message, score=1.0, rung=rung)
        if action not in self._scored:
            made = await self._further(message, action)
            if isinstance(made, Differs):
                return made
            self._scored[action] = made
        return self._scored[action].but(message=message)

    async def _further(self, message: Message, action: Action) -> LocalRollout | Differs:
        """What only a box or a judge can tell."""
        note = "another action"
        if self.sandbox is not None and self.moment.task.question is None:
            expected = await self._came_of(None, None)
            if isinstance(expected, Differs):
                return expected
            said = await self._came_of(message, action)
            if isinstance(said, Differs):
                return said
            note = difference(expected, said)
            if expected.files != said.files and not self._repeated:
                self._repeated = True
                again = await self._carried_out(None)
                if isinstance(again, Differs) or (other := difference(expected, again)):
                    return Differs(f"a second time: {again.where if isinstance(again, Differs) else other}")
            if not note:
                return LocalRollout(message=message, score=1.0, rung="outcome")
        if self.judge is None:
            return LocalRollout(message=message, score=0.0, note=note[:NOTE])
        return await self._judged(message, self.judge, note)

    async def _came_of(self, message: Message | None, action: Action | None) -> Outcome | Differs:
        if action not in self._outcomes:
            made = await self._carried_out(message)
            if isinstance(made, Differs):
                return made
            self._outcomes[action] = made
        return self._outcomes[action]

    async def _carried_out(self, message: Message | None) -> Outcome | Differs:
        assert self.sandbox is not None
        with boundary(SandboxError, "restoring a box"):
            host = await host_of(self.run, self.sandbox)
            place = Place(host, self.moment.task, self.moment.attempt, self.command_seconds)
            return await carried_out(place, self.moment.place, message)

    async def _judged(self, message: Message, judge: Teacher, note: str) -> LocalRollout:
        moment = self.moment
        seen = note if self.sandbox is not None and moment.task.question is None else ""
        room, seed = self.judge_chars, self.run.seed
        text = question(moment.task, moment.history, moment.expected, message, seen=seen, room=room, seed=seed)
        name = f"{moment.key}/judge/{digest_of(text)}"
        asked = Message(role="user", content=text)
        first = Episode(id=moment.key, seed=_seed(self.run, name))
        line = await line_to(self.run, judge, scope=f"pivot:{name}", episode=first)
        with boundary(TeacherError, "asking the judge"):
            for number in range(ASKED):
                episode = Episode(id=moment.key, seed=_seed(self.run, f"{name}/{number}"))
                word = read_word(await line.reply([asked], schema=SCHEMA, episode=episode))
                if word is not None:
                    rung: Rung | None = "judge" if word.same else None
                    said = f"{note}; judge: {word.reasoning}"[:NOTE]
                    return LocalRollout(message=message, score=float(word.same), rung=rung, note=said)
        return LocalRollout(message=message, score=0.0, note=f"{note}; the judge said nothing that can be read"[:NOTE])


def _seed(run: Run[Any], name: str) -> int:
    return int(digest_of([run.seed, "pivot", name]), 16) % (1 << 31)
