"""The root of every stage: what it reads, what it writes, and what it takes from the top of the pipeline file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any, ClassVar

from datafactory.run import Run
from datafactory.spec import Spec
from datafactory.storage import Shelf
from datafactory.types import Record


class Stage(Spec):
    """A verb: it works through the shelf before it and fills its own."""

    reads: ClassVar[type[Record] | None] = None
    """The type of the shelf before; None: a stage that begins a pipeline."""
    writes: ClassVar[type[Record]]
    """The type of its own shelf."""
    columnar: ClassVar[bool] = False
    """Whether it waits for the whole shelf before it and works on columns."""

    def wants(self) -> Set[str]:
        """Fields that the top of the pipeline file fills in where the stage leaves them out."""
        return frozenset()

    def lacks(self, before: Sequence[Stage]) -> Iterable[str]:
        """What it needs of the stages before it and does not get, as far as their recipes tell."""
        return ()

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Fill `run.shelf` from `source`."""
        raise NotImplementedError

    def expected(self, before: int | None) -> int | None:
        """How many items it works through, given how many records the stage before makes; None: not known."""
        return before

    def calls(self, items: int) -> str:
        """What working through that many items would ask of teachers and boxes, in words, for `datafactory plan`."""
        return ""
