"""`datafactory plan`: what a run would do, what is done, and what the rest would cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datafactory.calls import CALLS, spending
from datafactory.cli.printing import console, say_json, words
from datafactory.cli.spent import as_row, caps, in_words
from datafactory.pipeline import Pipeline, load
from datafactory.storage import StageFolder


def rows(pipeline: Pipeline, folder: Path) -> list[dict[str, Any]]:
    """One row a stage: `stage, folder, state, done, expected, asks`."""
    made = []
    before: int | None = None
    for planned in pipeline.stages:
        on_disk = StageFolder(planned.number, planned.name, folder / planned.folder)
        manifest = on_disk.manifest
        done = manifest["kept"] if manifest else on_disk.count()
        expected = planned.stage.expected(before)
        made.append(
            {
                "stage": planned.name,
                "folder": str(on_disk.path),
                "state": "complete" if manifest else ("begun" if on_disk.path.exists() else "new"),
                "done": done,
                "expected": expected,
                "asks": "" if expected is None else planned.stage.calls(max(0, expected - done)),
            }
        )
        before = done if manifest else expected
    return made


def plan(path: Path, runs: Path, *, as_json: bool) -> None:
    """Print the plan of a pipeline file; every mistake in the file is found on the way."""
    pipeline = load(path)
    made = rows(pipeline, runs / pipeline.name)
    spent = spending(runs / pipeline.name / CALLS).total
    if as_json:
        budget = pipeline.budget.model_dump(exclude_none=True)
        say_json(
            {"name": pipeline.name, "seed": pipeline.seed, "budget": budget, "spent": as_row(spent), "stages": made}
        )
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("stage", "state", "done", "at most", "asks for"):
        numbers = column in ("done", "at most")
        table.add_column(column, justify="right" if numbers else "left", no_wrap=column != "asks for")
    for row in made:
        most = "?" if row["expected"] is None else f"{row['expected']:,}"
        asks = "nothing: it is done" if row["state"] == "complete" else row["asks"]
        table.add_row(words(row["stage"]), row["state"], f"{row['done']:,}", most, words(asks))
    out = console()
    out.print(words(f"{pipeline.name}  seed {pipeline.seed}  {runs / pipeline.name}", "bold"))
    out.print()
    out.print(table)
    if capped := caps(pipeline.budget):
        out.print()
        out.print(words(f"budget: {capped}"))
    if spent.calls or spent.gpu_seconds:
        out.print(words(f"spent so far: {in_words(spent)}"))
