"""A pipeline, from its file to specs that can run: every mistake is found before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeGuard

from pydantic import Field, SkipValidation, field_validator

from datafactory.calls import Budget, is_paid
from datafactory.errors import ConfigError
from datafactory.pipeline import document
from datafactory.protocols import Mix, Sandbox, Teacher
from datafactory.registry import Path as Place
from datafactory.registry import Problem, fill, find, kind_of, show, walk
from datafactory.spec import Component, Spec
from datafactory.stages.recipe import file_digests
from datafactory.stages.stage import Stage
from datafactory.types import digest_of

DEFAULT_SANDBOX = "namespace"
"""What boxes are opened with where the file names no sandbox: it needs neither Docker nor network."""


class PipelineFile(Spec):
    """The keys of a pipeline file."""

    name: str
    """Names the run: its folder is `runs/<name>`. Letters, digits, dots, dashes and underscores."""
    seed: int = Field(default=0, ge=0)
    """Shapes every random choice: the same file and seed make the same tasks."""
    teacher: Annotated[Teacher | None, Component("teacher"), SkipValidation] = None
    """Who answers, for every stage that names nobody else."""
    sandbox: Annotated[Sandbox | None, Component("sandbox"), SkipValidation] = None
    """Where boxes are opened, for every stage that names nothing else."""
    budget: Budget | None = None
    """Caps on what the run spends on its teachers: `calls`, `tokens`, `gpu_hours`, `dollars`; others have none."""
    stages: list[Annotated[Stage, Component("stage"), SkipValidation]] = Field(min_length=1)
    """What is done, in order."""

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", value):
            raise ValueError(f"{value!r} cannot name a folder; use letters, digits, dots, dashes and underscores")
        return value


@dataclass(frozen=True)
class Planned:
    """One stage, ready to run."""

    number: int
    name: str
    """The stage's word, such as `rollout`."""
    stage: Stage
    digest: str
    """Covers the seed, this stage's recipe and input files, and every stage before."""

    @property
    def folder(self) -> str:
        """`<n>-<stage>-<digest>`, within the run's folder."""
        return f"{self.number}-{self.name}-{self.digest[:8]}"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file that was read and found good."""

    path: Path
    name: str
    seed: int
    stages: tuple[Planned, ...]
    budget: Budget = field(default_factory=Budget)
    """Shapes no data, and is in no digest."""

    def describe(self) -> dict[str, Any]:
        """The resolved recipe, as JSON."""
        return {"name": self.name, "seed": self.seed, "stages": [p.stage.describe() for p in self.stages]}


def load(path: Path) -> Pipeline:
    """Read a pipeline file. Raises ConfigError with every mistake in it, each with line and key; DataError."""
    doc = document.read(path)
    problems: list[Problem] = []
    if not isinstance(doc.value, dict):
        what = "is empty" if doc.value is None else f"holds {kind_of(doc.value)}"
        wanted = "a pipeline file is a mapping with 'name' and 'stages'; see docs/pipeline-file.md"
        raise ConfigError(f"{path}:1: the file {what}; {wanted}")
    value = dict(doc.value)
    if "sandbox" not in value:
        value["sandbox"] = DEFAULT_SANDBOX
    made = fill(PipelineFile, value, (), problems)
    problems += _no_stages(doc.value.get("stages"))
    if problems or not isinstance(made, PipelineFile):
        problems += _order(_classes(doc.value.get("stages")))
        raise ConfigError(placed(doc, problems))
    stages = [_with_defaults(stage, made) for stage in made.stages]
    problems += _order([type(stage) for stage in stages])
    problems += [p for number, stage in enumerate(stages) for p in _missing(stage, number)]
    problems += [Problem(("stages", n), said) for n, stage in enumerate(stages) for said in stage.lacks(stages[:n])]
    for number, stage in enumerate(stages):
        for place, spec in walk(stage, ("stages", number)):
            problems += [Problem(_where(doc, place), said) for said in spec.problems()]
            problems += [Problem(_where(doc, place), said) for said in _priceless(spec, made.budget)]
    if problems:
        raise ConfigError(placed(doc, problems))
    return Pipeline(path, made.name, made.seed, _planned(stages, made.seed), made.budget or Budget())


def _named(stages: Any) -> Iterator[type[Spec] | None]:
    """The class of each entry that names one, whatever else is wrong with it."""
    for stage in stages if isinstance(stages, list) else []:
        name = stage.get("use") if isinstance(stage, dict) else stage
        found: type[Spec] | None = None
        with suppress(ConfigError):
            found = find("stage", name) if isinstance(name, str) else None
        yield found


def _is_stage(found: type[Spec]) -> TypeGuard[type[Stage]]:
    return issubclass(found, Stage) and hasattr(found, "writes")


def _classes(stages: Any) -> list[type[Stage] | None]:
    return [found if found is not None and _is_stage(found) else None for found in _named(stages)]


def _no_stages(stages: Any) -> list[Problem]:
    said = "is no subclass of datafactory.stages.stage.Stage that says what it writes"
    return [
        Problem(("stages", number, "use"), f"{found.__module__}:{found.__name__} {said}")
        for number, found in enumerate(_named(stages))
        if found is not None and not _is_stage(found)
    ]


def placed(doc: document.Document, problems: list[Problem]) -> list[str]:
    """The problems in words, each with file, line and key, in the file's order."""
    shown: dict[str, int] = {}
    for problem in problems:
        line = doc.line(problem.path)
        shown.setdefault(f"{doc.path}:{line}: {show(problem.path)}: {problem.message}", line)
    return sorted(shown, key=lambda text: shown[text])


