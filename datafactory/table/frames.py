"""Frames to Parquet: batch by batch, in groups, and whole or not at all."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from datafactory.errors import StorageError, boundary
from datafactory.table.columns import COLUMNS, PHASE, RANK, arrow_schema
from datafactory.table.parquet import GROUP_BYTES, GROUP_ROWS, LEVEL
from datafactory.whole import whole

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


class FrameWriter:
    """Writes batches of one schema, holding at most one row group; the file appears when the block ends well.

    The text in columns that `COLUMNS` calls JSON becomes JSON again. Raises StorageError.
    """

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        import polars as pl

        self.path = path
        self.rows = 0
        self._old = pl.CompatLevel.oldest()
        self._schema = _written(schema.to_frame().to_arrow(compat_level=self._old).schema)
        self._held: list[pl.DataFrame] = []
        self._size = 0

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        with ExitStack() as stack:
            draft = stack.enter_context(whole(self.path))
            with boundary(StorageError, f"writing {self.path.name}"):
                self._file = pq.ParquetWriter(draft, self._schema, compression="zstd", compression_level=LEVEL)
            stack.push(self._finish)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.__exit__(*reason)

    def _finish(self, kind: type[BaseException] | None, *_: Any) -> None:
        with boundary(StorageError, f"writing {self.path.name}"):
            try:
                if kind is None:
                    self._flush()
            finally:
                self._file.close()

    def write(self, batch: pl.DataFrame) -> None:
        """Add rows."""
        share = min(1.0, GROUP_BYTES / max(1.0, batch.estimated_size()))
        for part in batch.iter_slices(min(GROUP_ROWS, max(1, int(batch.height * share)))):
            size = int(part.estimated_size())
            if self._size + size > GROUP_BYTES or sum(map(len, self._held)) + part.height > GROUP_ROWS:
                with boundary(StorageError, f"writing {self.path.name}"):
                    self._flush()
            self._held.append(part)
            self._size += size
        self.rows += batch.height

    def _flush(self) -> None:
        import polars as pl

        if self._held:
            group = pl.concat(self._held)
            self._file.write_table(group.to_arrow(compat_level=self._old).cast(self._schema))
        self._held, self._size = [], 0


def write_frame(frame: pl.LazyFrame, path: Path) -> int:
    """Write a frame from `scan` in its own order, and say how many rows; columns of its own are written as they are.

    The text in columns that `COLUMNS` calls JSON becomes JSON again. Raises StorageError.
    """
    with FrameWriter(path, frame.collect_schema()) as writer:
        for batch in frame.collect_batches(chunk_size=GROUP_ROWS, maintain_order=True):
            writer.write(batch)
    return writer.rows


def _written(found: pa.Schema) -> pa.Schema:
    """The schema in which a frame's columns are written: ours where we know the column, else without `large` types."""
    import pyarrow as pa

    known = {field.name: field for field in arrow_schema((*COLUMNS, RANK, PHASE))}
    return pa.schema([known.get(field.name) or pa.field(field.name, _small(field.type)) for field in found])


def _small(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_list(kind):
        return pa.list_(_small(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _small(field.type)) for field in kind.fields])
    return kind
