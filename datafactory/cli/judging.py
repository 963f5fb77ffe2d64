"""`datafactory judges`: how far the judges of a run agree with its verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from datafactory.cli.printing import console, say_json, shorten, words
from datafactory.judging.report import Standing, standings
from datafactory.judging.resampling import Estimate
from datafactory.judging.scored import Scored, scored
from datafactory.storage import open_run

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 8
"""Thresholds that are printed, evenly spread; `--json` has more."""


def judges(run: str, runs: Path, *, plots: Path | None, as_json: bool) -> None:
    """Print each judge's measures against the verdicts; with `plots`, draw them there. Raises DataError where nothing
    was judged, Missing where plots are wanted and matplotlib is not there."""
    found = scored(open_run(run, runs))
    made = standings(found.rows)
    drawn: list[Path] = []
    if plots is not None:
        from datafactory.judging.plots import plot

        drawn = plot(made, plots)
    if as_json:
        told = [standing.as_json() for standing in made]
        stage = {"from": str(found.stage.path), "complete": found.complete, "attempts": found.attempts}
        say_json({**stage, "judges": told, "plots": [str(path) for path in drawn]})
        return
    _print(found, made, drawn, console())


def _print(found: Scored, made: list[Standing], drawn: list[Path], out: Console) -> None:
    state = "" if found.complete else " (so far: the stage is not complete)"
    out.print(words(f"{found.attempts:,} attempts in {found.stage.path.name}{state}", "bold"))
    for standing in made:
        out.print()
        out.print(words(_title(standing)), soft_wrap=True)
        if standing.truth.attempts:
            out.print(_measures(standing))
            out.print()
            out.print(_thresholds(standing))
        for note in standing.truth.notes:
            out.print(words(f"  note: {note}", "yellow"), soft_wrap=True)
    out.print()
    out.print(words("In brackets: 95 % intervals, by bootstrap over tasks.", "dim"))
    for path in drawn:
        out.print(words(f"drawn: {path}"), soft_wrap=True)


def _title(standing: Standing) -> str:
    truth = standing.truth
    said = f"{shorten(standing.rubric, 40)} by {shorten(standing.judge, 60)}: {truth.attempts:,} attempts"
    said += f" at {truth.tasks:,} tasks, {100 * truth.solved:.1f} % solved"
    if standing.unreadable:
        said += f"; {standing.unreadable:,} of {standing.scores:,} scores cannot be read"
    if standing.unverified:
        said += f"; {standing.unverified:,} without a verdict"
    return said


def _measures(standing: Standing) -> Table:
    truth, worst = standing.truth, standing.truth.worst
    table = _table("", "", "", "")
    table.show_header = False
    _row(table, "pairwise accuracy", truth.accuracy, f"{truth.pairs:,} pairs")
    if worst is not None:
        _row(table, "worst domain", worst[1], f"{shorten(worst[0], 40)}, {worst[2]:,} pairs")
    _row(table, "ROC AUC", truth.auc, "0.5 is guessing")
    if truth.constant_brier is not None:
        _row(table, "Brier score", truth.brier, f"{truth.constant_brier:.3f}: always saying {truth.solved:.3f}")
        _row(table, "calibration error", truth.ece, "0 is calibrated")
    if truth.best:
        best = truth.best[-1]
        _row(table, f"best of {best.k}", best.judge, f"reward; of any {best.chance:.3f} ({best.tasks:,} tasks)")
        _row(table, "  lost", best.loss, f"against the best there is, {best.oracle.value:.3f}")
    return table


def _thresholds(standing: Standing) -> Table:
    table = _table("keep from", "kept", "precision", "recall")
    all_of_them = standing.truth.thresholds
    step = max(1, (len(all_of_them) - 1) / (SHOWN - 1))
    places = sorted({round(number * step) for number in range(min(SHOWN, len(all_of_them)))})
    for found in (all_of_them[place] for place in places):
        kept = f"{100 * found.kept / standing.truth.attempts:.1f} %"
        table.add_row(f"{found.least:g}", kept, _said(found.precision), _said(found.recall))
    return table


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    return table


def _row(table: Table, name: str, found: Estimate | None, more: str) -> None:
    value, interval = ("-", "") if found is None else (f"{found.value:.3f}", f"[{found.low:.3f}, {found.high:.3f}]")
    table.add_row(words(name), value, words(interval), words(more))


def _said(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
