"""Compare: models hold attempts at one task against each other, in pairs and in both orders."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import ConfigError, TeacherError, boundary
from datafactory.judging import Combining, Room, Rubric, combined, load_rubric, own_file
from datafactory.judging.comparing import SCHEMA, Match, matches, preferred, read_game
from datafactory.judging.evidence import comparison
from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.judge import called, with_scores
from datafactory.stages.live import line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Message, Record, Score, Task, Trajectory, digest_of


class Compare(Stage):
    """Adds a score to each trajectory: how it does against other attempts at its task, by each judge and by all.

    Every pair is shown twice, with places swapped, since judges like what stands first. It waits for the stage before,
    for it must know all attempts at a task. An attempt that is the only one at its task gets no number.
    """

    use_name: ClassVar[str] = "compare"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory

    judges: tuple[Annotated[Teacher, Component("teacher")], ...] = Field(min_length=1)
    """Who compares; several are an ensemble, whose scores are combined."""
    rubric: str = "better"
    """What is asked: `better`, or a file of your own with `pairs: true` (docs/judges.md)."""
    opponents: int = Field(default=4, ge=1)
    """Other attempts at its task that each is held against, at most, or about as many."""
    combine: Combining = "mean"
    """How the scores of several judges become one: `mean`, `median` or `majority`."""
    max_chars: int = Field(default=60_000, ge=2000)
    """Characters of both transcripts together; whole messages go from their middles."""
    message_chars: int = Field(default=4_000, ge=100)
    """Characters of one message; the head and the tail stay."""
    at_once: int = Field(default=64, ge=1, exclude=True)
    """Attempts compared at a time."""

    def problems(self) -> Iterable[str]:
        """A rubric that cannot be read, or that compares nothing."""
        try:
            load_rubric(self.rubric, pairs=True)
        except ConfigError as error:
            yield from error.problems

    def inputs(self) -> Iterable[Path]:
        """The rubric, where it is a file of the user's."""
        path = own_file(self.rubric)
        return () if path is None else (path,)

    def calls(self, items: int) -> str:
        """Two calls a pair of each judge."""
        return f"at most {items * max(2, self.opponents) * len(self.judges):,} calls of judges"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Compare attempts once all of them are there."""
        assert source is not None
        numbers: dict[str, list[int]] = defaultdict(list)
        async for trajectory in source.follow():
            numbers[trajectory.task_id].append(trajectory.attempt)
        games = _Games(self, load_rubric(self.rubric, pairs=True), source, run)

        async def attempts() -> AsyncIterator[tuple[str, tuple[Trajectory, list[tuple[int, int]]]]]:
            for attempt in source:
                pairs = matches(sorted(numbers[attempt.task_id]), self.opponents)
                yield attempt.id, (attempt, [pair for pair in pairs if attempt.attempt in pair])

        async def compare(key: str, item: tuple[Trajectory, list[tuple[int, int]]]) -> Trajectory:
            return with_scores(item[0], await games.scores(*item))

        await run.each(attempts(), compare, at_once=self.at_once)


class _Games:
    """The games of one run, each played once, for whichever of its two attempts comes first."""

    def __init__(self, stage: Compare, rubric: Rubric, source: Shelf[Any], run: Run[Any]) -> None:
        self._stage, self._rubric, self._source, self._run = stage, rubric, source, run
        self._room = Room(whole=stage.max_chars, each=stage.message_chars)
        self._played: dict[tuple[str, str, int, int], Match] = {}
        self._locks: defaultdict[tuple[str, str, int, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def scores(self, attempt: Trajectory, pairs: list[tuple[int, int]]) -> list[Score]:
        """What the judges make of an attempt, one after the other, and all of them together."""
        made = []
        for name, teacher in zip(called(self._stage.judges), self._stage.judges, strict=True):
            played = [
                (await self._match(name, teacher, attempt.task_id, pair), attempt.attempt == pair[0]) for pair in pairs
            ]
            made.append(preferred(played, self._rubric, name))
        return [*made, combined(made, self._rubric, self._stage.combine)] if len(made) > 1 else made

    async def _match(self, name: str, teacher: Teacher, task_id: str, pair: tuple[int, int]) -> Match:
        key = (name, task_id, *pair)
        async with self._locks[key]:
            if key not in self._played:
                self._played[key] = await self._play(name, teacher, task_id, pair)
        return self._played[key]

    async def _play(self, name: str, teacher: Teacher, task_id: str, pair: tuple[int, int]) -> Match:
        run, task = self._run, self._run.find(Task, task_id)
        one, other = (self._source.get(f"{task_id}/{number}") for number in pair)
        what = f"{self._rubric.name}:{name}:{task_id}:{pair[0]}-{pair[1]}"
        seed = int(digest_of([run.seed, "compare", what]), 16) % (1 << 31)
        episode = Episode(id=f"{task_id}/{pair[0]}-{pair[1]}", seed=seed)
        line = await line_to(run, teacher, scope=f"compare:{what}", episode=episode)
        games = []
        with boundary(TeacherError, f"asking the judge {name}"):
            for order in ((one, other), (other, one)):
                text = comparison(self._rubric, task, order, self._room, seed=run.seed)
                message = Message(role="user", content=text)
                games.append(read_game(await line.reply([message], schema=SCHEMA, episode=episode)))
        return games[0], games[1]
