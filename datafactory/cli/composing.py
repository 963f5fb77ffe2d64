"""What rows are made of, before and after something was done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datafactory.cli.printing import short, shorten, words

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table


def counts(rows: pl.DataFrame) -> dict[str, Any]:
    """Rows, tasks, tokens (the student's; None where a row has none) and characters. Reads `task_id`, `student_tokens`,
    `n_chars`."""
    tokens = None if rows["student_tokens"].null_count() else int(rows["student_tokens"].sum())
    chars = int(rows["n_chars"].sum())
    return {"rows": rows.height, "tasks": rows["task_id"].n_unique(), "tokens": tokens, "chars": chars}


def drawn(parts: list[dict[str, Any]]) -> Table:
    """Parts `{by, value, before, after}` as lines: `before` is None where there was no such part."""
    from rich.table import Table

    counted = all(side is None or side["tokens"] is not None for one in parts for side in (one["before"], one["after"]))
    size = "tokens" if counted else "chars"
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "", "rows", "tasks", size):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    last = ""
    for one in parts:
        value = "" if one["by"] == "all" else "unknown" if one["value"] is None else str(one["value"])
        cells = [_change(one, "rows"), _change(one, "tasks"), _change(one, size, rough=True)]
        name = one["by"] if one["by"] != last else ""
        style = "bold" if one["by"] == "all" else ""
        table.add_row(words(name, "dim"), words(shorten(value, 24)), *cells, style=style)
        last = one["by"]
    return table


def _change(one: dict[str, Any], key: str, *, rough: bool = False) -> str:
    sides = [one[side][key] for side in ("before", "after") if one[side] is not None]
    return " > ".join(short(number) if rough else f"{number:,}" for number in sides)
