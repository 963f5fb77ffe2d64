"""Whether questions have one answer, by reading every page for every condition: shares no code with the generator.

The generator records what a question means as data (`question.facts`): things, and the conditions that single them out.
Here each condition is looked for in the raw text of all pages, in two ways.

    loose    the words of the value, or the name of the other thing, stand anywhere on the page, or it links there; of
             a kind, its last word. More pages fit than truly do, so one that fits alone is the only one.
    strict   they stand in one sentence with the words that state the relation; a kind in the first two sentences.

A question is `unique` where the loose reading leaves nothing but its own answer, `confirmed` where the strict one finds
it too, and `stated` where every sentence that it rests on is on the page that it names, word for word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from benchmarks.search_manual import SHAPES, SIGNED, owner, parameters, shape, signed
from benchmarks.search_measures import share_of
from benchmarks.search_reader import Reader, plain, stems
from datafactory.corpora import Corpus
from datafactory.types import Question, Task

Node = Mapping[str, Any]
CUES = {
    "made_by": "{how}",
    "made_at": "{how}",
    "made_in": "{how}",
    "added_in": "new in version",
    "changed_in": "changed in version",
    "deprecated_in": "deprecated since version",
    "removed_in": "removed in version",
    "stable_since": "stable abi",
    "source": "source code",
    "event": "auditing event",
    "available": "availability",
    "dialect_of": "dialect",
    "successor_of": "success|sequel|follow",
    "descends_from": "descend|derive|outgrowth|evolve",
    "based_on": "based",
    "subset_of": "subset",
    "superset_of": "superset",
    "extends": "exten",
    "variant_of": "varia|version",
    "written_in": "written|implemented",
    "runs_on": "run",
    "similar_to": "similar",
    "part_of": "part|component",
    "opposed_to": "opposite|antonym|opposed",
    "named_after": "named",
    "alternative_to": "alternative",
    "used_in": "used",
    "replaced_by": "superseded|replaced",
    "replaces": "supersede|replace",
    "supports": "support",
    "raises": "rais",
    "inherits": "subclass|bases?|inherit|derived",
}
"""What a sentence must have besides the value, any of several; relations without a cue need the value alone."""
SPREAD = frozenset(("does", "for", "used"))
"""Relations whose value is a turn of speech: its longer words count, in any order."""
UNSAID = frozenset(("kind", "field", "initial", "arity", "member_of", *SIGNED))
"""Relations that no sentence states: marks, signatures and titles do."""


ANYTHING = frozenset(("", "term", "thing", "something", "entry", "page"))
"""Kinds that every page is of."""


class Meaning:
    """The conditions of one question: a forest over variables, `x0` the thing that is asked about."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.witness: Mapping[str, str] = facts["witness"]
        self.conditions: Sequence[Node] = facts["constraints"]

    def roots(self) -> list[str]:
        """`x0`, and the first variable of each part that hangs together without it."""
        made: list[str] = []
        reached: set[str] = set()
        for variable in self.witness:
            if variable not in reached:
                made.append(variable)
                self._reach(variable, reached)
        return made

    def of(self, variable: str) -> list[Node]:
        """Conditions on values of a variable, its kind among them."""
        return [each for each in self.conditions if each["of"] == variable and "to" not in each]

    def ties(self, variable: str) -> list[tuple[Node, str]]:
        """Conditions that tie a variable to another one, and that one."""
        both = [(each, each["of"], each["to"]) for each in self.conditions if "to" in each]
        return [(each, to if by == variable else by) for each, by, to in both if variable in (by, to)]

    def _reach(self, variable: str, reached: set[str]) -> None:
        reached.add(variable)
        for _, other in self.ties(variable):
            if other not in reached:
                self._reach(other, reached)


