"""The grammar of the taxonomy: artefacts pass from skill to skill, and each skill makes one move."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Any

from datafactory.types import Files, Step

if TYPE_CHECKING:
    from generators.terminal_skills.bench import Bench


class Unfit(Exception):
    """A skill cannot use this artefact (no such column, nothing to find); the composer tries another."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file or folder of a task, and the value that it must hold."""

    kind: str
    """What a skill can do with it: `table`, `records`, `lines`, `tree`, ..."""
    path: str
    """Absolute path in the box."""
    value: Any
    """The ground truth; its Python type depends on the kind (see `artefacts`)."""
    judged: bool = True
    """Whether a check by kind is made for it."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A check in the making: a script of the `judges` folder and the facts that it reads."""

    script: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """What a skill adds to a task."""

    text: str
    """The requirement as the agent reads it; everything a check looks at is said here."""
    products: tuple[Artefact, ...]
    """What the agent must make; the first is passed on to the next skill."""
    steps: tuple[Step, ...]
    """The reference solution of this requirement."""
    judges: tuple[Judge, ...] = ()
    """Checks beyond those that the kinds of the products give."""
    files: Files = field(default_factory=dict)
    """Further input files."""
    inputs: tuple[str, ...] = ()
    """A sentence on each further input."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One primitive skill: takes an artefact of one kind, gives one of another."""

    name: str
    takes: str
    """A kind, or `any`."""
    gives: str
    """A kind; `same` where the artefact taken is passed on."""
    weight: float
    """How hard it is, 1 (a line of shell) to 3 (a program); also the weight of its check."""
    make: Callable[[Bench, Artefact], Move]
    """Draws parameters and makes the move; raises `Unfit`."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What a fixture lays in the box: the first artefact, its files, and a sentence that describes them."""

    artefact: Artefact
    files: Files
    description: str


@dataclass(frozen=True, slots=True)
class Fixture:
    """A source of input data of one kind."""

    name: str
    gives: str
    make: Callable[[Bench], Stock]


def python(thought: str, code: str, **values: Any) -> Step:
    """A step that runs a Python program; ``$name`` in `code` becomes the literal of that value."""
    literals = {name: repr(value) for name, value in values.items()}
    body = Template(textwrap.dedent(code).strip("\n")).substitute(literals)
    return Step(thought=thought, command=f"python3 - <<'PY'\n{body}\nPY")


def shell(thought: str, line: str, **values: str) -> Step:
    """A step of shell; ``%name%`` in `line` becomes the quoted value."""
    for name, value in values.items():
        line = line.replace(f"%{name}%", shlex.quote(value))
    return Step(thought=thought, command=textwrap.dedent(line).strip("\n"))


def listing(names: list[str] | tuple[str, ...], mark: str = "`") -> str:
    """Names as prose lists them: `a`, `b` and `c`."""
    marked = [f"{mark}{name}{mark}" for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"
