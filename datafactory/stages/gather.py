"""Gather: a pipeline begins with rows that exist: finished runs, Parquet files, data sets of the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError, StorageError, boundary
from datafactory.gathering.places import Place
from datafactory.gathering.reading import Gathered, read
from datafactory.run import Run
from datafactory.stages.stage import Stage
from datafactory.storage import TABLE, Shelf
from datafactory.table import FrameWriter, empty
from datafactory.types import Record, Reject, Trajectory

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

BATCH = 512
"""Rows in memory at a time."""
UNREADABLE = "unreadable"


class Gather(Stage):
    """Puts the rows of several sources on one shelf, one source after the other; `origin` says which a row is from.

    Missing columns are empty, and columns that are none of ours are dropped: the manifest names them. Rows of others
    need a conversation and nothing else; what can be counted is counted (docs/gather.md).
    """

    use_name: ClassVar[str] = "gather"
    reads: ClassVar[type[Record] | None] = None
    writes: ClassVar[type[Record]] = Trajectory
    columnar: ClassVar[bool] = True

    sources: tuple[Place, ...] = Field(min_length=1)
    """Runs, Parquet files or folders, `hf://owner/name`; each as text, or with a `name`: {at: runs/swe, name: hero}."""
    same_ids: Literal["tell_apart", "refuse"] = "tell_apart"
    """What becomes of ids that stand in several sources: they get the name of their source in front, `hero:task/0`, or
    the run stops."""

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        names = [place.label for place in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called {name!r}: give each a `name` of its own")
        return self

    def problems(self) -> Iterable[str]:
        """Sources that are not there."""
        for number, place in enumerate(self.sources):
            try:
                place.inputs()
            except DataError as error:
                yield f"sources[{number}]: {error}"

    def inputs(self) -> Iterable[Path]:
        """Parquet files, and the manifests of runs."""
        for place in self.sources:
            yield from place.inputs()

    def expected(self, before: int | None) -> int | None:
        """Rows of all sources, where they lie on this machine."""
        counts = [place.count() for place in self.sources]
        return None if None in counts else sum(count or 0 for count in counts)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet`, and rejects for rows that cannot be read."""
        unreadable, count = await asyncio.to_thread(self._gather, run)
        for key, reason in unreadable:
            if not run.shelf.has(key):
                await run.shelf.reject(Reject(key=key, reason=UNREADABLE, detail=reason))
        run.shelf.tell(count, {UNREADABLE: len(unreadable)} if unreadable else {})
        run.progress.finished = count + len(unreadable)

    def _gather(self, run: Run[Any]) -> tuple[list[tuple[str, str]], int]:
        with TemporaryDirectory(dir=run.shelf.folder, prefix=".sources-") as folder:
            gathered = []
            for number, place in enumerate(self.sources):
                own = Path(folder) / str(number)
                own.mkdir()
                gathered.append(read(place, own))
            shared = self._shared(gathered)
            counts = _written(gathered, shared, run.shelf.folder / TABLE)
        run.shelf.facts["gathered"] = [
            made.facts() | {"rows": count, "ids_told_apart": int(mask.sum())}
            for made, count, mask in zip(gathered, counts, shared, strict=True)
        ]
        return [row for made in gathered for row in made.unreadable], sum(counts)

    def _shared(self, gathered: Sequence[Gathered]) -> list[np.ndarray[Any, Any]]:
        """For each row of each source, whether its id stands in another source too. Raises DataError where an id stands
        twice in one source, or ids are shared that must not be."""
        import polars as pl

        of_source = []
        for number, made in enumerate(gathered):
            ids = pl.concat(
                [table.select("id") for table in made.tables] or [pl.LazyFrame(schema={"id": pl.String})]
            ).collect(engine="streaming")
            if (twice := ids.filter(pl.col("id").is_duplicated())).height:
                raise DataError(
                    f"{made.place.at}: the id {twice['id'][0]!r} stands there more than once, as in tables that were "
                    "arranged; name the run itself, whose last table before arrange is taken"
                )
            of_source.append(ids.with_columns(source=pl.lit(number)))
        every = pl.concat(of_source).with_columns(shared=pl.col("id").is_duplicated())
        if self.same_ids == "refuse" and every["shared"].any():
            first = every.filter("shared")["id"][0]
            both = [gathered[number].place.label for number in every.filter(id=first)["source"]]
            raise DataError(
                f"the id {first!r} stands in {' and '.join(both)}; `same_ids: tell_apart` renames such rows"
            )
        return [every.filter(source=number)["shared"].to_numpy() for number in range(len(gathered))]


def _written(gathered: Sequence[Gathered], shared: Sequence[np.ndarray[Any, Any]], path: Path) -> list[int]:
    """Write all rows, with `origin` and ids that are told apart; how many each source gave. Raises StorageError."""
    counts = []
    with FrameWriter(path, empty().collect_schema()) as writer:
        for made, mask in zip(gathered, shared, strict=True):
            at = 0
            for table in made.tables:
                with boundary(StorageError, f"reading {made.place.at}"):
                    for batch in table.collect_batches(chunk_size=BATCH, maintain_order=True):
                        writer.write(_marked(batch, made.place.label, mask[at : at + batch.height]))
                        at += batch.height
            counts.append(at)
    return counts


def _marked(batch: pl.DataFrame, name: str, shared: np.ndarray[Any, Any]) -> pl.DataFrame:
    import polars as pl

    own = pl.when(pl.Series(shared, dtype=pl.Boolean)).then(pl.format(f"{name}:{{}}", "id")).otherwise("id")
    return batch.with_columns(id=own, origin=pl.lit(name))