class Scan:
    """What fits a description, in one reading or the other."""

    def __init__(self, reader: Reader, *, strict: bool) -> None:
        self._reader, self._strict = reader, strict
        self._kind = lru_cache(maxsize=None)(self._of_kind)

    def fitting(self, meaning: Meaning, variable: str, came_from: str = "") -> frozenset[int]:
        """Pages of everything that a variable can stand for."""
        found = self._reader.all
        for condition in meaning.of(variable):
            kind = condition["relation"] == "kind"
            found = found & self._kind(condition["value"]) if kind else self._holding(condition, found)
        for condition, other in meaning.ties(variable):
            if other != came_from:
                others = self.fitting(meaning, other, variable)
                found = self._tied(condition, found, others, tells=condition["of"] == variable)
        return found

    def _of_kind(self, kind: str) -> frozenset[int]:
        last = (plain(kind).split() or [""])[-1]
        if last in ANYTHING:
            return self._reader.all
        shaped = frozenset(page for page in self._reader.all if last in shape(self._reader, page))
        if last in SHAPES and self._strict and self._reader.classes:  # a manual's pages show what they are
            return shaped
        stem = f" {last[: max(3, len(last) - 1)]}"
        fits = (page for page in self._reader.all if stem in self._reader.words[page])
        if self._strict:  # the title comes first
            fits = (page for page in fits if any(stem in words for words in self._reader.sentences(page)[1:3]))
        return shaped | frozenset(fits)

    def _holding(self, condition: Node, within: frozenset[int]) -> frozenset[int]:
        reader, relation, how = self._reader, condition["relation"], condition.get("how", "")
        values = {plain(str(value)).strip() for value in condition["values"]}
        if relation == "initial":
            return frozenset(page for page in within if any(name[:1] in values for name in reader.names(page)))
        if relation == "field":
            return frozenset(page for page in within if reader.fields(page) & values)
        if relation == "arity":
            return frozenset(page for page in within if str(parameters(reader, page)) in values)
        if relation in SPREAD:
            wanted = [f" {stem}" for value in values for stem in stems(value)]
            found = frozenset(p for p in within if all(stem in reader.words[p] for stem in wanted))
            if self._strict:
                return frozenset(p for p in found if any(all(s in w for s in wanted) for w in reader.sentences(p)))
        else:
            found = within & frozenset[int]().union(*(reader.containing(value) for value in values))
        if relation == "default":
            found &= reader.containing(how)
        if self._strict and relation in SIGNED:
            signs = condition["values"]
            return frozenset(page for page in found if any(signed(reader, page, relation, how, sign) for sign in signs))
        if not self._strict or relation in UNSAID:
            return found
        return frozenset(page for page in found if said(reader, page, relation, how, values))

    def _tied(self, condition: Node, within: frozenset[int], others: frozenset[int], *, tells: bool) -> frozenset[int]:
        """Those of some pages that are tied to one of others; `tells`: they say so, not the others."""
        reader, relation, how = self._reader, condition["relation"], condition.get("how", "")
        if relation == "member_of":
            names = {name for other in others for name in reader.names(other)}
            owners = {owner(reader, other) for other in others}
            return frozenset(p for p in within if (owner(reader, p) in names if tells else reader.names(p) & owners))

        def tied(page: int) -> bool:
            told = (reader.mentions if tells else reader.mentioned_by)[page] & others
            pairs = ((page, other) if tells else (other, page) for other in told)
            return any(not self._strict or said(reader, by, relation, how, reader.short_names(of)) for by, of in pairs)

        return frozenset(page for page in within if tied(page))


def said(reader: Reader, page: int, relation: str, how: str, values: Iterable[str]) -> bool:
    """Whether one sentence of a page has a value, and the words that state the relation."""
    cues = CUES.get(relation, "").format(how=how).split("|")
    wanted = [f" {value}{ending} " for value in values for ending in ("", "s", "es")]
    return any(
        any(value in words for value in wanted) and any(f" {cue}" in words for cue in cues)
        for words in reader.sentences(page)
    )


def answers(reader: Reader, page: int, asks: Node) -> bool:
    """Whether a page could hold what is asked for: none that never speaks of deprecation is asked since when."""
    relation, how = asks.get("relation", ""), asks.get("how", "")
    if relation == "field":
        return bool(reader.fields(page))
    if relation == "default":
        return f" {plain(how).strip()} " in plain(reader.first(page))
    cues = CUES.get(relation, "").format(how=how).split("|")
    return any(f" {cue}" in reader.words[page] for cue in cues)


def stated(reader: Reader, meaning: Meaning) -> bool:
    """Whether every sentence that a question rests on is on its page, and has the value or the name in it."""
    pages = {variable: reader.corpus.number(url) for variable, url in meaning.witness.items()}
    for condition in meaning.conditions:
        page, quote = pages[condition["of"]], plain(condition.get("quote", ""))
        if page is None or quote not in f" {plain(reader.titles[page])}{reader.words[page]}":
            return False
        if condition["relation"] in UNSAID or not quote.strip():
            continue
        other = pages.get(condition.get("to", ""))
        if other is not None:
            held = reader.named_in(other, condition["quote"])
        else:
            held = any(plain(str(value)) in quote for value in condition.get("values", ()))
        if not held:
            return False
    return True


def uniqueness(tasks: Sequence[Task], corpus: Corpus) -> dict[str, Any]:
    """How many questions have no other answer than theirs, and which have."""
    reader = Reader(corpus)
    loose, strict = Scan(reader, strict=False), Scan(reader, strict=True)
    sums = {name: Counter[str]() for name in ("answerable", "unanswerable")}
    doubtful: list[list[Any]] = []
    for task in tasks:
        question = task.question
        assert question is not None
        found, also = _judged(reader, loose, strict, question)
        count = sums["answerable" if question.answers else "unanswerable"]
        count.update(["all", *(name for name, holds in found.items() if holds)])
        if not all(found.values()):
            doubtful.append([task.id, question.text, found, also])
    return {
        **{name: {each: share_of(count[each], count["all"]) for each in MEASURES} for name, count in sums.items()},
        "questions": {name: count["all"] for name, count in sums.items()},
        "doubtful": doubtful,
    }


MEASURES = ("unique", "unique strictly", "confirmed", "stated")


def _judged(reader: Reader, loose: Scan, strict: Scan, question: Question) -> tuple[dict[str, bool], list[str]]:
    """What holds of one question, and what else fits, at most five."""
    meaning, asks = Meaning(question.facts), question.facts["asks"]
    made = dict.fromkeys(MEASURES, True)
    also: list[str] = []
    for root in meaning.roots():
        own = {reader.corpus.number(meaning.witness[root])} if question.answers else set()
        fits, surely = (
            {page for page in scan.fitting(meaning, root) if not question.answers or answers(reader, page, asks)}
            for scan in (loose, strict)
        )
        made["unique"] &= fits <= own
        made["unique strictly"] &= surely <= own
        made["confirmed"] &= own <= surely
        also += [reader.corpus.url(page) for page in sorted(fits - own)[:5]]
    if question.answers:
        made["stated"] = stated(reader, meaning)
    return made, also
