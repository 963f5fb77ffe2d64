"""Says descriptions in English: as one sentence, or as a small story that goes from thing to thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from generators.search.descriptions import Condition, Thing
from generators.search.facts import ANYTHING, Fact
from generators.search.phrases import Phrases, article, asks

_NESTED = 2
"""Things on the way that still go into one sentence; more are told one after another."""

_SHORT = 14
"""Words of a subject that still stands between a verb and its other half."""


@dataclass(frozen=True)
class Wording:
    """Words one question, either way."""

    phrases: Phrases
    plain: bool
    """Name all things but what is asked for, and blur nothing."""

    def title_question(self, root: Thing) -> str:
        """Asks what a thing is called."""
        kind = root.exact if self.plain else root.kind
        if self._in_one(root):
            ask = self.phrases.rng.choice(asks("title", "one"))
            return ask.format(kind=kind, clauses=self._clauses(root), begin=self._values(root), says=self._says(root))
        told = self._story(root)
        return f"{told} {self.phrases.rng.choice(asks('title', 'ask')).format(again=self._again(root, root))}"

    def value_question(self, root: Thing, asked: Fact) -> str:
        """Asks for a value of a thing."""
        ask = self.phrases.of("values", asked.relation, "ask")
        if self._in_one(root):
            noun = self._noun(root, "the")
            if len(noun.split()) <= _SHORT:
                return self._begun(self.phrases.fill(ask, root.kind, x=noun, how=asked.how))
            return f"Let X be {noun}. {self._begun(self.phrases.fill(ask, root.kind, x='X', how=asked.how))}"
        told = self._story(root)
        ending = self.phrases.fill(ask, root.kind, x=self._again(root, root), how=asked.how)
        return f"{told} {self._begun(ending)}"

    def comparison(self, first: Thing, second: Thing, asked: Fact) -> str:
        """Asks which of two things has the earlier value."""
        one, other = self._noun(first, "the"), self._noun(second, "the")
        ask = self.phrases.fill(self.phrases.rng.choice(asks("compare", asked.relation)), "", how=asked.how)
        return f"Take two things: on the one hand {one}; on the other hand {other}. {ask}?"

    def _in_one(self, root: Thing) -> bool:
        return root.depth <= _NESTED

    def _noun(self, thing: Thing, determiner: str, *, ties: bool = True) -> str:
        """A thing as a noun phrase: named in a plain question, else described."""
        kind = thing.exact if self.plain else thing.kind
        clauses = self._clauses(thing, ties=ties)
        if self.plain and thing.name:
            named = thing.name if kind == ANYTHING else f"the {kind} {thing.name}"
            return named + (f", {clauses}," if clauses else "")
        noun = _some(thing) if kind == ANYTHING else article(kind) if determiner == "a" else f"the {kind}"
        return f"{noun} {clauses}".strip()

    def _clauses(self, thing: Thing, *, ties: bool = True) -> str:
        """What singles a thing out, as clauses after its noun; those with other things last."""
        begin, relative = self._parts(thing)
        for condition in thing.conditions:
            if condition.other is None or not ties:
                continue
            x = self._noun(condition.other, "a")
            if condition.inverse:
                said = self.phrases.fill(self.phrases.of("ties", condition.relation, "inverse"), thing.kind, x=x)
                relative.append(f"{self.phrases.fill('{who}', thing.kind)} {said}")
            else:
                phrase = self.phrases.of("ties", condition.relation, "clause")
                relative.append(self.phrases.fill(phrase, thing.kind, x=x))
        return " ".join(part for part in (begin, _joined(relative)) if part).rstrip(",")

    def _values(self, thing: Thing) -> str:
        """The clauses about values alone."""
        begin, relative = self._parts(thing)
        return " ".join(part for part in (begin, _joined(relative)) if part)

    def _says(self, thing: Thing) -> str:
        """What ties a thing to others, as what is said of it."""
        said = []
        for condition in thing.conditions:
            if condition.other is not None:
                form = "inverse" if condition.inverse else "says"
                phrase = self.phrases.of("ties", condition.relation, form)
                said.append(self.phrases.fill(phrase, thing.kind, x=self._noun(condition.other, "a")))
        return _joined(said).rstrip(",")

    def _parts(self, thing: Thing) -> tuple[str, list[str]]:
        """The clauses about values: one that needs no relative pronoun, and the others."""
        begin, relative = "", []
        for condition in thing.conditions:
            if condition.other is not None or (self.plain and thing.name):
                continue
            if not begin and self.phrases.has("values", condition.relation, "short"):
                begin = self._value(condition, thing, "short")
            else:
                relative.append(self._value(condition, thing, "clause"))
        return begin, relative

    def _value(self, condition: Condition, thing: Thing, form: str) -> str:
        shown = condition.value if self.plain else condition.blurred or condition.value
        phrase = self.phrases.of("values", condition.relation, form)
        return self.phrases.fill(phrase, thing.kind, value=shown, how=condition.how)

    def _story(self, root: Thing) -> str:
        """From the furthest thing to the root, a sentence each. `root`: tied to one thing at most, and so on."""
        things = list(root.all())
        told = [
            f"{self._begun(self.phrases.rng.choice(_BEGINNINGS)).format(x=self._noun(things[0], 'a', ties=False))}."
        ]
        for before, thing in pairwise(things):
            tie = next(c for c in thing.conditions if c.other is not None)
            form = "says" if tie.inverse else "inverse"
            x = self._noun(thing, "a", ties=False)
            said = self.phrases.fill(self.phrases.of("ties", tie.relation, form), before.kind, x=x)
            told.append(f"{self._begun(self._again(before, root))} {said}.")
        return " ".join(told)

    def _again(self, thing: Thing, root: Thing) -> str:
        """A thing of a story that was just told of."""
        kinds = [(each.exact if self.plain else each.kind).split()[-1] for each in root.all()]
        kind = (thing.exact if self.plain else thing.kind).split()[-1]
        if kind == ANYTHING:
            return "that person" if _some(thing) == "someone" else "that thing"
        return f"that {kind}" if kinds.count(kind) == 1 or thing is next(root.all()) else f"the latter {kind}"

    @staticmethod
    def _begun(text: str) -> str:
        return text[:1].upper() + text[1:]


_BEGINNINGS = ("There is {x}", "Think of {x}", "Consider {x}", "Start from {x}")


def _some(thing: Thing) -> str:
    """What stands for a thing of which it is not known what it is."""
    person = any(condition.relation == "field" and condition.keys == ("person",) for condition in thing.conditions)
    return "someone" if person else "something"


def tidy(text: str) -> str:
    """Without commas before other marks, and without double blanks."""
    return re.sub(r",(?=\s*[?.;,])", "", " ".join(text.split()))


def _joined(clauses: list[str]) -> str:
    if len(clauses) <= 2:
        return " and ".join(clauses)
    return f"{', '.join(clauses[:-1])}, and {clauses[-1]}"
