"""Filters, or a curriculum, of a file that holds them alone or of a pipeline file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from datafactory.errors import ConfigError
from datafactory.pipeline import document
from datafactory.protocols import Curriculum, Filter
from datafactory.registry import Path as Place
from datafactory.registry import Problem, build, build_list, show, walk
from datafactory.spec import Spec

OPTION = Path("--filters")
"""What errors call the text of the option."""


def filters_in(doc: document.Document) -> list[Filter]:
    """The filters under `filters`, in a list that is the whole file, or of every `select` of a pipeline file, in order.

    Raises ConfigError with every mistake, each with its line."""
    value, problems, made = doc.value, list[Problem](), list[Any]()
    if isinstance(value, dict) and "filters" in value:
        lists: list[tuple[Place, Any]] = [(("filters",), value["filters"])]
    elif isinstance(value, dict):
        lists = [((*place, "filters"), stage.get("filters")) for place, stage in _stages(value, "select")]
    else:
        lists = [((), [value] if isinstance(value, str) else value)]
    for place, items in lists:
        made += build_list("filter", items, place, problems) or []
    if not made and not problems:
        problems.append(Problem((), "no filters: it has neither `filters` nor a stage `select`"))
    _raise(doc, problems, made)
    return [cast(Filter, spec) for spec in made]


def curriculum_in(doc: document.Document) -> Curriculum:
    """The curriculum under `curriculum`, or of the first `arrange` of a pipeline file. Raises ConfigError."""
    value, problems = doc.value, list[Problem]()
    if not isinstance(value, dict):
        raise ConfigError(f"{doc.path}:1: no mapping with `curriculum`, and no pipeline file")
    found = [((), value)] if "curriculum" in value else list(_stages(value, "arrange"))
    if not found or "curriculum" not in found[0][1]:
        raise ConfigError(f"{doc.path}:1: no curriculum: it has neither `curriculum` nor a stage `arrange` with one")
    place, holder = found[0]
    made = build("curriculum", holder["curriculum"], (*place, "curriculum"), problems)
    _raise(doc, problems, [made])
    return cast(Curriculum, made)


def _stages(value: dict[str, Any], name: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    stages = value.get("stages")
    for number, stage in enumerate(stages if isinstance(stages, list) else []):
        if isinstance(stage, dict) and stage.get("use") == name:
            yield ("stages", number), stage


def _raise(doc: document.Document, problems: list[Problem], made: Sequence[Spec | None]) -> None:
    said = [(doc.line(problem.path), problem) for problem in problems]
    lines = [f"{doc.path}:{line}: {show(problem.path)}: {problem.message}" for line, problem in said]
    lines += [
        f"{doc.path}: {one}" for spec in made if spec is not None for _, part in walk(spec) for one in part.problems()
    ]
    if lines:
        raise ConfigError(lines)
