"""Takes out of a run what is damaged, so that the next run makes it again; nothing is thrown away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from datafactory.errors import StorageError, boundary
from datafactory.storage.examining import CALLS, Damage
from datafactory.storage.journal import lines
from datafactory.storage.shelf import FAILURES, MANIFEST, RECORDS, TABLE
from datafactory.storage.sums import SUFFIX, sums_of
from datafactory.whole import whole

ASIDE = ".damaged"
"""What the name of a file ends with in which damaged things are kept."""


def mend(damages: Iterable[Damage]) -> Iterator[str]:
    """Take out what is damaged, and say in a line what was done to each file. Hold the run's lock meanwhile.

    A damaged line goes to a file beside its journal; its stage is no longer complete, and the next run makes that
    record again (from answers that are in the ledger, where a teacher gave them). A damaged table is set aside, and
    its stage made anew. A damaged ledger is set aside: its answers are paid for again where they are needed.
    """
    by_file: dict[Path, list[Damage]] = defaultdict(list)
    for damage in damages:
        by_file[damage.path].append(damage)
    for path, found in by_file.items():
        with boundary(StorageError, f"mending {path}"):
            yield f"{path}: {_mended(path, found)}"


def _mended(path: Path, found: list[Damage]) -> str:
    if path.suffix == ".jsonl":
        return _journal(path, {damage.line for damage in found if damage.line})
    folder = path.parent
    if path.name == CALLS:
        for part in (path, *path.parent.glob(f"{CALLS}-*")):
            part.rename(part.with_name(part.name + ASIDE))
        return "set aside; answers in it are paid for again where a run needs them"
    path.rename(path.with_name(path.name + ASIDE))
    if path.name == TABLE and (folder / RECORDS).exists():
        return "set aside; it is made anew of the records"
    (folder / MANIFEST).unlink(missing_ok=True)
    return "set aside; the next run completes its stage anew"


def _journal(path: Path, bad: set[int]) -> str:
    kept: list[bytes] = []
    taken: list[bytes] = []
    with whole(path) as draft, draft.open("wb") as file:
        for number, line in enumerate(lines(path), 1):
            if number in bad:
                taken.append(line)
                continue
            kept.append(sums_of([line]))
            file.write(line + b"\n")
    with path.with_name(path.name + ASIDE).open("ab") as file:
        file.writelines(line + b"\n" for line in taken)
    with whole(path.with_name(path.name + SUFFIX)) as draft:
        draft.write_bytes(b"".join(kept))
    if path.name == FAILURES:
        return f"{len(taken):,} lines taken out"
    (path.parent / MANIFEST).unlink(missing_ok=True)
    return f"{len(taken):,} lines taken out; the next run makes again what is missing"
