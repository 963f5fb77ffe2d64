"""A question's meaning, apart from its words: things, and the conditions that single them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds of a thing, and that a reader can check on one page."""

    relation: str
    """A key of `relations` in phrases.yaml."""
    value: str = ""
    """What holds, exactly; empty where it is another thing."""
    keys: tuple[str, ...] = ()
    """Every value that fulfils the condition, as compared: one, or all years of a decade."""
    blurred: str = ""
    """How an obfuscated question says it; empty: as `value`."""
    how: str = ""
    """The verb, or the name of a parameter."""
    other: Thing | None = None
    """The thing that it is tied to."""
    inverse: bool = False
    """Whether the other thing's page says so of this one, not this one's of the other."""
    quote: str = ""
    """The sentence that states it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a page is about, as a question describes it."""

    page: int
    url: str
    name: str
    kind: str
    """As an obfuscated question calls it: `language`."""
    exact: str
    """As a plain one does: `functional language`."""
    conditions: tuple[Condition, ...] = ()

    def all(self) -> Iterator[Thing]:
        """This thing and those that it is tied to, the furthest first."""
        for condition in self.conditions:
            if condition.other is not None:
                yield from condition.other.all()
        yield self

    @property
    def depth(self) -> int:
        """How many things are on the longest way to it, itself included."""
        return 1 + max((c.other.depth for c in self.conditions if c.other is not None), default=0)


def recorded(roots: Sequence[Thing]) -> dict[str, Any]:
    """Descriptions as JSON: `constraints`, a conjunction over variables, and the `witness` of each variable.

    A constraint has `of` (a variable), `relation`, and either `value` as the question says it, with `values` (all that
    fulfil it, as compared) and `how`, or `to` (another variable). The pages' own sentences are its `quote`.
    """
    things = list(dict.fromkeys(thing for root in roots for thing in reversed(list(root.all()))))
    variable = {thing: f"x{number}" for number, thing in enumerate(things)}
    constraints: list[dict[str, Any]] = []
    for thing in things:
        constraints.append({"of": variable[thing], "relation": "kind", "value": thing.kind, "values": [thing.kind]})
        for each in thing.conditions:
            made: dict[str, Any] = {"of": variable[thing], "relation": each.relation}
            if each.other is None:
                made |= {"value": each.blurred or each.value, "values": list(each.keys)}
            elif each.inverse:
                made |= {"of": variable[each.other], "to": variable[thing]}
            else:
                made["to"] = variable[each.other]
            constraints.append(made | ({"how": each.how} if each.how else {}) | {"quote": each.quote})
    return {"constraints": constraints, "witness": {variable[thing]: thing.url for thing in things}}
