"""Plots of judges held against verdicts: calibration, ROC, precision and recall, and the best of k."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import Missing, StorageError, boundary
from datafactory.judging.report import Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("png", "svg")


def plot(standings: Sequence[Standing], to: Path) -> list[Path]:
    """Four plots for each rubric, with a line for each of its judges, as PNG and SVG in `to`; one that no judge of the
    rubric has numbers for is left out. Gives the files. Raises Missing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Missing("plots need matplotlib: pip install 'datafactory[plots]'") from error
    made = []
    for rubric in sorted({standing.rubric for standing in standings}):
        for name, (draws, draw, has) in PLOTS.items():
            of = [standing for standing in standings if standing.rubric == rubric and has(standing)]
            if not of:
                continue
            figure = Figure(figsize=(5.2, 4.6), layout="constrained")
            FigureCanvasAgg(figure)
            axes = figure.add_subplot()
            draws(axes)
            for standing in of:
                draw(axes, standing)
            axes.set_title(f"{rubric}: {name.replace('-', ' ')}", fontsize=10)
            axes.legend(fontsize=8)
            axes.grid(alpha=0.25)
            with boundary(StorageError, f"writing plots to {to}"):
                to.mkdir(parents=True, exist_ok=True)
                for suffix in FORMATS:
                    path = to / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', rubric)}-{name}.{suffix}"
                    figure.savefig(path, dpi=130)
                    made.append(path)
    return made


def _unit(axes: Axes, x: str, y: str, *, diagonal: str = "") -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y)
    if diagonal:
        axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label=diagonal)


def _calibration_frame(axes: Axes) -> None:
    _unit(axes, "score", "share that the checks found solved", diagonal="calibrated")


def _calibration(axes: Axes, standing: Standing) -> None:
    bins, error = standing.truth.bins, standing.truth.ece
    said = standing.judge if error is None else f"{standing.judge}, ECE {error.value:.3f}"
    [line] = axes.plot([b.said for b in bins], [b.solved for b in bins], marker="", label=said)
    most = max(b.count for b in bins)
    sizes = [12 + 120 * b.count / most for b in bins]  # the area is the number of attempts
    axes.scatter([b.said for b in bins], [b.solved for b in bins], s=sizes, color=line.get_color(), alpha=0.6)


def _roc_frame(axes: Axes) -> None:
    _unit(axes, "unsolved attempts kept", "solved attempts kept", diagonal="guessing")


def _roc(axes: Axes, standing: Standing) -> None:
    curves, auc = standing.truth.curves, standing.truth.auc
    said = standing.judge if auc is None else f"{standing.judge}, AUC {auc.value:.3f}"
    axes.plot([0, *curves.unsolved_kept], [0, *curves.solved_kept], label=said)


def _precision_frame(axes: Axes) -> None:
    _unit(axes, "recall: solved attempts kept", "precision: solved among the kept")


def _precision(axes: Axes, standing: Standing) -> None:
    curves = standing.truth.curves
    # Between two scores nothing can be kept, so the curve has steps (scikit-learn's average precision).
    [line] = axes.step([0, *curves.solved_kept], [curves.precision[0], *curves.precision], where="pre")
    line.set_label(standing.judge)
    axes.axhline(standing.truth.solved, color=line.get_color(), linestyle=":", linewidth=1)


def _best_frame(axes: Axes) -> None:
    axes.set(xlabel="k attempts at a task", ylabel="mean reward of the one that is picked")


def _best(axes: Axes, standing: Standing) -> None:
    best = standing.truth.best
    ks = [b.k for b in best]
    [line] = axes.plot(ks, [b.judge.value for b in best], marker="o", label=standing.judge)
    axes.fill_between(
        ks, [b.judge.low for b in best], [b.judge.high for b in best], color=line.get_color(), alpha=0.15, linewidth=0
    )
    axes.plot(ks, [b.oracle.value for b in best], color=line.get_color(), linestyle="--", label="the best there is")
    axes.plot(ks, [b.chance for b in best], color=line.get_color(), linestyle=":", label="any")
    axes.set_xticks(ks if len(ks) <= 8 else ks[:: len(ks) // 8])


PLOTS: dict[str, tuple[Callable[[Any], None], Callable[[Any, Standing], None], Callable[[Standing], object]]] = {
    "calibration": (_calibration_frame, _calibration, lambda standing: standing.truth.bins),
    "roc": (_roc_frame, _roc, lambda standing: standing.truth.curves.scores),
    "precision-recall": (_precision_frame, _precision, lambda standing: standing.truth.curves.scores),
    "best-of-k": (_best_frame, _best, lambda standing: standing.truth.best),
}
"""For each plot its frame, a judge's line in it, and whether the judge has one."""
