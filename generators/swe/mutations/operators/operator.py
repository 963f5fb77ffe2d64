"""What an operator is: one kind of mistake, and where a person could make it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

import libcst as cst

from generators.swe.mutations.place import Edits, Place

N = TypeVar("N", bound=cst.CSTNode)


class Operator(ABC, Generic[N]):
    """One kind of mistake. The docstring of a subclass says what a person does who makes it."""

    name: ClassVar[str]
    """As in a site's `operator`."""
    on: ClassVar[tuple[type[cst.CSTNode], ...]]
    """Kinds of nodes that it is asked about."""

    @abstractmethod
    def changes(self, node: N, at: Place) -> Iterator[Edits]:
        """Ways to make the mistake at `node`; each must parse and change the syntax tree.

        One without edits counts for nothing, so that an operator need not ask whether `Place.drop` found a way.
        """
