"""Drops rows that hold something of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from datafactory.errors import DataError, FilterError
from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

    from filters.contamination import Index

SHOWN = 80
"""Characters of what was found in a reason."""


class Decontaminate(Spec):
    """Drops rows in which a run of words of a benchmark stands, a short item of it whole, or one of its programs, with
    whatever names.

    Words are what letters and digits make, in lower case: layout, case and marks do not count. 13 words are GPT-3's
    measure (arXiv 2005.14165, appendix C) and TMAX's; Nemotron-Terminal (arXiv 2602.21193) takes 14.
    """

    use_name: ClassVar[str] = "decontaminate"
    rowwise: ClassVar[bool] = True

    against: tuple[Path, ...] = Field(min_length=1)
    """Files of benchmarks: JSON Lines (also .gz), JSON, Parquet, text; or folders of Harbor tasks or text files."""
    n: int = Field(default=13, ge=5)
    """Words of a run that drops a row."""
    on: Literal["messages", "prompt"] = "messages"
    """What is looked at: all that was said in the conversation, the task's prompt with it, or the prompt alone."""
    fields: tuple[str, ...] = ()
    """Keys of the benchmarks' rows that are looked for; empty: those that benchmarks commonly have."""
    least: int = Field(default=8, ge=3)
    """Words of the shortest text that is looked for; one of fewer than `n` must stand there whole."""
    program: int = Field(default=8, ge=5)
    """Keywords, numbers and names (those in a row are one) of the shortest program that is looked for whatever its
    names are."""
    boilerplate: int = Field(default=10, ge=1)
    """A run that more items have than that belongs to none: the frame that every test of a benchmark has."""

    def problems(self) -> Iterable[str]:
        """Benchmarks that cannot be read."""
        try:
            self._index()
        except DataError as error:
            yield str(error)

    def inputs(self) -> Iterable[Path]:
        """The benchmarks."""
        for path in self.against:
            yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, or `instruction`. Raises FilterError."""
        import polars as pl

        try:
            index = self._index()
        except DataError as error:
            raise FilterError(str(error)) from error

        def judged(texts: pl.Series) -> pl.Series:
            return self._judged(texts, index)

        column = pl.col("messages" if self.on == "messages" else "instruction")
        return column.map_batches(judged, return_dtype=pl.String, is_elementwise=True)

    def _index(self) -> Index:
        from filters.contamination import Index, read_items

        items = [item for path in self.against for item in read_items(path, self.fields)]
        return Index(
            items, length=self.n, least=min(self.least, self.n - 1), program=self.program, most_owners=self.boilerplate
        )

    def _judged(self, texts: pl.Series, index: Index) -> pl.Series:
        import polars as pl

        from filters.shingles import said, words

        hashes = said(texts) if self.on == "messages" else words(texts)
        made: list[str | None] = [None] * len(texts)
        for number in index.suspects(hashes):
            made[number] = self._reason(texts[number], index)
        return pl.Series(texts.name, made, dtype=pl.String)

    def _reason(self, told: Any, index: Index) -> str | None:
        from filters.contamination.found import found_in
        from filters.spoken import passages

        text = told if isinstance(told, str) else "\n".join(said.text for said in passages(told.to_list()))
        found = found_in(text, index)
        if not found:
            return None
        item, quote = index.items[found[0].item], " ".join(found[0].quote.split())
        shown = quote if len(quote) <= SHOWN else f"{quote[:SHOWN]}…"
        more = len({index.items[each.item].name for each in found} - {item.name})
        others = f", and {more} other item{'s' if more > 1 else ''}" if more else ""
        renamed = " with other names" if found[0].renamed else ""
        return f"decontaminate: {item.name} {item.field}{renamed}, {found[0].words} words: “{shown}”{others}"
