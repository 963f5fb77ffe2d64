"""An oracle that is careless now and then: attempts of mixed outcome, judged by real checks, without a model."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from datafactory.protocols import Chat, Episode
from datafactory.spec import Spec
from datafactory.teachers.oracle import OracleTeacher
from datafactory.types import Message, Reply, Step

SPOILED = ((r"sorted\(", "list("), (r">=", ">"), (r"<=", "<"), (r"-k1,1", "-k2,2"), (r"\b2\b", "3"), (r"\b1\b", "2"))
"""What a slip of the pen does to a command: the first that applies, at one of its places."""


class Careless(Spec):
    """Demonstrates a task's solution as the oracle does, but in a share of the attempts a step of it is left out, and
    in another share a step is done wrong without an error. Like the oracle it is no model, and says so."""

    use_name: ClassVar[str] = ""
    paid: ClassVar[bool] = False

    forgets: float = Field(default=0.25, ge=0, le=1)
    """Share of the attempts in which a step is left out."""
    spoils: float = Field(default=0.25, ge=0, le=1)
    """Share of the attempts in which a step is done wrong."""

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "careless-oracle"

    def sampling(self) -> dict[str, Any]:
        """The shares."""
        return {"forgets": self.forgets, "spoils": self.spoils}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Nothing to start."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        async with OracleTeacher().open() as oracle:
            yield CarelessChat(self, oracle)


class CarelessChat:
    """Asks the oracle for the turns of another solution; which one follows from the episode's seed."""

    def __init__(self, spec: Careless, oracle: Chat) -> None:
        self._spec = spec
        self._oracle = oracle

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """The next turn. Raises TeacherError."""
        assert episode is not None and episode.task is not None
        steps = self._steps(episode.task.solution, random.Random(episode.seed))
        other = replace(episode, task=episode.task.but(solution=steps))
        return await self._oracle.reply(messages, tools=tools, schema=schema, episode=other)

    def _steps(self, steps: tuple[Step, ...], rng: random.Random) -> tuple[Step, ...]:
        drawn, place = rng.random(), rng.randrange(1, len(steps)) if len(steps) > 1 else 0
        if drawn < self._spec.forgets and len(steps) > 1:
            return steps[:place] + steps[place + 1 :]
        if drawn < self._spec.forgets + self._spec.spoils:
            return (*steps[:place], _spoiled(steps[place], rng), *steps[place + 1 :])
        return steps


def _spoiled(step: Step, rng: random.Random) -> Step:
    for pattern, wrong in SPOILED:
        if found := list(re.finditer(pattern, step.command)):
            at = rng.choice(found)
            return step.but(command=f"{step.command[: at.start()]}{wrong}{step.command[at.end() :]}")
    return step
