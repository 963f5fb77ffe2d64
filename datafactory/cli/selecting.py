"""`datafactory select`: filters tried on a finished shelf, without making anything anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from datafactory.cli.changes import Trial, trial
from datafactory.cli.composing import drawn
from datafactory.cli.parts import OPTION, filters_in
from datafactory.cli.printing import bar, console, say_json, shorten, words
from datafactory.errors import ConfigError
from datafactory.gathering.finished import last_attempts, table_of_finished
from datafactory.pipeline import document
from datafactory.protocols import Filter
from datafactory.stages.select import Select
from datafactory.stages.sifting import ROW, decide, part
from datafactory.storage import REJECTED, TABLE, RunFolder, open_run
from datafactory.table import scan

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table

SHOWN = 6
"""Kinds of reasons that are printed of each filter; `--json` has them all."""


def select(
    run: str,
    runs: Path,
    *,
    file: Path | None,
    text: str | None,
    baseline: Path | None,
    to: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Print what the filters of `file` or `text` would keep of the rows that the run's `select` saw, against what it
    kept, or against the filters of `baseline`; without `dry_run` write both to the folder `to`. Raises ConfigError,
    DataError, FilterError."""
    filters = _filters(file, text)
    before = filters_in(document.read(baseline)) if baseline is not None else None
    _check(to, dry_run=dry_run)
    folder = open_run(run, runs)
    stage = last_attempts(folder, before="select")
    with TemporaryDirectory() as aside:
        rows = scan(table_of_finished(folder, stage, Path(aside)))
        decided = decide(rows, filters)
        old, against = _before(folder, rows, before, baseline)
        made = trial(rows, decided, old)
        if to is not None and not dry_run:
            part(rows, decided, to / TABLE, to / REJECTED)
    told = {
        "run": folder.name,
        "from": str(stage.path),
        "rows": made.rows.height,
        "kept": made.kept,
        "funnel": made.funnel(filters),
        "against": against,
        "changes": made.changes(),
        "composition": made.composition(),
        "to": None if to is None else str(to),
    }
    if as_json:
        say_json(told)
    else:
        _print(told, made, console())


def _filters(file: Path | None, text: str | None) -> list[Filter]:
    if (file is None) == (text is None):
        raise ConfigError("name the filters to try: --with FILE, or --filters '[solved, {use: length, max_turns: 25}]'")
    doc = document.read(file) if file is not None else document.parse(text or "", OPTION)
    filters = filters_in(doc)
    if problems := list(Select(filters=tuple(filters)).problems()):
        raise ConfigError([f"{doc.path}: {problem}" for problem in problems])
    return filters


def _check(to: Path | None, *, dry_run: bool) -> None:
    if dry_run == (to is not None):
        raise ConfigError("either --dry-run, which writes nothing, or --to FOLDER, which writes what is kept there")
    if to is not None and to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to} is not an empty folder; name a new one, so that nothing is mixed or overwritten")


def _before(
    folder: RunFolder, rows: pl.LazyFrame, filters: Sequence[Filter] | None, file: Path | None
) -> tuple[pl.DataFrame, str]:
    """`_row`, `filter` and `reason` of the rows that were dropped before, and by whom, in words."""
    import polars as pl

    if filters is not None:
        return decide(rows, filters).dropped, str(file)
    stages = [stage for stage in folder.stages if stage.name == "select" and stage.manifest is not None]
    if not stages:
        return decide(rows, ()).dropped, "no filters"
    numbered = rows.select("id").with_row_index(ROW).collect(engine="streaming")
    dropped = [pl.read_parquet(stage.path / REJECTED, columns=["id", "filter", "reason"]) for stage in stages]
    gone = pl.concat(dropped).unique("id", keep="first", maintain_order=True)
    return numbered.join(gone, on="id", how="inner").drop("id"), f"select of {folder.name}"


def _print(told: dict[str, Any], made: Trial, out: Console) -> None:
    out.print(words(f"{told['rows']:,} rows in {told['from']}", "bold"), soft_wrap=True)
    out.print()
    out.print(_funnel(told["funnel"], told["rows"], told["kept"]))
    for step in told["funnel"]:
        if step["reasons"]:
            out.print()
            out.print(words(f"dropped by {step['filter']}"))
            _reasons(step["reasons"], out)
    changes = told["changes"]
    out.print()
    said = f"against {told['against']}: {changes['before']:,} rows before, {changes['after']:,} after"
    out.print(words(said, "bold"), soft_wrap=True)
    for way, what in (("in", "come in, which were dropped for"), ("out", "go out")):
        if changes[way]["rows"]:
            out.print(words(f"{changes[way]['rows']:,} {what}"))
            _reasons(changes[way]["reasons"], out)
    if changes["dropped_by_another"]:
        out.print(words(f"{changes['dropped_by_another']:,} are dropped as before, by another filter"))
    if not changes["in"]["rows"] and not changes["out"]["rows"]:
        out.print(words("the same rows stay"))
    out.print()
    out.print(drawn(told["composition"]))
    if told["to"]:
        out.print()
        out.print(
            words(f"{told['kept']:,} rows in {told['to']}/{TABLE}; a pipeline goes on with them:"), soft_wrap=True
        )
        out.print(words(f"  {{use: gather, sources: [{told['to']}]}}"), soft_wrap=True)


def _funnel(steps: list[dict[str, Any]], rows: int, kept: int) -> Table:
    table = _table("filter", "seen", "dropped", "", "share")
    for step in steps:
        share = step["dropped"] / step["seen"] if step["seen"] else 0.0
        cells = (f"{step['seen']:,}", f"{step['dropped']:,}", bar(share), f"{100 * share:.1f} %")
        table.add_row(words(shorten(step["filter"], 30)), *cells)
    share = kept / rows if rows else 0.0
    table.add_row("kept", f"{kept:,}", "", bar(share), f"{100 * share:.1f} %", style="bold")
    return table


def _reasons(found: list[dict[str, Any]], out: Console) -> None:
    for kind in found[:SHOWN]:
        more = f" (and {kind['rows'] - 1:,} like it)" if kind["rows"] > 1 else ""
        out.print(words(f"  {kind['rows']:>7,}  {shorten(kind['ids'][0], 30)}: {shorten(kind['reason'], 60)}{more}"))
    if rest := found[SHOWN:]:
        count = sum(kind["rows"] for kind in rest)
        out.print(words(f"  {count:>7,}  for {len(rest):,} other reasons (--json has them all)", "dim"))


def _table(first: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, max_width=30, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
