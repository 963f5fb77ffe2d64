"""What came of an evaluation: the student before training beside the one after, in numbers with their uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from datafactory.evaluating.overlap import Overlap
from datafactory.evaluating.statistics import Interval, Ratio, intervals, mcnemar, pass_at
from datafactory.types import Model, Part, Pupil, Trial

if TYPE_CHECKING:
    import numpy as np

FILE = "evaluation.json"
"""The report, in the stage's folder."""
PUPILS: tuple[Pupil, Pupil] = ("base", "trained")
SHARE = (0.0, 1.0)
By = Literal["all", "part", "domain", "generator", "prompts"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Standing(_Told):
    """How one student did in one group."""

    tasks: int
    trials: int
    solved: int
    """Trials whose reward is 1."""
    pass_at: dict[int, Interval]
    """pass@k by k, the unbiased estimator."""
    reward: Interval | None
    """Mean reward of a trial."""
    valid: Interval | None
    """Share of the student's turns that could be read; of prompts: share of answers written as asked."""
    turns: Interval | None
    """Turns of a trial."""
    tokens: Interval | None
    """Tokens that the student wrote in a trial."""
    stops: dict[str, int]
    """Why trials ended."""


class Difference(_Told):
    """The trained student less its base, task by task."""

    tasks: int
    """Tasks that both attempted."""
    pass_at: dict[int, Interval]
    gained: int
    """Tasks whose first attempt the trained student solved and its base did not."""
    lost: int
    """The other way round."""
    p: float
    """Of McNemar's exact test on these two, two-sided."""


class Group(_Told):
    """Trials of one kind."""

    by: By
    name: str
    base: Standing | None
    trained: Standing | None
    difference: Difference | None
    """None: no task was attempted by both."""


class Evaluation(_Told):
    """All of it; `evaluation.json` in the folder of the stage `evaluate`."""

    run: str
    model: str
    """Id of the trained student."""
    base: str
    """The student before: a name on the hub, or that of a model whose weights were drawn."""
    attempts: int
    """At each task, by each student."""
    complete: bool
    """Whether every trial was made."""
    lost: int
    """Trials that the infrastructure lost; they count nowhere."""
    groups: list[Group]
    overlap: Overlap | None
    """None: the stage is not through yet."""

    def group(self, by: str, name: str = "") -> Group | None:
        """A group by what it is grouped by, and its name where there are several."""
        return next((made for made in self.groups if made.by == by and name in ("", made.name)), None)


@dataclass(frozen=True)
class Result:
    """What counts of one trial."""

    student: Pupil
    part: Part
    task: str
    number: int
    domain: str
    generator: str
    reward: float
    turns: int
    valid: int
    """Turns that could be read."""
    tokens: int
    stop: str

    @property
    def solved(self) -> bool:
        """Whether every check passed."""
        return self.reward == 1.0


def evaluation(
    results: Iterable[Result], model: Model, *, run: str, attempts: int, lost: int, shared: Overlap | None
) -> Evaluation:
    """Count the trials that there are so far; `lost`: trials that the infrastructure lost."""
    return Evaluation(
        run=run,
        model=model.id,
        base=model.base_name,
        attempts=attempts,
        complete=shared is not None and not lost,
        lost=lost,
        groups=groups(results, attempts),
        overlap=shared,
    )


def result(trial: Trial) -> Result:
    """What counts of a trial; one without a verdict is not solved."""
    attempt = trial.attempt
    said = [message for message in attempt.messages if message.role == "assistant"]
    # The loop keeps no message of an answer that was cut off before it said anything.
    unheard = attempt.stop == "truncated" and attempt.messages[-1].role != "assistant"
    return Result(
        student=trial.student,
        part=trial.part,
        task=attempt.task_id,
        number=attempt.attempt,
        domain=attempt.domain,
        generator=attempt.generator,
        reward=attempt.verdict.reward if attempt.verdict is not None else 0.0,
        turns=len(said) + unheard,
        valid=sum(message.fault is None for message in said),
        tokens=attempt.usage.completion_tokens,
        stop=attempt.stop,
    )


def groups(results: Iterable[Result], attempts: int) -> list[Group]:
    """All held-out tasks together, by domain and by generator; by part, where those that were trained on have a group
    of their own and are in no other; and the prompts."""
    rows = list(results)
    tasks = [row for row in rows if row.part != "prompts"]
    held_out = [row for row in tasks if row.part != "trained"]
    prompts = [row for row in rows if row.part == "prompts"]
    kinds: list[tuple[By, list[Result], Callable[[Result], str]]] = [
        ("all", held_out, lambda row: "held-out tasks"),
        ("part", tasks, lambda row: row.part),
        ("domain", held_out, lambda row: row.domain),
        ("generator", held_out, lambda row: row.generator),
        ("prompts", prompts, lambda row: row.domain),
    ]
    made = []
    for by, those, of in kinds:
        for name in sorted({of(row) for row in those}):
            named = [row for row in those if of(row) == name]
            made.append(_group(by, name, named, 1 if by == "prompts" else attempts))
    return made


def _group(by: By, name: str, rows: Sequence[Result], attempts: int) -> Group:
    tried: dict[Pupil, dict[str, list[Result]]] = {pupil: {} for pupil in PUPILS}
    for row in rows:
        tried[row.student].setdefault(row.task, []).append(row)
    both = sorted(tried["base"].keys() & tried["trained"].keys())
    return Group(
        by=by,
        name=name,
        base=_standing(tried["base"], attempts),
        trained=_standing(tried["trained"], attempts),
        difference=_difference(tried["base"], tried["trained"], both, attempts) if both else None,
    )


def steps(attempts: int) -> list[int]:
    """The k of pass@k: 1, 2, 4, ... and all attempts."""
    return sorted({1, attempts} | {2**power for power in range(1, attempts.bit_length()) if 2**power <= attempts})


def _standing(tried: Mapping[str, list[Result]], attempts: int) -> Standing | None:
    import numpy as np

    if not tried:
        return None
    tasks = [tried[name] for name in sorted(tried)]

    def summed(of: Callable[[Result], float]) -> np.ndarray[Any, Any]:
        return np.array([sum(map(of, rows)) for rows in tasks], dtype=float)

    trials = np.array([len(rows) for rows in tasks], dtype=float)
    ratios = {f"pass@{k}": _mean([_pass_at(k, rows) for rows in tasks], SHARE) for k in steps(attempts)}
    ratios |= {
        "reward": Ratio(summed(lambda row: row.reward), trials, SHARE),
        "valid": Ratio(summed(lambda row: row.valid), summed(lambda row: row.turns), SHARE),
        "turns": Ratio(summed(lambda row: row.turns), trials),
        "tokens": Ratio(summed(lambda row: row.tokens), trials),
    }
    told = intervals(ratios)
    every = [row for rows in tasks for row in rows]
    return Standing(
        tasks=len(tasks),
        trials=len(every),
        solved=sum(row.solved for row in every),
        pass_at={k: told[name] for k in steps(attempts) if (name := f"pass@{k}") in told},
        reward=told.get("reward"),
        valid=told.get("valid"),
        turns=told.get("turns"),
        tokens=told.get("tokens"),
        stops=dict(Counter(row.stop for row in every).most_common()),
    )


def _difference(
    base: Mapping[str, list[Result]], trained: Mapping[str, list[Result]], both: Sequence[str], attempts: int
) -> Difference:
    told = intervals(
        {
            str(k): _mean([_pass_at(k, trained[name]) - _pass_at(k, base[name]) for name in both], (-1.0, 1.0))
            for k in steps(attempts)
        }
    )
    first = [(_first(base[name]), _first(trained[name])) for name in both]
    gained = sum(before is False and after is True for before, after in first)
    lost = sum(before is True and after is False for before, after in first)
    return Difference(
        tasks=len(both),
        pass_at={int(k): found for k, found in told.items()},
        gained=gained,
        lost=lost,
        p=mcnemar(gained, lost),
    )


def _first(rows: Sequence[Result]) -> bool | None:
    """Whether the first attempt was solved; None: it was lost."""
    return next((row.solved for row in rows if row.number == 0), None)


def _pass_at(k: int, rows: Sequence[Result]) -> float:
    return pass_at(k, attempts=len(rows), solved=sum(row.solved for row in rows))


def _mean(values: Sequence[float], bounds: tuple[float, float]) -> Ratio:
    """Over the tasks that have the number."""
    import numpy as np

    told = np.array(values, dtype=float)
    known = ~np.isnan(told)
    return Ratio(np.where(known, told, 0.0), known.astype(float), bounds)
