"""Records as tables: Parquet that `datasets`, TRL and polars load."""

from datafactory.table.columns import COLUMNS, PHASE, RANK, Column, arrow_schema
from datafactory.table.export import export
from datafactory.table.frames import FrameWriter, write_frame
from datafactory.table.parquet import RowWriter, empty, read_rows, scan, write_parquet
from datafactory.table.records import read_records, write_records
from datafactory.table.reordering import write_in_order
from datafactory.table.rows import content_hash, example, row, row_key

__all__ = [
    "COLUMNS",
    "PHASE",
    "RANK",
    "Column",
    "FrameWriter",
    "RowWriter",
    "arrow_schema",
    "content_hash",
    "empty",
    "example",
    "export",
    "read_records",
    "read_rows",
    "row",
    "row_key",
    "scan",
    "write_frame",
    "write_in_order",
    "write_parquet",
    "write_records",
]
