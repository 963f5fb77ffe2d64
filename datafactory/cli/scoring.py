"""`datafactory scores`: what a run's student learned, beside what it was before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from datafactory.cli.printing import console, say_json, shorten, words
from datafactory.errors import DataError
from datafactory.evaluating.overlap import WORDS, Overlap
from datafactory.evaluating.report import FILE, Evaluation, Group, Result, Standing, evaluation, result
from datafactory.evaluating.statistics import Interval
from datafactory.storage import RunFolder, StageFolder, open_run
from datafactory.types import Model, Trial

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PARTS = {
    "combination": "unseen combinations",
    "task": "seen combinations",
    "trained": "trained on (no test)",
}
"""What the parts of held-out tasks are called."""


def scores(run: str, runs: Path, *, as_json: bool) -> None:
    """Print the evaluation of a run, as far as it has come. Raises DataError where nothing was evaluated."""
    found, stage = evaluation_in(open_run(run, runs))
    if as_json:
        say_json({"from": str(stage.path), **found.model_dump(mode="json")})
        return
    _print(found, console())


def evaluation_in(run: RunFolder) -> tuple[Evaluation, StageFolder]:
    """What was written when the stage was through, or else a count of the trials so far. Raises DataError."""
    stage = next((stage for stage in reversed(run.stages) if stage.name == "evaluate"), None)
    path = stage.path / FILE if stage is not None else Path(FILE)
    if stage is not None and stage.manifest is not None and path.exists():
        try:
            return Evaluation.model_validate_json(path.read_bytes()), stage
        except ValueError as error:
            raise DataError(f"{path}: not an evaluation ({error}); make it anew with --from evaluate") from error
    made: dict[str, Result] = {}
    for row in stage.records() if stage is not None else ():
        trial = Trial.model_validate(row)
        made[trial.id] = result(trial)
    if stage is None or not made:
        raise DataError(f"{run.path}: nothing was evaluated yet; a stage `evaluate` does it (docs/evaluate.md)")
    model = next(Model.model_validate(row) for train in run.stages if train.name == "train" for row in train.records())
    lost = {str(row["key"]) for row in stage.failures()} - made.keys()
    recipe = run.pipeline["stages"][stage.number - 1]
    told = evaluation(made.values(), model, run=run.name, attempts=recipe["attempts"], lost=len(lost), shared=None)
    return told, stage


def in_short(found: Evaluation) -> str:
    """One line on all held-out tasks."""
    group = found.group("all")
    if group is None:
        return "no task that was held out"
    told = [f"{name} {_percent(one.pass_at.get(1) if one else None)} %" for name, one in _both(group)]
    return f"pass@1 on held-out tasks: {', '.join(told)}"


def _both(group: Group) -> tuple[tuple[str, Standing | None], tuple[str, Standing | None]]:
    return ("base", group.base), ("trained", group.trained)


def _tasks(group: Group | None) -> int:
    return max((one.tasks for _, one in _both(group) if one is not None), default=0) if group is not None else 0


def _print(found: Evaluation, out: Console) -> None:
    out.print(words(f"{found.model} against {found.base}", "bold"), soft_wrap=True)
    out.print(words(_extent(found)), soft_wrap=True)
    for title, kinds in (
        ("tasks: pass@1 in percent", ("all", "part", "domain", "generator")),
        ("questions of another domain: right answers in percent", ("prompts",)),
    ):
        groups = [made for made in found.groups if made.by in kinds and not _repeats(made, found)]
        if groups:
            out.print()
            out.print(words(title))
            out.print(_compared(groups))
    if (widest := found.group("all") or found.group("part")) is not None:
        out.print()
        out.print(_students(widest))
    if found.overlap is not None:
        out.print()
        for line in in_words(found.overlap):
            out.print(words(line), soft_wrap=True)
    out.print()
    notes = "In brackets: 95 % intervals, by bootstrap over tasks. p: McNemar's exact test on first attempts."
    out.print(words(notes, "dim"))


def _extent(found: Evaluation) -> str:
    said = f"{_tasks(found.group('all')):,} held-out tasks, {found.attempts} attempts at each"
    said += " so far: the stage is not through" if found.overlap is None else ""
    return said + (f"; the infrastructure lost {found.lost:,} trials, which count nowhere" if found.lost else "")


def _repeats(group: Group, found: Evaluation) -> bool:
    """Whether a generator or domain is the only one, so that its line would say the same as the first."""
    return group.by in ("domain", "generator") and sum(made.by == group.by for made in found.groups) == 1


def _compared(groups: list[Group]) -> Table:
    table = _table("", "tasks", "base", "trained", "difference", "p")
    for group in groups:
        gap = group.difference
        name = PARTS.get(group.name, group.name) if group.by == "part" else group.name
        table.add_row(
            words(shorten(name, 23)),
            f"{_tasks(group):,}",
            _percent(group.base.pass_at.get(1) if group.base else None),
            _percent(group.trained.pass_at.get(1) if group.trained else None),
            _percent(gap.pass_at.get(1) if gap else None, sign="+"),
            "-" if gap is None else f"{gap.p:.3f}" if gap.p >= 0.001 else f"{gap.p:.0e}",
        )
    return table


def _students(group: Group) -> Table:
    table = _table(PARTS.get(group.name, group.name), "base", "trained")
    both = [one for _, one in _both(group)]

    def row(name: str, found: list[Interval | None], digits: int = 3) -> None:
        if any(found):
            table.add_row(name, *(_said(one, digits=digits) for one in found))

    for k in sorted({k for one in both if one is not None for k in one.pass_at}):
        row(f"pass@{k}", [one.pass_at.get(k) if one else None for one in both])
    row("reward", [one.reward if one else None for one in both])
    row("turns that could be read", [one.valid if one else None for one in both])
    row("turns of an attempt", [one.turns if one else None for one in both], 1)
    row("tokens of an attempt", [one.tokens if one else None for one in both], 0)
    ends = [", ".join(f"{stop} {count:,}" for stop, count in one.stops.items()) if one else "-" for one in both]
    table.add_row("ended", *map(words, ends))
    return table


def in_words(shared: Overlap) -> list[str]:
    """The overlap of held-out tasks with training rows, a line for each thing to know."""
    tasks = sum(shared.tasks.values())
    lines = [f"trained on {shared.trained_tasks:,} tasks of {shared.trained_combinations:,} combinations of skills"]
    for part, name in PARTS.items():
        if part in shared.tasks:
            common = (
                f"{shared.combinations_in_common.get(part, 0):,} of {shared.combinations.get(part, 0):,} combinations"
            )
            lines.append(f"  {name}: {shared.tasks[part]:,} tasks; {common} are trained on")
    share = "" if shared.shared_share is None else f" ({100 * shared.shared_share:.1f} % of all such runs of words)"
    lines.append(f"  {shared.same_prompts:,} of {tasks:,} prompts stand in the training rows word for word")
    lines.append(f"  {shared.shared_words:,} share {WORDS} words in a row with a trained prompt{share}")
    return lines


def _said(found: Interval | None, *, digits: int = 3) -> str:
    if found is None:
        return "-"
    value, low, high = (f"{number:,.{digits}f}" for number in found)
    return f"{value} [{low}, {high}]"


def _percent(found: Interval | None, *, sign: str = "") -> str:
    """One decimal; none in bounds from 10 on, which are no surer than that."""
    if found is None:
        return "-"
    value, *bounds = (100 * number for number in found)
    low, high = (f"{bound:{sign}.{int(abs(bound) < 10 and bound != 0)}f}" for bound in bounds)
    return f"{value:{sign}.1f} [{low}, {high}]"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, overflow="fold")
    return table
