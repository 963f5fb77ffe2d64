"""What the rows of a run have cost: its teachers' tokens, GPU time and dollars, in all and for each accepted row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafactory.calls import Spending, Spent
from datafactory.cli.printing import short, words
from datafactory.cli.spent import as_row

if TYPE_CHECKING:
    from rich.table import Table

Who = tuple[str, str]
"""A teacher, and the model that answered; no model: GPU time of a teacher with several."""
EXAM = "evaluate"
"""The stage whose calls make no rows: students answer in it."""


@dataclass(frozen=True)
class Costs:
    """What was spent, and what came of it."""

    spending: Spending
    accepted: int | None = None
    """Rows of the last table; attempts that were solved, where there is no table; None: neither yet."""
    kept: bool = False
    """Whether `accepted` counts the rows of a table."""
    tried: int | None = None
    """Attempts."""

    @property
    def known(self) -> bool:
        """Whether the run has a ledger that says anything."""
        return bool(self.spending.parts)

    @property
    def of_the_tried(self) -> float | None:
        """The yield: accepted rows for each attempt."""
        return self.accepted / self.tried if self.tried and self.accepted is not None else None

    @property
    def on_rows(self) -> Spent:
        """All but the calls by which students were measured; GPU time is told by teacher, not by stage, and stays."""
        return sum((part.spent for part in self.spending.parts if part.stage != EXAM), Spent())

    def by(self) -> dict[Who, Spent]:
        """For each teacher and model; the GPU time of a teacher goes to its model, where it has one. Students stand
        together, by whoever served them."""
        models: dict[str, set[str]] = {}
        for part in self.spending.parts:
            if part.stage and part.stage != EXAM:
                models.setdefault(part.teacher, set()).add(part.model)
        made: dict[Who, Spent] = {}
        for part in self.spending.parts:
            known = models.get(part.teacher, set())
            model = next(iter(known)) if not part.stage and len(known) == 1 else part.model
            who = ("students", part.teacher) if part.stage == EXAM else (part.teacher, model)
            made[who] = made.get(who, Spent()) + part.spent
        return dict(sorted(made.items()))

    def as_json(self) -> dict[str, Any] | None:
        """All of it, for scripts; None: nothing was spent."""
        if not self.known:
            return None
        total = self.spending.total
        return {
            **_row(total),
            "teachers": [{"teacher": who, "model": model, **_row(spent)} for (who, model), spent in self.by().items()],
            "stages": {stage: _row(spent) for stage, spent in self.spending.by("stage").items() if stage},
            "accepted": self.accepted,
            "accepted_are": None if self.accepted is None else "kept" if self.kept else "solved",
            "yield": None if self.of_the_tried is None else round(self.of_the_tried, 6),
            "per_accepted": _each(self.on_rows, self.accepted) if self.accepted else None,
        }

    def table(self) -> Table:
        """A line for each teacher, their sum, and what one accepted row cost."""
        from rich.table import Table

        total, rows = self.spending.total, self.by()
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("spent on", max_width=24, overflow="fold")
        for column in ("calls", "prompt", "cached", "completion"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("GPU h", justify="right", no_wrap=True)
        table.add_column("dollars", justify="right", no_wrap=True)
        for (teacher, model), spent in rows.items():
            table.add_row(words(f"{teacher} {model}".strip()), *_cells(spent))
        if len(rows) > 1:
            table.add_row("all", *_cells(total), style="bold")
        if self.accepted:
            table.add_row("an accepted row", *_cells(self.on_rows, self.accepted), style="dim")
        return table

    def outcome(self) -> str:
        """The yield as a sentence; empty: nothing was accepted or tried yet."""
        if self.accepted is None:
            return ""
        end = "" if self.accepted == 1 else "s"
        what = f"row{end} kept" if self.kept else f"attempt{end} solved"
        said = f"accepted: {self.accepted:,} {what}"
        if self.of_the_tried is None:
            return said
        return f"{said} of {self.tried:,} attempts, a yield of {100 * self.of_the_tried:.1f} %"


def _row(spent: Spent) -> dict[str, Any]:
    return {**as_row(spent), "gpu_hours": round(spent.gpu_hours, 6), "cached_share": _share(spent)}


def _share(spent: Spent) -> float | None:
    """Prompt tokens that a prefix cache held, of all."""
    return round(spent.cached_tokens / spent.prompt_tokens, 6) if spent.prompt_tokens else None


def _each(spent: Spent, rows: int) -> dict[str, float]:
    return {name: round(value / rows, 6) for name, value in as_row(spent).items()}


def _cells(spent: Spent, rows: int = 1) -> list[str]:
    share = _share(spent)
    return [
        short(spent.calls / rows),
        short(spent.prompt_tokens / rows),
        "-" if share is None else f"{100 * share:.0f} %",
        short(spent.completion_tokens / rows),
        f"{spent.gpu_hours / rows:,.4g}" if spent.gpu_seconds else "-",
        f"{spent.dollars / rows:,.4f}" if spent.dollars else "-",
    ]
