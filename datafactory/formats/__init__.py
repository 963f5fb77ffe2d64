"""Formats that other systems read; `FORMATS` names the exports.

An export of attempts is a function `(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int`: it streams the
pairs into files in `folder` and says how many records it wrote. `harbor` is a format of tasks: its function takes
those, `(tasks: Iterable[Task], folder: Path, *, images) -> list[Path]`, and says which folders it made.
"""

FORMATS: dict[str, str] = {
    "messages": "datafactory.table:export",
    "atif": "datafactory.formats.atif:export",
    "conversations": "datafactory.formats.conversations:export",
    "sharegpt": "datafactory.formats.conversations:export_sharegpt",
    "harbor": "datafactory.formats.harbor:write_tasks",
}
