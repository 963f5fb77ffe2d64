"""Rows in fixed shares of tasks that are hard, middling and easy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from filters.curricula.drawing import first, shuffled
from filters.curricula.mixture import COPY, Mixture

if TYPE_CHECKING:
    import polars as pl


class Band(BaseModel):
    """One band of pass rates."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    up_to: float = Field(ge=0, le=1)
    """Largest pass rate in it; the band begins after the one before."""
    share: float = Field(gt=0)
    """Its part of the rows, in proportion to the other bands'."""


class Bands(Mixture):
    """Shuffles rows that are drawn so that each band of pass rates has its share, as many as the scarcest band allows.
    Rows of tasks without a verdict are left out."""

    use_name = "bands"

    bands: tuple[Band, ...] = (Band(up_to=0.2, share=1), Band(up_to=0.8, share=3), Band(up_to=1.0, share=1))
    """In rising order; the last reaches up to 1."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        ends = [band.up_to for band in self.bands]
        if ends != sorted(set(ends)) or ends[-1:] != [1.0]:
            raise ValueError("bands: up_to must rise from band to band, and be 1 in the last")
        return self

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `task_id` and `solved`."""
        import polars as pl

        from filters.difficulty import pass_rate

        rate = pass_rate()
        number = pl.lit(None, pl.Int64)
        for place, band in reversed(list(enumerate(self.bands))):
            number = pl.when(rate <= band.up_to).then(pl.lit(place, pl.Int64)).otherwise(number)
        told = rows.with_columns(_band=number).filter(pl.col("_band").is_not_null())
        shares = pl.col("_band").replace_strict(dict(enumerate(band.share for band in self.bands)))
        unit = (pl.len().over("_band") / shares).min()
        kept = told.filter(first("band", seed, (unit * shares).floor(), "_band"))
        return shuffled(self.drawn(kept.drop("_band"), seed), seed, COPY).drop(COPY)
