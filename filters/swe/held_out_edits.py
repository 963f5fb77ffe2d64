"""Drops attempts that changed the tests that judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class HeldOutEdits(Spec):
    """Drops attempts whose patch touches a held-out test file (SWE-ZERO, arXiv 2604.01496, section 2).

    Such an edit gains nothing, as the files are put back before the tests run; it is no habit to learn."""

    use_name = "held_out_edits"
    rowwise: ClassVar[bool] = True

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `model_patch` and `held_out`; without one of them a row passes."""
        import polars as pl

        from datafactory.formats.diff_paths import diff_paths

        def touched(pairs: pl.Series) -> pl.Series:
            found = [
                sorted(diff_paths(pair["model_patch"] or "") & set(pair["held_out"] or ())) for pair in pairs.to_list()
            ]
            return pl.Series(pairs.name, [paths[0] if paths else None for paths in found], dtype=pl.String)

        first = pl.struct("model_patch", "held_out").map_batches(touched, return_dtype=pl.String, is_elementwise=True)
        return pl.format("held_out_edits: {}", first)
