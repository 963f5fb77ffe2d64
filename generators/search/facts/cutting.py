"""All facts of one page, and what kind of thing it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from datafactory.types import Page
from generators.search.facts.dictionary import all_tags, marks, opening, senses
from generators.search.facts.fact import Fact
from generators.search.facts.prose import kind_of, making, purposes, subject_of, ties
from generators.search.facts.reference import apart, manual, manual_kind, notes, short_title
from generators.search.facts.sentences import folded, paragraphs, sentences

_FEW = 40
"""Paragraphs of a page that are read for facts; the subject is told about early."""
_SECTION = " › "
"""In the titles of pages that are sections of another: no thing that could be asked about."""
_NOT_PROSE = re.compile(r"^(?:\[|\d+\. |See |Compare |Contrast |[$>#*|+-])")


@dataclass(frozen=True, slots=True)
class Cut:
    """What one page tells."""

    name: str
    """What its subject is called."""
    kind: str
    """The noun phrase that says what it is; empty: not known."""
    settled: bool
    """Whether `kind` is one of a manual's own, such as `function`, not read from prose."""
    facts: tuple[Fact, ...]
    tags: tuple[str, ...]
    """Every field that it names in any sense: more than its facts say."""
    single: bool
    """Whether the page is about one thing; no facts are cut where it has several senses."""


def cut(page: Page, targets: Mapping[str, int]) -> Cut:
    """Read a page. `targets`: numbers of the pages that it links to, by folded name."""
    name = short_title(page.title)
    tags = tuple(all_tags(page.text))
    lines = paragraphs(page.text)[:_FEW]
    if not lines or senses(page.text) or _SECTION in page.title:
        return Cut(name, "", False, (), tags, False)
    first, rest = apart(page.title, page.text)
    kind = manual_kind(page.title, first)
    if "#opcode-" in page.url:  # Sphinx writes the instructions of a machine like functions
        kind = "bytecode instruction" if kind else ""
    if kind:
        facts = [*manual(page.title, kind, first, rest[:_FEW], targets), *notes(rest)]
        for sentence in sentences(rest[0])[:1] if rest else ():
            facts += purposes(sentence, sentence)
        return Cut(name, kind, True, _each_once(facts), tags, True)
    begin = opening(lines[0])
    facts = [*marks(lines[0], name), *notes(rest)]
    names = (page.title, name, *begin.abbreviations)
    for number, line in enumerate([begin.rest, *lines[1:]]):
        if number and _NOT_PROSE.match(line):
            continue
        for place, sentence in enumerate(sentences(line)):
            begins = number == 0 and place < 2
            said = subject_of(sentence, names) or (sentence if number == place == 0 else None)
            if said is None:
                continue
            kind = kind or (kind_of(said) if begins else "")
            facts += [
                *making(said, sentence),
                *ties(said, sentence, targets),
                *(purposes(said, sentence) if begins else ()),
            ]
    return Cut(name, kind, False, _each_once(facts), tags, True)


def mention(page: Page, name: str) -> str:
    """The first sentence of a page that names something; empty: none does, in prose."""
    wanted = re.compile(rf"(?<![\w.]){re.escape(name)}(?:s|es)?(?!\w)", re.IGNORECASE if name.islower() else 0)
    if not wanted.search(" ".join(page.text.split())):
        return ""
    for line in paragraphs(page.text):
        if wanted.search(line) and not line.startswith("["):
            return next((sentence for sentence in sentences(line) if wanted.search(sentence)), "")
    return ""


def _each_once(facts: list[Fact]) -> tuple[Fact, ...]:
    """Facts without repeats; where a relation has several values, none of them may be asked for."""
    once = {(fact.relation, fact.how, fact.key): fact for fact in reversed(facts)}
    return tuple(_fair(reversed(once.values())))


def _fair(facts: Iterator[Fact]) -> Iterator[Fact]:
    kept = list(facts)
    for fact in kept:
        same = [each for each in kept if each.relation == fact.relation and each.how == fact.how]
        others = [each for each in kept if each.relation == fact.relation]
        several = len(same) > 1 or (fact.relation != "default" and len(others) > 1)
        yield Fact(fact.relation, fact.value, fact.key, fact.quote, fact.how, fact.target, False) if several else fact


__all__ = ["Cut", "cut", "folded", "mention"]
