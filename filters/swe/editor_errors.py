"""Drops attempts whose teacher could not work the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class EditorErrors(Spec):
    """Drops attempts with several errors of `str_replace_editor` (SWE-ZERO, arXiv 2604.01496, section 2: three)."""

    use_name = "editor_errors"
    rowwise: ClassVar[bool] = True

    limit: int = Field(default=3, ge=1)
    """Least number of errors that drops an attempt."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`: answers of the editor's that begin with ERROR."""
        import polars as pl

        message = pl.element()
        answered = (message.str.json_path_match("$.role") == "tool") & (
            message.str.json_path_match("$.name") == "str_replace_editor"
        )
        failed = answered & message.str.json_path_match("$.content").str.starts_with("ERROR: ")
        count = pl.col("messages").list.eval(failed.fill_null(False)).list.sum()
        return pl.when(count >= self.limit).then(pl.format(f"editor_errors: {{}} errors >= {self.limit}", count))
