"""Mask narrows the loss, says why, and loses no row."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from datafactory.errors import FilterError
from datafactory.spec import Spec
from datafactory.stages.mask import Mask
from datafactory.table import scan
from filters.format import Format
from filters.markers.errors import Errors
from filters.markers.repeats import Repeats
from filters.markers.unfinished import Unfinished
from tests.filters.process_rows import bash, frame, result, said

WRONG = result("bash: frob: command not found\n[exit code 127]")
LOOK = [bash("ls src"), result("core.py\n[exit code 0]")]
ROWS = [
    {"messages": [said("Mend it.", "user"), *LOOK, *LOOK, bash("frob"), WRONG]},
    {"messages": [said("Mend it.", "user"), *LOOK]},
    {"messages": [said("Mend it.", "user"), bash("frob"), WRONG]},
]


def masked(folder: Path, *markers: Any, rows: pl.LazyFrame | None = None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The table that the stage writes, and what it notes."""
    source, made = folder / "source", folder / "made"
    source.mkdir(exist_ok=True)
    made.mkdir(exist_ok=True)
    (frame(*ROWS) if rows is None else rows).collect().write_parquet(source / "records.parquet")
    facts: dict[str, Any] = {}
    shelf = SimpleNamespace(folder=made, facts=facts, tell=lambda kept, dropped: facts.update(kept=kept))
    run: Any = SimpleNamespace(shelf=shelf, seed=7, progress=SimpleNamespace(finished=0))
    before: Any = SimpleNamespace(folder=source)
    asyncio.run(Mask(markers=markers).run(before, run))
    return scan(made / "records.parquet").collect(), facts


def test_turns_lose_their_loss_and_rows_stay(tmp_path: Path) -> None:
    table, facts = masked(tmp_path, Errors(), Repeats())
    assert table["id"].to_list() == ["t/0", "t/1", "t/2"]
    assert table["train_turns"].to_list()[0] == [False, True, False, False, False, False, False]
    assert table["train_turns"].to_list()[1] == [False, True, False]
    reasons = table["masked"].to_list()
    assert reasons[0][3] == "repeats: message 2 again, with the same result"
    assert reasons[0][5].startswith("errors: ")
    assert [reason for place, reason in enumerate(reasons[0]) if place not in (3, 5)] == [None] * 5
    assert reasons[1] == []
    assert facts["kept"] == 3
    assert facts["masked"] == {"errors": {"rows": 2, "turns": 2}, "repeats": {"rows": 1, "turns": 1}}


def test_nothing_else_of_a_row_is_changed(tmp_path: Path) -> None:
    table, _ = masked(tmp_path, Errors(), Repeats(), Unfinished())
    own = ["train_turns", "masked"]
    assert table.drop(own).to_dicts() == frame(*ROWS).collect().drop(own).to_dicts()


def test_the_order_of_markers_gives_other_reasons_at_most(tmp_path: Path) -> None:
    one, _ = masked(tmp_path, Errors(), Repeats(), Unfinished())
    other, _ = masked(tmp_path, Unfinished(), Repeats(), Errors())
    assert one["train_turns"].equals(other["train_turns"])


def test_a_row_that_is_left_with_nothing_to_learn_is_counted_and_refused_by_format(tmp_path: Path) -> None:
    table, facts = masked(tmp_path, Errors())
    assert facts["untrainable"] == 1
    rows = table.lazy()
    reasons = rows.select(why=Format().reject(rows)).collect()["why"].to_list()
    assert reasons[2] is not None
    assert reasons[2].startswith("format: ")


def test_masking_twice_keeps_the_first_reasons(tmp_path: Path) -> None:
    first, _ = masked(tmp_path, Repeats())
    table, facts = masked(tmp_path, Errors(), rows=first.lazy())
    assert table["masked"].to_list()[0][3] == "repeats: message 2 again, with the same result"
    assert facts["masked"] == {"errors": {"rows": 2, "turns": 2}}


class Short(Spec):
    """A marker that gives too short lists."""

    def mark(self, rows: pl.LazyFrame) -> pl.Expr:
        return pl.lit(["x"]).repeat_by(1).list.eval(pl.element().list.first())


def test_a_marker_whose_lists_do_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(FilterError, match="a list of 1 for 7 messages"):
        masked(tmp_path, Short())
