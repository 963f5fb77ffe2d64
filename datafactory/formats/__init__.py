"""Formats that other systems read; `FORMATS` names the exports.

An export is a function `(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int`: it streams the
pairs into files in `folder` and says how many records it wrote.
"""

FORMATS: dict[str, str] = {
    "messages": "datafactory.table:export",
    "atif": "datafactory.formats.atif:export",
    "conversations": "datafactory.formats.conversations:export",
    "sharegpt": "datafactory.formats.conversations:export_sharegpt",
    "harbor": "datafactory.formats.harbor:export",
}
