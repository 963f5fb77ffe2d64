"""Rows to Parquet: in groups, in order, and whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from datafactory.errors import DataError, StorageError, boundary
from datafactory.table.columns import COLUMNS, Column, Kind, arrow_schema
from datafactory.table.order import ordered
from datafactory.table.rows import row_key
from datafactory.table.text import LONE_SURROGATE, json_text
from datafactory.whole import whole

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP_BYTES = 32 << 20
"""Text in one row group: small enough to hold, large enough to compress well."""
GROUP_ROWS = 2_000
"""Rows in one row group at most, however short they are."""
LEVEL = 3
"""Level of zstd."""


class RowWriter:
    """Writes rows one by one, holding at most one row group; the file appears when the block ends well.

    Rows have the keys of `columns` and no others; a missing key is null. Raises StorageError.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column] = COLUMNS,
        *,
        encode: Callable[[Any], str] = json_text,
        notes: dict[str, str] | None = None,
    ) -> None:
        """`encode` makes the text of JSON columns; `notes` are kept in the file's metadata."""
        self.path = path
        self.columns = tuple(columns)
        self.rows = 0
        self._names = {column.name for column in columns}
        self._encode = encode
        self._schema = arrow_schema(columns).with_metadata(notes)
        self._stored = arrow_schema(columns, stored=True)

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        self._cells: dict[str, list[Any]] = {column.name: [] for column in self.columns}
        self._size = 0
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

    def write(self, row: Mapping[str, Any]) -> None:
        """Add one row. Raises DataError on a key that is no column."""
        if unknown := row.keys() - self._names:
            raise DataError(f"{self.path.name}: no such column: {', '.join(sorted(unknown))}")
        for column in self.columns:
            cell = self._cell(column.kind, row.get(column.name))
            self._size += len(cell) if isinstance(cell, str) else sum(map(len, cell)) if column.kind == "jsons" else 8
            self._cells[column.name].append(cell)
        self.rows += 1
        if self._size >= GROUP_BYTES or len(self._cells[self.columns[0].name]) >= GROUP_ROWS:
            with boundary(StorageError, f"writing {self.path.name}"):
                self._flush()

    def _cell(self, kind: Kind, value: Any) -> Any:
        if kind == "jsons":
            return [self._encode(item) for item in value or ()]
        if value is None:
            return None
        if kind == "json":
            return self._encode(value)
        return LONE_SURROGATE.sub("�", value) if kind == "string" else value

    def _flush(self) -> None:
        import pyarrow as pa

        if self._cells[self.columns[0].name]:
            self._file.write_table(pa.Table.from_pydict(self._cells, schema=self._stored).cast(self._schema))
        self._cells = {column.name: [] for column in self.columns}
        self._size = 0


def write_parquet(
    rows: Iterable[Mapping[str, Any]],
    path: Path,
    columns: Sequence[Column] = COLUMNS,
    *,
    key: Callable[[Mapping[str, Any]], Any] | None = row_key,
) -> int:
    """Write rows sorted by `key` (None: as they come), and say how many. Memory does not grow with their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with RowWriter(path, columns) as writer:
        for row in rows if key is None else ordered(rows, key, path.parent):
            writer.write(row)
    return writer.rows


def empty() -> pl.LazyFrame:
    """A table of our columns without rows, as `scan` would give it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.parquet"
        write_parquet((), path)
        return scan(path).collect().lazy()


def scan(path: Path) -> pl.LazyFrame:
    """The rows of a file or folder, not yet read; JSON columns are strings. Raises DataError where none is."""
    import polars as pl

    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    frame = pl.scan_parquet(path)
    texts = []
    for name, dtype in frame.collect_schema().items():
        if isinstance(dtype, pl.BaseExtension):
            texts.append(pl.col(name).ext.storage())
        elif isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.BaseExtension):
            texts.append(pl.col(name).list.eval(pl.element().ext.storage()))
    return frame.with_columns(texts)


def notes(path: Path) -> dict[str, str]:
    """What `RowWriter` noted in the file's metadata. Raises DataError."""
    with _opened(path) as file:
        return {key.decode(): value.decode() for key, value in (file.schema_arrow.metadata or {}).items()}


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of one file in its order, JSON decoded, a few hundred in memory. Raises DataError."""
    import pyarrow as pa

    with _opened(path) as file:
        schema = file.schema_arrow
        nested = [f.name for f in schema if _is_json(f.type)]
        lists = [f.name for f in schema if pa.types.is_list(f.type) and _is_json(f.type.value_type)]
        for batch in file.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                for name in nested:
                    row[name] = None if row[name] is None else json.loads(row[name])
                for name in lists:
                    row[name] = [json.loads(item) for item in row[name]]
                yield row


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not a table that can be read: {error}") from error


def _is_json(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.JsonType)
