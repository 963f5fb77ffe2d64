"""Several teachers in one chair: each episode is answered by one of them, drawn by weight."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import accumulate
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo

from datafactory.errors import TeacherError, boundary
from datafactory.protocols import Chat, Episode, Teacher
from datafactory.spec import Component, Spec
from datafactory.types import DOMAINS, Message, Reply, digest_of

DIGITS = 12
"""Hex digits of a digest that decide a draw: 48 bits, exact in a float."""


def _one_each(weights: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
    teachers = info.data.get("teachers")
    if teachers is not None and len(weights) != len(teachers):
        raise ValueError(f"needs a weight for each teacher: there are {len(teachers)}, and {len(weights)} weights")
    if not any(weights):
        raise ValueError("all weights are 0: nobody would answer")
    return weights


def _domain(name: str) -> str:
    """A generator may have domains of its own: only what looks like a slip of the pen is refused."""
    meant = difflib.get_close_matches(name.lower(), DOMAINS, n=1, cutoff=0.85)
    if meant and name not in DOMAINS:
        raise ValueError(f"unknown domain; did you mean {meant[0]!r}?")
    return name


Weights = Annotated[
    tuple[Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)], ...], AfterValidator(_one_each)
]


class MixTeacher(Spec):
    """Asks one of several teachers, always the same one for an episode; over many, their shares match the weights.

    A task's attempts are drawn one by one, so that they may have different teachers.
    """

    use_name: ClassVar[str] = "mix"

    teachers: tuple[Annotated[Teacher, Component("teacher")], ...] = Field(min_length=1)
    """Who may answer; one of them may be a mix itself."""
    weights: Weights | None = None
    """How often each answers, relative to the others: `[3, 1]`; left out: all alike."""
    domains: dict[Annotated[str, AfterValidator(_domain)], Weights] = {}
    """Other weights for tasks of a domain: `{security: [0, 1]}`. They apply to attempts at tasks; where tasks are
    written, there is no task yet."""

    @property
    def name(self) -> str:
        """Of the mix; a row names the teacher that answered."""
        return "mix"

    def sampling(self) -> dict[str, Any]:
        """The weights, and what each teacher would record; a row records that of the one who answered."""
        return {
            "weights": list(self._weights("")),
            "domains": {name: list(weights) for name, weights in self.domains.items()},
            "teachers": [{"teacher": teacher.name, **teacher.sampling()} for teacher in self.teachers],
        }

    def pick(self, episode: Episode) -> Teacher:
        """Who answers: a pure function of the episode's id, seed and domain. Of a mix within, one of its teachers."""
        weights = self._weights(episode.task.domain if episode.task is not None else "")
        # Mixes within one another must not decide by one and the same draw.
        drawn = digest_of(["mix", self._height(), episode.id, episode.seed], length=DIGITS)
        bounds = list(accumulate(weights))
        picked = self.teachers[bisect_right(bounds, int(drawn, 16) / 16**DIGITS * bounds[-1])]
        return picked.pick(episode) if isinstance(picked, MixTeacher) else picked

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """A chat that asks whoever is picked; every teacher is opened."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        async with AsyncExitStack() as stack:
            chats: list[tuple[Teacher, Chat]] = []
            for teacher in self._members():
                if not any(teacher == other for other, _ in chats):
                    with boundary(TeacherError, f"opening the teacher {teacher.name}"):
                        chats.append((teacher, await stack.enter_async_context(teacher.open())))
            yield MixChat(self, chats)

    def _weights(self, domain: str) -> tuple[float, ...]:
        return self.domains.get(domain) or self.weights or (1.0,) * len(self.teachers)

    def _members(self) -> list[Teacher]:
        nested = [t._members() if isinstance(t, MixTeacher) else [t] for t in self.teachers]
        return [member for members in nested for member in members]

    def _height(self) -> int:
        return 1 + max((t._height() for t in self.teachers if isinstance(t, MixTeacher)), default=0)


class MixChat:
    """Hands each request to the teacher of its episode; one without an episode is drawn by what it says."""

    def __init__(self, mix: MixTeacher, chats: Sequence[tuple[Teacher, Chat]]) -> None:
        self._mix = mix
        self._chats = chats

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. Raises TeacherError."""
        of = episode or Episode(id=digest_of([message.wire() for message in messages]), seed=0)
        picked = self._mix.pick(of)
        chat = next(chat for teacher, chat in self._chats if teacher == picked)
        return await chat.reply(messages, tools=tools, schema=schema, episode=episode)
