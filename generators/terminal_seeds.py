"""Terminal tasks that a model makes of seed problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError
from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import DOMAINS, Draft, Reject, Source
from generators.authored_rules import Rules
from generators.authoring import Order, author
from generators.prompts import render
from generators.rows import open_rows
from generators.skill_axes import read_axes

PROBLEM = ("problem", "problem_description", "description", "problem_statement", "question", "prompt")
SOLUTION = ("solution", "reference_solution", "canonical_solution", "answer")
"""Names under which a seed's fields are looked for, the first one that is there counts."""
_TEXTS = ("*.md", "*.txt")


class TerminalSeeds(Spec):
    """Seed-based task construction (arXiv 2602.21193, section 3.2): a problem, perhaps with a domain and a solution.

    The solution informs the expected values in the checks; a draft that shows any of it to the agent is rejected.
    A rejected slot asks again for the same seed. Reasons are listed in docs/generators.md.
    """

    use_name = "terminal_seeds"
    asks: ClassVar[bool] = True

    path: Path
    """JSON Lines (plain or .gz) or Parquet with `problem` and, if wanted, `domain`, `solution`, `id`, `license`;
    or a folder of .md and .txt files, a problem each."""
    count: int = Field(default=0, ge=0)
    """How many tasks; more than there are seeds: they are gone through again. 0: one a seed."""
    domain: str = "software_engineering"
    """Of seeds that name none of the nine."""
    image: str = "base"
    """What the boxes are opened from; `domain`: the image of the task's domain."""
    license: str = ""
    """Of the seeds; kept with every task. A seed's own `license` goes first."""
    max_bytes: int = Field(default=262_144, gt=0)
    """Of all input files of a task together."""

    @model_validator(mode="after")
    def _count_seeds(self) -> Self:
        if self.domain not in DOMAINS:
            raise ValueError(f"domain: {self.domain!r} is none of {', '.join(DOMAINS)}")
        try:
            seeds = len(_texts(self.path)) if self.path.is_dir() else len(open_rows(self.path))
        except DataError as error:
            raise ValueError(f"path: {error}") from error
        if not seeds:
            raise ValueError(f"path: {self.path} holds no seeds ({' or '.join(_TEXTS)} in a folder)")
        object.__setattr__(self, "count", self.count or seeds)
        return self

    def inputs(self) -> Iterable[Path]:
        """The seeds."""
        return _texts(self.path) if self.path.is_dir() else [self.path]

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One task from one seed. Raises TeacherError, and DataError where a seed holds no problem."""
        seed, item = _seed(self.path, slot.index)
        domain = str(seed.get("domain") or "").strip().lower().replace(" ", "_").replace("-", "_")
        domain = domain if domain in DOMAINS else self.domain
        solution = _first(seed, SOLUTION)
        axes = read_axes(None)
        image = domain if self.image == "domain" else self.image
        prompt = render(
            "seed_task",
            problem=_first(seed, PROBLEM),
            solution=solution,
            domain=domain,
            limit=self.max_bytes,
            tools=axes.tools(image),
            packages=axes.packages(image),
        )
        license = str(seed.get("license") or self.license)
        rules = Rules(self.max_bytes, axes.packages(image), (solution,) if solution else ())
        source = Source(generator=self.use_name, item=item, license=license)
        return await author(chat, slot, Order(prompt, source, domain, image, rules))


def _seed(path: Path, index: int) -> tuple[Mapping[str, Any], str]:
    """A seed's fields and its name."""
    if path.is_dir():
        texts = _texts(path)
        file = texts[index % len(texts)]
        try:
            seed: Mapping[str, Any] = {"problem": file.read_text(encoding="utf-8")}
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{file}: {error}") from error
        where, item = str(file), file.name
    else:
        rows = open_rows(path)
        seed = rows[index % len(rows)]
        where = rows.where(index % len(rows))
        item = str(seed.get("id") or seed.get("task_id") or rows.item(index % len(rows)))
    if not _first(seed, PROBLEM):
        raise DataError(f"{where}: no problem; wanted text under one of {', '.join(PROBLEM)}")
    return seed, item


def _first(seed: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of `names` that holds text, stripped; empty: none does."""
    values = (seed.get(name) for name in names)
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), "")


def _texts(folder: Path) -> list[Path]:
    return sorted(file for pattern in _TEXTS for file in folder.glob(pattern))
