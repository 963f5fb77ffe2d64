"""The frame in which reference solutions read and write CSV files."""

from __future__ import annotations

import textwrap
from typing import Any

from datafactory.types import Step
from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.skill import Artefact, python

READ = """\
with open($src, newline='', encoding='utf-8') as f:
    rows = list(csv.DictReader(f$dialect))
"""

WRITE = """\
with open($dst, 'w', newline='', encoding='utf-8') as f:
    writer = csv.DictWriter(f, $columns, lineterminator='\\n', extrasaction='ignore')
    writer.writeheader()
    writer.writerows(rows)
"""


def rework(
    thought: str, item: Artefact, path: str, table: Table, body: str, *, delimiter: str = ",", **values: Any
) -> Step:
    """A step that reads `item` as `rows` (dicts), runs `body` over them, and writes `rows` to `path`."""
    code = _reading(body, delimiter) + "\n" + WRITE
    return python(thought, code, src=item.path, dst=path, columns=list(table.names), **values)


def read_only(thought: str, item: Artefact, body: str, **values: Any) -> Step:
    """A step that reads `item` as `rows` (dicts) and runs `body`."""
    return python(thought, _reading(body), src=item.path, **values)


def _reading(body: str, delimiter: str = ",") -> str:
    """The program that reads the rows and goes on with `body`, all imports on top."""
    lines = textwrap.dedent(body).strip("\n").splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    kept = "\n".join(line for line in lines if line not in imports).lstrip("\n")
    head = "\n".join(sorted(["import csv", *imports], key=lambda line: (line.startswith("from"), line)))
    dialect = "" if delimiter == "," else f", delimiter={delimiter!r}"
    return f"{head}\n\n{READ.replace('$dialect', dialect)}{kept}"


def zero_note(table: Table, column: Column) -> str:
    """What to say of empty cells in a numeric column; nothing where there are none."""
    return f" (an empty `{column.name}` counts as 0)" if table.has_blanks(column) else ""
