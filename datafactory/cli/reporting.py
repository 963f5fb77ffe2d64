"""`datafactory report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

from datafactory.cli.funnel import count
from datafactory.cli.printing import size
from datafactory.errors import StorageError, boundary
from datafactory.reporting import facts, read_attempts, render
from datafactory.storage import open_run
from datafactory.whole import whole


def report(run: str, runs: Path, *, to: Path | None) -> None:
    """Write the page of a run to `to`, or to `<run>.html` here. Raises DataError, StorageError."""
    folder = open_run(run, runs)
    found = read_attempts(folder)
    text = render(facts(folder, count(folder).as_json()), found)
    path = to or Path(f"{folder.name}.html")
    with boundary(StorageError, f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    all_of_them = len(found.rows.get("task", ()))
    print(f"{path}: {size(len(text))}, {all_of_them:,} attempts, {found.shown:,} with their conversations")
