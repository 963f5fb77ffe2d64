"""Turns a plan into a question: its words, its answers, the pages on the way, and whether it gives anything away."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from datafactory.types import Question
from datafactory.types.questions import UNANSWERABLE, Edit, Hop
from generators.search.descriptions import Condition, Thing, recorded
from generators.search.facts import ANYTHING, Fact, FactsIndex, folded
from generators.search.paths import Stuck
from generators.search.patterns import Plan
from generators.search.phrases import Phrases, article, searches, stated
from generators.search.wording import Wording, tidy

_MOST_WORDS = 110
"""A question that is longer than this is a riddle, not a question."""


def question(plan: Plan, index: FactsIndex, book: str, rng: random.Random) -> Question:
    """A question from a plan. `book`: what a page of the corpus is called. Raises Stuck where it would give something
    away."""
    seed = rng.getrandbits(64)
    text = tidy(_worded(plan, Wording(Phrases(random.Random(seed), book), plain=False)))
    plain = "" if plan.false else tidy(_worded(plan, Wording(Phrases(random.Random(seed), book), plain=True)))
    answers = () if plan.false else _answers(plan, index)
    _closed(text, answers, plan, index)
    said = Said(plan, book)
    answer = answers[0] if answers else UNANSWERABLE
    hops = tuple(said.hop(number, answer) for number in range(len(plan.things)))
    facts = recorded(plan.roots)
    facts["asks"] = _asks(plan)
    facts["pattern"] = plan.pattern
    facts["proof"] = {"pages": len(index.corpus), "fitting": 0 if plan.false else 1}
    if plan.false:
        true, condition = plan.false
        facts["unanswerable"] = {
            "of": "x0",
            "relation": condition.relation,
            "value": condition.blurred or condition.value,
            "instead_of": [each.value for each in true.conditions if each.relation == condition.relation],
        }
    edits = [Edit(action="embedded", question=plain, answer=answer, note="everything named")] if plain else []
    note = "a condition that nothing fulfils" if plan.false else "names replaced by descriptions, values blurred"
    edits.append(Edit(action="embedded", question=text, answer=answer, note=note))
    return Question(
        corpus=index.corpus.name,
        text=text,
        answers=answers,
        plain=plain,
        hops=hops,
        history=tuple(edits),
        facts=facts,
    )


def _worded(plan: Plan, wording: Wording) -> str:
    if plan.pattern == "comparison":
        assert plan.asked is not None
        first, second = sorted(plan.roots, key=lambda thing: thing.url)
        return wording.comparison(first, second, plan.asked)
    (root,) = plan.roots
    if plan.asked is None:
        return wording.title_question(replace(root, name="") if wording.plain else root)
    return wording.value_question(root, plan.asked)


def _asks(plan: Plan) -> dict[str, str]:
    if plan.pattern == "comparison":
        assert plan.asked is not None
        return {"of": "x0", "relation": "", "earlier": plan.asked.relation, "how": plan.asked.how}
    asked = plan.asked
    return {"of": "x0", "relation": asked.relation, "how": asked.how} if asked else {"of": "x0", "relation": ""}


def _answers(plan: Plan, index: FactsIndex) -> tuple[str, ...]:
    """What counts as right, the usual form first."""
    if plan.asked is not None and plan.pattern != "comparison":
        value = plan.asked.value
        return tuple(dict.fromkeys((value, value.strip("'\"")))) if plan.asked.relation == "default" else (value,)
    root = plan.roots[0]
    shorts = [fact.value for fact in index.facts(root.page) if fact.relation == "abbreviation"]
    return tuple(dict.fromkeys((root.name, index.corpus.title_of(root.page), *shorts)))


def _closed(text: str, answers: tuple[str, ...], plan: Plan, index: FactsIndex) -> None:
    """Whether the text keeps its secrets. Raises Stuck."""
    words = f" {folded(text)} "
    for answer in answers:
        if f" {folded(answer)} " in words:
            raise Stuck("answer_in_question", answer)
        for word in re.findall(r"\b[A-Z][\w]{3,}", answer):
            if re.search(rf"(?i)\b{re.escape(word)}(?:s|es)?\b", text):
                raise Stuck("answer_in_question", word)
    on_the_way = {name for thing in plan.things[:-1] for name in index.names(thing.page)}
    if plan.asked is not None and plan.pattern != "comparison" and folded(plan.asked.value) in on_the_way:
        raise Stuck("answer_on_the_way", plan.asked.value)
    for thing in plan.things:
        for name in index.names(thing.page):
            if re.search(rf" {re.escape(name)}(?:s|es)? ", words) and name != folded(thing.kind):
                raise Stuck("leaks_name", name)
    if len(text.split()) > _MOST_WORDS:
        raise Stuck("too_long", f"{len(text.split())} words")


class Said:
    """What the pages on the way say, and how one gets there."""

    def __init__(self, plan: Plan, book: str) -> None:
        self._plan, self._book = plan, book
        self._things = plan.things
        self._tells: dict[Thing, list[str]] = {thing: [] for thing in self._things}
        for thing in self._things:
            for condition in thing.conditions:
                teller = condition.other if condition.inverse and condition.other else thing
                if plan.false is None or condition is not plan.false[1]:
                    self._tells[teller].append(self._sentence(thing, condition))
        if plan.asked is not None:
            self._tells[plan.roots[0]].append(self._fact(plan.roots[0], plan.asked))
        if plan.against is not None:
            self._tells[plan.roots[1]].append(self._fact(plan.roots[1], plan.against))

    def hop(self, number: int, answer: str) -> Hop:
        """One step on the way. `answer`: what the last one finds."""
        thing = self._things[number]
        last = number == len(self._things) - 1
        finds = ("" if answer == UNANSWERABLE else answer) if last else thing.name
        return Hop(
            url=thing.url,
            statement=" ".join([*_is(thing), *self._tells[thing]])
            or f"There is {article(self._book)} on {thing.name}.",
            finds=finds,
            queries=tuple(_queries(thing)),
        )

    def _sentence(self, thing: Thing, condition: Condition) -> str:
        if condition.other is None:
            return self._fact(thing, Fact(condition.relation, condition.value, "", "", condition.how))
        teller, told = (condition.other, thing) if condition.inverse else (thing, condition.other)
        return stated("ties", condition.relation, self._book, name=teller.name, x=told.name)

    def _fact(self, thing: Thing, fact: Fact) -> str:
        return stated("values", fact.relation, self._book, name=thing.name, value=fact.value, how=fact.how)


def _is(thing: Thing) -> list[str]:
    return [] if thing.exact == ANYTHING else [f"{thing.name} is {article(thing.exact)}."]


def _queries(thing: Thing) -> list[str]:
    """What to search for who knows the question and the things before, the likeliest first."""
    made: list[str] = []
    values = [
        condition for condition in thing.conditions if condition.other is None and condition.relation != "initial"
    ]
    known = [condition for condition in thing.conditions if condition.other is not None]
    clue = " ".join(_clue(condition) for condition in values)
    for condition in known:
        assert condition.other is not None
        if condition.inverse:
            made += [f"{thing.name}", f"{thing.name} {thing.kind}"]
        else:
            made += [
                f"{condition.other.name} {thing.kind} {clue}",
                f"{thing.kind} {condition.other.name}",
                condition.other.name,
            ]
    if not known:
        made.append(f"{thing.kind} {clue}")
        made += [f"{thing.kind} {_clue(condition)}" for condition in values]
        made += [
            f"{thing.kind} {word}"
            for condition in values
            if len(condition.keys) > 1
            for key in condition.keys
            for word in searches(condition.relation, value=key, how=condition.how)[:1]
        ]
    return list(dict.fromkeys(" ".join(query.split()) for query in made if query.strip()))[:14]


def _clue(condition: Condition) -> str:
    if len(condition.keys) > 1:
        return condition.how if condition.relation == "made_in" else ""
    return searches(condition.relation, value=condition.value, how=condition.how)[0]
