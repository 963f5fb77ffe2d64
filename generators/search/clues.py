"""What can be said of a thing without naming it, blurred where that still singles it out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from generators.search.descriptions import Condition
from generators.search.facts import Fact, FactsIndex, folded, listed
from generators.search.phrases import is_value

PURPOSES = frozenset(("does", "for", "used"))
"""What a thing does or is for, in the words of its page."""
TELLING = listed("does for used made_by made_at made_in event default parameter source changed_in")
"""Relations whose value can be searched for."""
_VERSIONS = listed("added_in changed_in deprecated_in removed_in stable_since")
_NEVER = frozenset(("abbreviation",))
"""Relations whose value is a name of the thing."""


def clues(
    index: FactsIndex, page: int, rng: random.Random, *, telling: bool, asked: Fact | None = None
) -> Iterator[Condition]:
    """Conditions that a page fulfils, the best first: where `telling` one that can be searched for, else those that say
    little. `asked`: what the question asks for, which must not be said."""
    name = index.name(page)
    names = [f" {each} " for each in (*index.names(page), folded(name)) if each]
    settled = index.settled(page)
    kinds = [folded(kind) for kind in index.kinds(page)]
    facts = [
        fact
        for fact in index.facts(page)
        if fact.target is None and fact.quote and is_value(fact.relation) and fact.relation not in _NEVER
        and not (asked and (fact.relation == asked.relation or asked.key in folded(fact.value)))
        and not any(each in f" {folded(fact.value)} " for each in names)
        and not (fact.relation == "field" and any(fact.key in kind for kind in kinds))
    ]  # fmt: skip
    rng.shuffle(facts)
    facts = [fact for fact in facts if not (fact.relation in PURPOSES and _gives_away(fact.value, settled))]
    hard = [fact for fact in facts if fact.relation in TELLING]
    hard.sort(key=lambda fact: fact.relation not in PURPOSES)
    soft = [fact for fact in facts if fact.relation not in TELLING and fact.relation != "arity"]
    soft = [*(soft or hard[:1]), *(fact for fact in facts if fact.relation == "arity")]
    begin = hard[:1] if telling else []
    said: set[tuple[str, str]] = set()
    for fact in [*begin, *soft, *hard]:
        same = (fact.relation, fact.how) if fact.relation != "changed_in" else (fact.relation, "")
        if same not in said:
            said.add(same)
            yield blurred(fact, rng)
    if (begin or not telling) and name[:1].isalpha():
        yield Condition("initial", name[0], (name[0].casefold(),), quote=name)


def _gives_away(value: str, settled: bool) -> bool:
    """Whether words are so rare that they lead straight to the page: numbers; outside of manuals also names, which
    there every sentence has."""
    return re.search(r"\d" if settled else r"\d|\b[A-Z]", value) is not None


def blurred(fact: Fact, rng: random.Random) -> Condition:
    """A fact as a condition: a year as its decade, a version as a range of three."""
    how = "" if fact.relation == "changed_in" else fact.how
    if fact.relation == "made_in" and re.fullmatch(r"\d{4}", fact.value):
        decade = int(fact.value) // 10 * 10
        years = tuple(str(year) for year in range(decade, decade + 10))
        return Condition(fact.relation, fact.value, years, f"the {decade}s", how, quote=fact.quote)
    version = re.fullmatch(r"(\d+)\.(\d+)", fact.value)
    if fact.relation in _VERSIONS and version:
        low = max(0, int(version[2]) - rng.randrange(3))
        keys = tuple(f"{version[1]}.{minor}" for minor in range(low, low + 3))
        return Condition(fact.relation, fact.value, keys, f"{keys[0]}, {keys[1]} or {keys[2]}", how, quote=fact.quote)
    return Condition(fact.relation, fact.value, (fact.key,), "", how, quote=fact.quote)
