"""Rows of a table that may be larger than memory, written in another order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from datafactory.errors import StorageError, boundary
from datafactory.table.frames import FrameWriter
from datafactory.table.parquet import GROUP_ROWS

if TYPE_CHECKING:
    import polars as pl

HELD = 192 << 20
"""Bytes of rows that are sorted in memory at a time; all others wait in temporary files beside the table."""
FILES = 200
"""Temporary files at most."""
PLACE = "_place"


def write_in_order(rows: pl.LazyFrame, order: pl.DataFrame, path: Path, *, number: str, held: int = HELD) -> int:
    """Write the rows whose numbers (from 0) are in the column `number` of `order`, in its order, and say how many.

    A number may be missing, or there several times. The other columns of `order` come first, in the place of
    those of the rows that are called the same. Raises StorageError.
    """
    import polars as pl

    placed = order.with_row_index(PLACE).sort(number, PLACE)
    added = [name for name in order.columns if name != number]
    kept = [name for name in rows.collect_schema().names() if name not in added]
    schema = pl.Schema({**order.select(added).schema, **rows.select(kept).collect_schema()})
    with (
        FrameWriter(path, schema) as writer,
        TemporaryDirectory(dir=path.parent, prefix=".order-") as folder,
        boundary(StorageError, f"sorting rows for {path.name}"),
    ):
        for part in _in_parts(rows.select(kept), placed, number, Path(folder), held):
            writer.write(part.select(*schema))
    return writer.rows


def _in_parts(rows: pl.LazyFrame, placed: pl.DataFrame, number: str, folder: Path, held: int) -> Iterator[pl.DataFrame]:
    """The rows by place, one part after the other: first each row goes to its part's file, then each file is sorted."""
    import polars as pl
    import pyarrow as pa

    size, written = 0, list[Path]()
    with ExitStack() as files:
        writers: dict[int, Any] = {}
        for batch in _batches(rows, placed, number):
            if not size:
                share = max(1.0, batch.estimated_size() / max(1, batch.height))
                size = max(int(held / share), placed.height // FILES + 1, 1)
                written = [folder / str(at) for at in range(-(-placed.height // size))]
            for (part,), chosen in batch.group_by(pl.col(PLACE) // size):
                table = chosen.to_arrow(compat_level=pl.CompatLevel.oldest())
                if part not in writers:
                    file = files.enter_context(pa.OSFile(str(written[int(part)]), "wb"))
                    options = pa.ipc.IpcWriteOptions(compression="lz4")
                    writers[part] = files.enter_context(pa.ipc.new_stream(file, table.schema, options=options))
                writers[part].write_table(table)
    for file in written:
        with pa.ipc.open_stream(str(file)) as stream:
            found: Any = pl.from_arrow(stream.read_all())
        file.unlink()
        yield found.sort(PLACE)


def _batches(rows: pl.LazyFrame, placed: pl.DataFrame, number: str) -> Iterator[pl.DataFrame]:
    """The rows that have a place, in the table's order, as often as they have one."""
    numbers, at = placed[number], 0
    for batch in rows.collect_batches(chunk_size=GROUP_ROWS, maintain_order=True):
        first, last = numbers.search_sorted(at), numbers.search_sorted(at + batch.height)
        mine = placed[first:last]
        at += batch.height
        if mine.height:
            yield batch[(mine[number] - (at - batch.height))].hstack(mine.drop(number))
