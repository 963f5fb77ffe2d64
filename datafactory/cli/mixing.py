"""`datafactory mixture`: what a curriculum would make of the rows of a finished run, before it is made."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from datafactory.cli.composing import counts, drawn
from datafactory.cli.parts import curriculum_in
from datafactory.cli.printing import console, say_json, words
from datafactory.errors import ConfigError
from datafactory.gathering.finished import last_attempts, table_of_finished
from datafactory.pipeline import document
from datafactory.protocols import Accounted, Curriculum
from datafactory.registry import build
from datafactory.stages.arrange import order
from datafactory.stages.labels import label
from datafactory.stages.sifting import ROW
from datafactory.storage import RunFolder, open_run
from datafactory.table import scan

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table

KINDS = ("origin", "domain", "generator", "difficulty", "solved")
"""Columns by which rows are counted."""
LIGHT = ("task_id", *KINDS, "student_tokens", "n_chars")


def mixture(run: str, runs: Path, *, file: Path | None, seed: int | None, as_json: bool) -> None:
    """Print what the curriculum of `file`, or the run's own, makes of the rows in front of `arrange`. Raises
    ConfigError, DataError, FilterError."""
    folder = open_run(run, runs)
    curriculum = curriculum_in(document.read(file)) if file is not None else _own(folder)
    stage = last_attempts(folder, before="arrange")
    drawn_by = folder.seed if seed is None else seed
    with TemporaryDirectory() as aside:
        rows = scan(table_of_finished(folder, stage, Path(aside)))
        _, places = order(curriculum, rows, drawn_by)
        there = rows.collect_schema().names()
        light = rows.select(name for name in LIGHT if name in there).with_row_index(ROW).collect(engine="streaming")
        rules = curriculum.account(rows, seed=drawn_by) if isinstance(curriculum, Accounted) else []
    told = {
        "run": folder.name,
        "from": str(stage.path),
        "curriculum": label(curriculum),
        "seed": drawn_by,
        "rules": rules,
        "parts": plan(light, places),
    }
    if as_json:
        say_json(told)
    else:
        _print(told, console())


def plan(light: pl.DataFrame, places: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows, tasks, tokens and characters before and after, in all, by phase and by each value of `KINDS`; `repeats` is
    how often a row is seen at most. `tokens` are the student's: None where a row has none."""
    seen = places.join(light, on=ROW, how="left", maintain_order="left")
    made = [_part("all", None, light, seen)]
    if "phase" in seen.columns:
        made += [_part("phase", number, None, rows) for (number,), rows in seen.group_by("phase", maintain_order=True)]
    for kind in KINDS:
        if kind not in light.columns:
            continue
        before, after = ({key[0]: rows for key, rows in frame.group_by(kind)} for frame in (light, seen))
        if set(before) - {None, ""}:
            values = sorted(before, key=lambda value: (value is None, str(value)))
            made += [_part(kind, value, before[value], after.get(value, seen.clear())) for value in values]
    return made


def _part(by: str, value: Any, before: pl.DataFrame | None, after: pl.DataFrame) -> dict[str, Any]:
    import polars as pl

    repeats = after.select(pl.len().over(ROW).max()).item() or 0
    sides = {"before": None if before is None else counts(before), "after": counts(after)}
    return {"by": by, "value": value, **sides, "repeats": repeats}


def _own(folder: RunFolder) -> Curriculum:
    """The curriculum of the run's own pipeline. Raises ConfigError."""
    recipes = [stage for stage in folder.pipeline.get("stages", []) if stage.get("use") == "arrange"]
    if not recipes:
        raise ConfigError(f"{folder.name} has no stage arrange; name a curriculum: --with FILE")
    problems: list[Any] = []
    made = build("curriculum", recipes[0]["curriculum"], ("curriculum",), problems)
    if made is None:
        raise ConfigError([f"{folder.path}: {problem}" for problem in problems])
    return cast(Curriculum, made)


def _print(told: dict[str, Any], out: Console) -> None:
    whole = told["parts"][0]
    out.print(words(f"{told['curriculum']}, seed {told['seed']}, of {told['from']}", "bold"), soft_wrap=True)
    out.print()
    if told["rules"]:
        out.print(_rules(told["rules"]))
        out.print()
    out.print(drawn(told["parts"]))
    if whole["repeats"] > 1:
        out.print(words(f"a row is seen {whole['repeats']} times at most", "dim"))
    if not whole["after"]["rows"]:
        out.print(words("nothing would be trained on", "yellow"))


def _rules(rules: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("rule", max_width=64, overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    for step in rules:
        name = step["rule"] if step.get("phase") is None else f"phase {step['phase']}: {step['rule']}"
        note = step["rows"] is None
        table.add_row(words(name, "yellow" if note else ""), "" if note else f"{step['rows']:,}")
    return table
