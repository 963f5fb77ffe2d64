"""Terminal tasks from the prompts of math, code and SWE data sets; no model is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError
from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import Draft, Reject, Source
from generators.rows import Rows, open_rows, shuffled
from generators.terminal_adapters.code_rows import code_draft, is_code
from generators.terminal_adapters.math_rows import is_math, math_draft
from generators.terminal_adapters.swe_rows import is_swe, swe_draft

Kind = Literal["math", "code", "swe"]
Fits = Callable[[Mapping[str, Any]], bool]
Makes = Callable[[Mapping[str, Any], Source], Draft | Reject]

KINDS: dict[Kind, tuple[Fits, Makes, str]] = {
    "math": (is_math, math_draft, "question, answer"),
    "code": (is_code, code_draft, "prompt, entry_point, canonical_solution, test"),
    "swe": (is_swe, swe_draft, "problem_statement, files, tests, patch or fixed_files"),
}


class TerminalAdapters(Spec):
    """Makes a task of each row of a data file (arXiv 2602.21193, section 3.1, without its lack of tests).

    Slot `i` takes row `i`; where that is rejected, the next tries take rows past `count`, each only once, so that
    spare rows fill the gaps.
    """

    use_name = "terminal_adapters"
    asks: ClassVar[bool] = False

    path: Path
    """JSON Lines (plain or .gz) or Parquet."""
    kind: Literal["math", "code", "swe", "auto"] = "auto"
    """What the rows are; `auto` tells by each row's fields."""
    count: int = Field(default=0, ge=0)
    """How many tasks, at most one a row; 0: as many as there are rows."""
    shuffle: bool = False
    """Take the rows in random order instead of the file's."""
    shuffle_seed: int = 0
    """Decides that order."""
    license: str = ""
    """Of the data; kept with every task. A row's own `license` goes first."""

    @model_validator(mode="after")
    def _count_rows(self) -> Self:
        try:
            rows = len(open_rows(self.path))
        except DataError as error:
            raise ValueError(f"path: {error}") from error
        if not rows:
            raise ValueError(f"path: {self.path} has no rows")
        if self.count > rows:
            raise ValueError(f"count: {self.count} tasks wanted, but {self.path} has {rows} rows, one task each")
        object.__setattr__(self, "count", self.count or rows)
        return self

    def inputs(self) -> Iterable[Path]:
        """The rows."""
        return [self.path]

    async def make(self, slot: Slot, chat: Chat | None = None) -> Draft | Reject:
        """The task of one row. Raises DataError with file and line where the row is not what `kind` says."""
        rows = open_rows(self.path)
        place = slot.index + slot.retry * self.count
        if place >= len(rows):
            detail = f"{self.path.name} has {len(rows)} rows, all used"
            return Reject(reason="no_rows_left", detail=detail, final=True)
        number = shuffled(len(rows), self.shuffle_seed)[place] if self.shuffle else place
        row = rows[number]
        source = Source(
            generator=self.use_name,
            item=str(row.get("task_id") or row.get("instance_id") or row.get("id") or rows.item(number)),
            license=str(row.get("license") or self.license),
            facts={"row": rows.item(number)},
        )
        made = self._adapt(row, source, rows, number)
        return made.but(generator=self.use_name, what=row) if isinstance(made, Reject) else made

    def _adapt(self, row: Mapping[str, Any], source: Source, rows: Rows, number: int) -> Draft | Reject:
        tried = [self.kind] if self.kind != "auto" else list(KINDS)
        for kind in tried:
            fits, makes, _ = KINDS[kind]
            if fits(row):
                return makes(row, source)
        wanted = "; or ".join(f"{KINDS[kind][2]} ({kind})" for kind in tried)
        raise DataError(f"{rows.where(number)}: the row has {', '.join(sorted(row)) or 'no fields'}; wanted {wanted}")
