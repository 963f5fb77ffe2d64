"""What a run has spent on its teachers, read from its ledger by whoever wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import add, attrgetter
from pathlib import Path
from typing import Literal

from datafactory.calls.database import looking
from datafactory.types import Usage

What = Literal["stage", "teacher", "model"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Sums over calls and over the GPUs that teachers held."""

    calls: int = 0
    """Answered calls."""
    prompt_tokens: int = 0
    """Those that a cache held included."""
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """Waited for answers, summed over the calls."""
    gpu_seconds: float = 0.0
    """Summed over the GPUs."""
    dollars: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def gpu_hours(self) -> float:
        """Hours, summed over the GPUs."""
        return self.gpu_seconds / 3600

    def __add__(self, other: Spent) -> Spent:
        return Spent(*map(add, _all(self), _all(other)))

    @classmethod
    def of(cls, usage: Usage, *, seconds: float, dollars: float) -> Spent:
        """One answered call."""
        prompt, cached, completion = usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens
        return cls(1, prompt, cached, completion, seconds, 0.0, dollars)


_all = attrgetter(*(field.name for field in fields(Spent)))


@dataclass(frozen=True, slots=True)
class Part:
    """What was spent by one stage on one model of one teacher; GPU time belongs to a teacher, whoever asked it."""

    stage: str
    """Empty: GPU time."""
    teacher: str
    model: str
    """The model that answered, as it names itself; empty: GPU time, or not said."""
    spent: Spent


@dataclass(frozen=True, slots=True)
class Spending:
    """All that a ledger holds, in sums."""

    parts: tuple[Part, ...] = ()

    @property
    def total(self) -> Spent:
        """Everything."""
        return sum((part.spent for part in self.parts), Spent())

    def by(self, what: What) -> Mapping[str, Spent]:
        """Summed by stage, teacher or model, in that name's order; GPU time stands under "" but for teachers."""
        made: dict[str, Spent] = {}
        for part in sorted(self.parts, key=lambda part: str(getattr(part, what))):
            name: str = getattr(part, what)
            made[name] = made.get(name, Spent()) + part.spent
        return made


def spending(path: Path) -> Spending:
    """The sums of the ledger at `path` (`<run>/calls.sqlite`), empty where there is none; a run may be writing to it.

    Takes the same few milliseconds for any number of calls. Raises DataError.
    """
    with looking(path) as connection:
        if connection is None:
            return Spending()
        asked = connection.execute(
            "SELECT stage, teacher, model, calls, prompt_tokens, cached_tokens, completion_tokens, seconds, dollars"
            " FROM spent ORDER BY stage, teacher, model"
        ).fetchall()
        held = connection.execute(
            "SELECT teacher, sum(gpus * seconds), sum(dollars) FROM gpus GROUP BY teacher ORDER BY teacher"
        ).fetchall()
    calls = (
        Part(
            stage,
            teacher,
            model,
            Spent(number, prompt, cached, completion, seconds=seconds, dollars=dollars),
        )
        for stage, teacher, model, number, prompt, cached, completion, seconds, dollars in asked
    )
    gpus = (Part("", teacher, "", Spent(gpu_seconds=seconds, dollars=dollars)) for teacher, seconds, dollars in held)
    return Spending((*calls, *gpus))
