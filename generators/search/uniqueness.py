"""Proves what a question has for answers: searches the whole corpus for everything that could fit its conditions.

A condition is read as loosely as a willing judge would: a page fits that holds the year, name or words anywhere, or
links to the other thing's page, whether or not a fact of it was cut. So whatever truly fits is among what is found:
that one thing is found proves that there is no other, and that none is proves that there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from generators.search.descriptions import Condition, Thing
from generators.search.facts import ANYTHING, FactsIndex, either, folded, phrase

MANY = 20_000
"""Pages that fit one condition; where more do, it is not worth searching on."""
_LONGEST = 8
"""Words of the longest title that is looked for in a page's text."""


class TooMany(Exception):
    """More things fit than are worth looking at."""


class Prover:
    """Finds everything that could fit a description, in one corpus."""

    def __init__(self, index: FactsIndex) -> None:
        self._index = index
        self._corpus = index.corpus
        self._told_by = lru_cache(maxsize=2000)(self._tells)

    def fitting(self, thing: Thing) -> frozenset[int]:
        """Pages of all things that could be meant. Raises TooMany."""
        found: set[int] | None = None
        for condition in sorted(thing.conditions, key=lambda c: c.other is None):
            if condition.other is not None:
                fits = self._tied(condition, self.fitting(condition.other))
                found = fits if found is None else found & fits
        for condition in sorted((c for c in thing.conditions if c.other is None), key=_coarseness):
            if found is not None and not found:
                break
            found = self._holding(condition, found)
        if thing.kind == ANYTHING and found is not None:
            return frozenset(found)
        kind = Condition("kind", thing.kind, (thing.kind,))
        return frozenset(self._holding(kind, found) if found is None or found else ())

    def _holding(self, condition: Condition, within: set[int] | None) -> set[int]:
        """Pages of which a condition on a value could hold."""
        index, relation, keys = self._index, condition.relation, condition.keys
        limit = MANY + 1
        if relation == "initial":
            if within is None:
                raise TooMany
            return {page for page in within if keys[0] in _initials(index.names(page))}
        found = index.having(relation, keys, within, limit)
        if relation == "field":
            found |= index.having("other_field", keys, within, limit)
        elif relation not in _STRUCTURAL:
            found |= index.reading(_LOOSE.get(relation, _words)(condition), within, limit)
        if len(found) > MANY:
            raise TooMany
        return found

    def _tied(self, condition: Condition, others: frozenset[int]) -> set[int]:
        """Pages that could be tied to one of some others."""
        found: set[int] = set()
        for other in others:
            found |= self._told_by(other) if condition.inverse else self._telling(other, condition.relation)
            found.discard(other)
            if len(found) > MANY:
                raise TooMany
        return found

    def _telling(self, other: int, relation: str) -> set[int]:
        """Pages that say something about another: they link to it, or they name it."""
        if relation == "member_of":
            return self._index.having(relation, self._index.names(other), None, MANY + 1)
        named = either(phrase(name, begins=len(name) > 3) for name in self._index.names(other))
        return {*self._corpus.linked_from(other), *self._index.reading(named, None, MANY + 1)}

    def _tells(self, other: int) -> set[int]:
        """Pages about which another says something: it links to them, or it names them."""
        page = self._corpus.page(other)
        words = folded(f"{page.title} {page.text}").split()
        runs = {" ".join(words[start : start + size]) for size in range(1, _LONGEST + 1) for start in range(len(words))}
        return {*self._corpus.links(other), *self._index.named(runs)}


_STRUCTURAL = frozenset(("arity", "member_of", "returns"))
"""Relations whose facts are cut from a form that every page of the kind has: none is missed."""
_ORDER = [
    "source",
    "event",
    "made_by",
    "abbreviation",
    "does",
    "for",
    "used",
    "default",
    "parameter",
    "made_at",
    "made_in",
    "deprecated_in",
    "removed_in",
    "changed_in",
    "added_in",
    "stable_since",
    "returns",
    "member_of",
    "available",
    "arity",
    "field",
    "initial",
    "kind",
]
"""Value relations, the one that fewest pages fulfil first."""


def _initials(names: Iterable[str]) -> set[str]:
    """With what a name could be said to begin: `os.kill` with `o`, or with `k`."""
    return {word[:1] for name in names for word in (name.split()[0], name.split()[-1])}


def _coarseness(condition: Condition) -> int:
    return _ORDER.index(condition.relation) if condition.relation in _ORDER else 0


def _words(condition: Condition) -> str:
    return either(phrase(key) for key in condition.keys)


def _last_word(condition: Condition) -> str:
    return either(phrase(key.split()[-1]) for key in condition.keys)


def _each_word(condition: Condition) -> str:
    every = condition.keys[0].split()
    words: Iterable[str] = dict.fromkeys([word for word in every if len(word) > 3] or every)
    return " AND ".join(filter(None, (phrase(_stem(word), begins=True) for word in words)))


def _stem(word: str) -> str:
    return word[: max(4, len(word) - 2)]


_LOOSE: dict[str, Callable[[Condition], str]] = {
    "made_by": _last_word,
    "made_at": _last_word,
    "kind": lambda condition: phrase(_stem(condition.keys[0].split()[-1]), begins=True),
    "default": lambda condition: phrase(condition.how),
    "does": _each_word,
    "for": _each_word,
    "used": _each_word,
}
