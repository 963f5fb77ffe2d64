"""The patterns of questions: which things there are, how they hang together, and what is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from generators.search.clues import TELLING, blurred, clues
from generators.search.descriptions import Condition, Thing
from generators.search.facts import ANYTHING, Fact, FactsIndex
from generators.search.paths import Stuck, Walker
from generators.search.uniqueness import Prover, TooMany

Pattern = Literal["chain", "intersection", "comparison"]
COMPARED = frozenset(("made_in", "added_in"))
"""Relations whose values can be told apart as earlier and later."""
_TRIED = 12
"""Values that are tried in the place of a true one until nothing fits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A question without words."""

    pattern: Pattern
    roots: tuple[Thing, ...]
    """What is asked about; two things of a comparison, the one that is the answer first."""
    asked: Fact | None
    """The fact whose value is asked for; None: the root's name is."""
    against: Fact | None = None
    """What the other thing's value is, in a comparison."""
    false: tuple[Thing, Condition] | None = None
    """Of a question without an answer: the thing as it truly is, and the condition that nothing fulfils."""

    @property
    def things(self) -> list[Thing]:
        """All of them, each once, from where a searcher begins to what is asked about."""
        return list(dict.fromkeys(thing for root in reversed(self.roots) for thing in root.all()))


def plan(walker: Walker, page: int, asked: Fact | None, length: int) -> Plan:
    """A question about a page, with `length` things in all. Raises Stuck."""
    rng = walker.rng
    if asked is not None and asked.relation in COMPARED and length >= 3 and rng.random() < 0.35:
        return _comparison(walker, page, asked, length)
    if length in (3, 4) and rng.random() < 0.4:
        root = walker.crossing(page, length - 1, asked)
        made = Plan("intersection", (root,), asked)
    else:
        made = Plan("chain", (walker.chain(page, length, asked=asked),), asked)
    told = [condition.relation in TELLING for thing in made.things for condition in thing.conditions]
    start = made.things[0] if made.pattern == "chain" else None
    if not any(told if start is None else [c.relation in TELLING for c in start.conditions]):
        raise Stuck("no_start", "nothing that is said of the first thing can be searched for")
    if sum(thing.kind == ANYTHING for thing in made.things) > 1 or made.roots[0].kind == ANYTHING:
        raise Stuck("no_kind", "of too many things it is not known what they are")
    if _shortcut(walker, made.roots[0]):
        raise Stuck("too_easy", "what is said of it alone singles the last thing out: the others are not needed")
    return made


def _comparison(walker: Walker, page: int, asked: Fact, length: int) -> Plan:
    first = next(row for row in walker.index.roots() if row[0] == asked.relation)
    for _ in range(_TRIED):
        page2, other = walker.index.root(asked.relation, first[1] + walker.rng.randrange(first[2]))
        if other is None or page2 == page or other.how != asked.how or _order(other) == _order(asked):
            continue
        one = walker.chain(page, length // 2, asked=asked)
        two = walker.chain(page2, length - length // 2, asked=other)
        if {thing.page for thing in one.all()} & {thing.page for thing in two.all()}:
            continue
        if _order(asked) < _order(other):
            return Plan("comparison", (one, two), asked, other)
        return Plan("comparison", (two, one), other, asked)
    raise Stuck("no_way", "nothing to compare it with")


def _order(fact: Fact) -> tuple[int, ...]:
    return tuple(int(part) for part in fact.value.split("."))


def _shortcut(walker: Walker, root: Thing) -> bool:
    """Whether a thing is singled out without the others."""
    values = tuple(condition for condition in root.conditions if condition.other is None)
    fits = walker.fits(replace(root, conditions=values)) if values else None
    return fits is not None and len(fits) == 1


def falsified(plan: Plan, index: FactsIndex, prover: Prover, rng: random.Random) -> Plan:
    """The same question with a condition that nothing fulfils, proved by a search for all that could. Raises Stuck."""
    (root,) = plan.roots
    own = [condition for condition in root.conditions if condition.other is None]
    more = [clue for clue in clues(index, root.page, rng, telling=False, asked=plan.asked) if clue not in own]
    for true in [*own, *more[:3]]:
        for false in _perturbed(true, index, rng):
            kept = tuple(condition for condition in root.conditions if condition is not true)
            other = replace(root, conditions=(*kept, false))
            try:
                if not prover.fitting(other) and prover.fitting(replace(root, conditions=kept)):
                    return replace(plan, roots=(other,), false=(root, false))
            except TooMany:
                continue
    raise Stuck("has_answer", "whatever is changed, something might still fit")


def _perturbed(true: Condition, index: FactsIndex, rng: random.Random) -> Sequence[Condition]:
    """Conditions of the same relation on other values, in any order."""
    if true.relation in ("does", "for", "used"):
        return ()
    if true.relation == "initial":
        letters = [letter for letter in "ABCDEFGHILMNOPRSTUVW" if letter.casefold() not in true.keys]
        return [Condition("initial", letter, (letter.casefold(),)) for letter in rng.sample(letters, 6)]
    values = [each for each in index.values(true.relation, 200) if each[1] not in true.keys]
    some = rng.sample(values, min(len(values), _TRIED))
    some = [each for each in some if each[1] != "0"]
    facts = [Fact(true.relation, value, key, "", true.how or how) for value, key, how in some]
    return [each for each in (blurred(fact, rng) for fact in facts) if not set(each.keys) & set(true.keys)]
