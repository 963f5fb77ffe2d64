"""The rows of a source as tables of our columns, whatever they were before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import DataError, StorageError, boundary
from datafactory.gathering.finished import table_of_finished
from datafactory.gathering.foreign import CONVERSATIONS, Foreigners
from datafactory.gathering.places import HUB, Place
from datafactory.table import COLUMNS, PHASE, RANK, RowWriter, empty, read_rows, scan

if TYPE_CHECKING:
    import polars as pl

OURS = {"id", "task_id", "messages", "content_hash"}
"""Columns by which a table of ours is known."""
ORDER = {RANK.name, PHASE.name}
"""Columns of an arranged table, which say nothing in another order."""


@dataclass
class Gathered:
    """One source, as tables of our columns, and what was done to it."""

    place: Place
    tables: list[pl.LazyFrame] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """Rows of others that could not be read: `<source>:<row>` and why."""
    dropped: set[str] = field(default_factory=set)
    """Columns that are none of ours."""
    revision: str = ""
    """The commit of a data set of the hub."""

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        made = {"name": self.place.label, "at": self.place.at, "unreadable": len(self.unreadable)}
        return made | {"columns_dropped": sorted(self.dropped)} | ({"revision": self.revision} if self.revision else {})


def read(place: Place, folder: Path) -> Gathered:
    """A source's rows; what must be written anew for it lies in `folder`. Raises DataError, StorageError."""
    made, foreigners = Gathered(place), Foreigners()
    found = place.run()
    if found is not None:
        paths = [table_of_finished(*found, folder)]
    elif place.on_hub:
        paths = [_written(_of_hub(place, made), folder / "hub.parquet", made, foreigners)]
    else:
        paths = place.files()
    for number, path in enumerate(paths):
        with boundary(StorageError, f"reading {path}"):
            names = set(scan(path).collect_schema().names())
        if not names >= OURS:
            if not names & set(CONVERSATIONS):
                raise DataError(f"{path}: no conversations in it: none of the columns {', '.join(CONVERSATIONS)}")
            rows = read_rows(path)
            path = _written(rows, folder / f"{number}.parquet", made, foreigners)
            made.dropped |= names - {column.name for column in COLUMNS} - set(CONVERSATIONS)
        made.tables.append(_aligned(scan(path), path, made))
    return made


def _aligned(rows: pl.LazyFrame, path: Path, made: Gathered) -> pl.LazyFrame:
    """Our columns in our order: those that are missing are empty, those that are none of ours are dropped."""
    import polars as pl

    given, ours = rows.collect_schema(), empty().collect_schema()
    made.dropped |= set(given) - set(ours) - ORDER
    columns = []
    for name, kind in ours.items():
        nothing = pl.lit([], kind) if isinstance(kind, pl.List) else pl.lit(None, kind)
        if name not in given:
            columns.append(nothing.alias(name))
        elif given[name] == kind or given[name] == pl.Null:
            whole = pl.col(name).cast(kind)
            columns.append(whole.fill_null(nothing) if isinstance(kind, pl.List) else whole)
        elif kind.is_numeric() and given[name].is_numeric():
            columns.append(pl.col(name).cast(kind, strict=True))
        else:
            raise DataError(f"{path}: the column {name!r} holds {given[name]}, where our rows have {kind}; rename it")
    return rows.select(columns)


def _written(rows: Iterable[Mapping[str, Any]], path: Path, made: Gathered, foreigners: Foreigners) -> Path:
    """Rows, ours or others', as a table of ours."""
    known, at = {column.name for column in COLUMNS}, 0
    with ExitStack() as stack:
        writer = stack.enter_context(RowWriter(path))
        for at, given in enumerate(rows, 1):
            if given.keys() >= OURS:
                made.dropped |= given.keys() - known - ORDER
                writer.write({name: value for name, value in given.items() if name in known})
                continue
            try:
                writer.write(foreigners.row(given))
            except DataError as error:
                made.unreadable.append((f"{made.place.label}:{at}", str(error)))
        if at and not writer.rows:
            key, reason = made.unreadable[0]
            raise DataError(f"{made.place.at}: none of its {at:,} rows can be read; of {key}: {reason}")
    return path


def _of_hub(place: Place, made: Gathered) -> Iterator[dict[str, Any]]:
    """The rows of a data set, streamed. Raises StorageError."""
    with boundary(StorageError, f"reading {place.at}"):
        from datasets import load_dataset

        name = place.at.removeprefix(HUB)
        if not Path(name).exists():
            from huggingface_hub import HfApi

            made.revision = str(HfApi().dataset_info(name, revision=place.revision).sha)
        revision = made.revision or place.revision
        found = load_dataset(name, place.config, split=place.split, revision=revision, streaming=True)
        yield from found
