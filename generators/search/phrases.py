"""The phrases of phrases.yaml, and the small grammar that they need."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files as resources
from typing import Any

from generators.search.facts import listed

_PERSON = listed(
    "mathematician physicist scientist engineer programmer author founder professor writer inventor logician "
    "philosopher economist researcher hacker linguist pioneer person politician actor singer composer painter "
    "poet"
)


@dataclass(frozen=True)
class Phrases:
    """Picks phrases, by a generator of random numbers of the question's own."""

    rng: random.Random
    book: str
    """What a page of the corpus is called: `entry`."""

    def of(self, kind: str, relation: str, form: str) -> str:
        """One phrase of a relation; KeyError: it has none of that form."""
        return str(self.rng.choice(_lore()[kind][relation][form]))

    def has(self, kind: str, relation: str, form: str) -> bool:
        """Whether a relation has a phrase of a form."""
        return form in _lore()[kind].get(relation, {})

    def fill(self, phrase: str, thing: str, **values: str) -> str:
        """A phrase with its gaps filled. `thing`: the kind of what it is about."""
        person = thing.split()[-1] in _PERSON if thing else False
        how = values.get("how", "")
        begins = values.get("x", "")
        return phrase.format(
            who="who" if person else "that",
            book=self.book,
            an_book=article(self.book),
            in_the_book=f"{_within(self.book)} the {self.book}",
            in_its_book=f"{_within(self.book)} its {self.book}",
            past=_lore()["past"].get(how, how),
            x_begins=begins[:1].upper() + begins[1:],
            **values,
        )


def is_value(relation: str) -> bool:
    """Whether a relation is to a value, not to another page."""
    return relation in _lore()["values"]


def can_ask(relation: str) -> bool:
    """Whether the value of a relation can be asked for."""
    return "ask" in _lore()["values"].get(relation, {})


def stated(kind: str, relation: str, book: str, **values: str) -> str:
    """A fact as a sentence."""
    lore = _lore()[kind][relation]
    made = lore.get("found") or f"{{name}} {lore['says'][0]}."
    return str(made).format(book=book, an_book=article(book), **values)


def searches(relation: str, **values: str) -> list[str]:
    """What to search for who knows a value."""
    return [str(each).format(**values) for each in _lore()["values"][relation]["search"]]


def asks(group: str, name: str) -> list[str]:
    """The questions of a group: of `title`, or of `compare`."""
    return [str(each) for each in _lore()[group][name]]


def _within(book: str) -> str:
    """The preposition for what stands there."""
    return "on" if book.endswith("page") else "in"


def article(noun: str) -> str:
    """A noun phrase with `a` or `an`."""
    first = noun.split()[0] if noun else ""
    if first.isupper() and (len(first) <= 3 or not set(first) & set("AEIOU")):
        vowel = first[0] in "AEFHILMNORSX"
    else:
        low = first.lower()
        vowel = low[:1] in "aeiou8" and not low.startswith(("uni", "use", "usa", "util", "eu", "one", "ubi"))
    return f"{'an' if vowel else 'a'} {noun}"


@lru_cache(maxsize=1)
def _lore() -> dict[str, Any]:
    import yaml

    text = resources("generators.search").joinpath("phrases.yaml").read_text(encoding="utf-8")
    lore: dict[str, Any] = yaml.safe_load(text)
    return lore
