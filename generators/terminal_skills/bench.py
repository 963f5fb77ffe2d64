"""The workbench of one task: its random numbers, its world, and the paths that are already taken."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache
from importlib.resources import files as resources
from typing import Any, TypeVar

from datafactory.types import Step
from generators.terminal_skills.artefacts import Table
from generators.terminal_skills.skill import Artefact, Judge, Move

T = TypeVar("T")


@cache
def words(name: str) -> Any:
    """A word list of this package (`words/<name>.json`)."""
    return json.loads(resources(__package__).joinpath("words", f"{name}.json").read_text(encoding="utf-8"))


def article(noun: str) -> str:
    """The noun after `a` or `an`; right for the nouns of the word lists."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


class Bench:
    """Where skills draw their parameters; one per draft, never shared."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        world = words("world")
        self.theme: dict[str, Any] = rng.choice(words("themes"))
        self.inbox = "/app/" + rng.choice(world["inboxes"])
        self.outbox = "/app/" + rng.choice([n for n in world["outboxes"] if f"/app/{n}" != self.inbox])
        self.products: list[Artefact] = []
        """What has been asked for so far; the composer appends."""
        self._taken: set[str] = set()

    def pick(self, options: Sequence[T]) -> T:
        return self.rng.choice(options)

    def some(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Between `low` and `high` of the options, without repetition, in random order."""
        return self.rng.sample(list(options), min(len(options), self.rng.randint(low, high)))

    def say(self, *phrasings: str) -> str:
        """One of several ways to say the same thing."""
        return self.rng.choice(phrasings)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def given(self, stems: Sequence[str], suffix: str = "") -> str:
        """A fresh path for an input; no suffix: a folder."""
        return self._fresh(self.inbox, stems, suffix)

    def wanted(self, stems: Sequence[str], suffix: str = "") -> str:
        """A fresh path for a product; no suffix: a folder."""
        return self._fresh(self.outbox, stems, suffix)

    def _fresh(self, folder: str, stems: Sequence[str], suffix: str) -> str:
        tail = self.rng.choice(["", "", "_final", "_v2", f"_{self.rng.choice(words('world')['tails'])}"])
        path = f"{folder}/{self.rng.choice(stems)}{tail}{suffix}"
        count = 1
        while path in self._taken:
            count += 1
            path = f"{folder}/{self.rng.choice(stems)}_{count}{suffix}"
        self._taken.add(path)
        return path

    def column_name(self, table: Table, *options: str) -> str:
        """A name for a new column that the table does not have."""
        free = [name for name in options if name not in table.names]
        return self.rng.choice(free) if free else f"{options[0]}_{len(table.columns)}"

    def slug(self) -> str:
        """A made-up lower-case name, such as a package or host may have."""
        parts = words("world")["syllables"]
        return "".join(self.rng.choice(parts) for _ in range(self.rng.randint(2, 3)))

    def slugs(self, count: int) -> list[str]:
        """`count` different made-up names."""
        made: dict[str, None] = {}
        while len(made) < count:
            made[self.slug()] = None
        return list(made)


def move(kind: str, path: str, value: Any, text: str, *steps: Step, **more: Any) -> Move:
    """The usual move: one product, judged by its kind."""
    return Move(text=text, products=(Artefact(kind, path, value),), steps=steps, **more)


def passed_on(item: Artefact, text: str, *steps: Step, judges: tuple[Judge, ...], **more: Any) -> Move:
    """A move that leaves the artefact as it is for the next skill, and is judged by its own judges."""
    kept = Artefact(item.kind, item.path, item.value, judged=False)
    return Move(text=text, products=(kept,), steps=steps, judges=judges, **more)
