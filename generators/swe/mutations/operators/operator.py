"""What an operator is: one kind of mistake, and where a person could make it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
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


class Swap(Operator[N]):
    """Writes another sign in the place of a node's `operator`."""

    others: ClassVar[Mapping[type[cst.CSTNode], str]]
    """What is written for which kind of sign; the others stay."""

    def changes(self, node: N, at: Place) -> Iterator[Edits]:
        """See `Operator.changes`."""
        sign: cst.CSTNode = node.operator  # type: ignore[attr-defined]
        other = self.others.get(type(sign))
        if other is not None:
            yield at.within(sign, other)
