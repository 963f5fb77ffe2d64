"""Shelves and run folders on disk: what exists is the state."""

from datafactory.storage.examining import Damage, examine
from datafactory.storage.journal import Journal, lines, rows
from datafactory.storage.layout import RunFolder, StageFolder, is_running, open_run
from datafactory.storage.mending import mend
from datafactory.storage.shelf import (
    FAILURES,
    MANIFEST,
    RECORDS,
    REJECTED,
    REJECTS,
    TABLE,
    Shelf,
    dump,
    read_manifest,
    write_whole,
)
from datafactory.storage.tasks import Tasks, is_task

__all__ = [
    "FAILURES",
    "MANIFEST",
    "RECORDS",
    "REJECTED",
    "REJECTS",
    "TABLE",
    "Damage",
    "Journal",
    "RunFolder",
    "Shelf",
    "StageFolder",
    "Tasks",
    "dump",
    "examine",
    "is_running",
    "is_task",
    "lines",
    "mend",
    "open_run",
    "read_manifest",
    "rows",
    "write_whole",
]