def _where(doc: document.Document, place: Place) -> Place:
    """A component that the top of the file filled in is shown where it was written."""
    known = doc.value
    for depth, part in enumerate(place):
        try:
            known = known[part]
        except (KeyError, IndexError, TypeError):
            return place[2:] if depth == 2 and part in ("teacher", "sandbox") else place
    return place


def _with_defaults(stage: Stage, top: PipelineFile) -> Stage:
    given = {"teacher": top.teacher, "sandbox": top.sandbox}
    filled = {name: given[name] for name in sorted(stage.wants()) if getattr(stage, name, None) is None}
    return stage.model_copy(update=filled) if filled else stage


def _missing(stage: Stage, number: int) -> list[Problem]:
    return [
        Problem(
            ("stages", number),
            f"{_word(type(stage))} needs a {name}: name one at the top of the file, or in this stage",
        )
        for name in sorted(stage.wants())
        if getattr(stage, name, None) is None
    ]


def _priceless(spec: Spec, budget: Budget | None) -> list[str]:
    """A cap on dollars that a teacher without a price would never reach."""
    if budget is None or budget.dollars is None or not isinstance(spec, Teacher) or isinstance(spec, Mix):
        return []
    if not is_paid(spec) or getattr(spec, "price", None) is not None:
        return []
    if "price" not in type(spec).model_fields:
        return [f"the teacher {spec.name} has no `price`, so budget.dollars cannot be kept; use another cap"]
    way = "{prompt: 0.4, completion: 1.6} for a million tokens each, {gpu_hour: 2.5} for a GPU, {} where it is free"
    return [f"the teacher {spec.name} has no price, which budget.dollars needs; in US dollars, price: {way}"]


def _order(stages: Sequence[type[Stage] | None]) -> list[Problem]:
    problems = []
    for number, stage in enumerate(stages):
        if stage is None:
            continue
        before = stages[number - 1] if number else None
        said = ""
        if number == 0:
            said = f"reads {_plural(stage.reads)}, but no stage stands before it" if stage.reads else ""
        elif stage.reads is None:
            said = "begins a pipeline: put it first"
        elif before is not None and not issubclass(before.writes, stage.reads):
            said = f"reads {_plural(stage.reads)}, but the stage before it makes {_plural(before.writes)}"
        elif before is not None and before.columnar and not stage.columnar:
            said = "works record by record and cannot follow a columnar stage"
        if said:
            problems.append(Problem(("stages", number), f"{_word(stage)} {said}"))
    return problems


def _word(stage: type[Stage]) -> str:
    return stage.use_name or stage.__name__.lower()


def _plural(kind: type) -> str:
    word = kind.__name__.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _planned(stages: list[Stage], seed: int) -> tuple[Planned, ...]:
    planned = []
    before = digest_of({"seed": seed})
    for number, stage in enumerate(stages, 1):
        before = digest_of({"before": before, "stage": stage.describe(), "files": file_digests(stage)})
        planned.append(Planned(number, _word(type(stage)), stage, before))
    return tuple(planned)
