"""The expert on a question: walks the pages that support the answer, as far as searching really leads it there."""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from datafactory.protocols import Episode
from datafactory.teachers.oracle.mind import observations
from datafactory.teachers.oracle.voice import MODEL
from datafactory.teachers.oracle.words import say
from datafactory.types import UNANSWERABLE, Hop, Message, Question, Reply, ToolCall

_QUERIES = 6
"""Searches for one page before it is given up."""
_FOLLOWS = 0.4
"""How likely a link of the page that lies open is followed, where it leads on."""
_PARTS = 8
"""Parts of one page that are read for what it should tell."""
_HIT = re.compile(r"^\[\d+\] (.+)\n {4}url: (.+)$", re.MULTILINE)
_LINKS = re.compile(r"^Links to: (.+?)(?: and \d+ more)?$", re.MULTILINE)
_WORD = re.compile(r"[\w.'+#-]+")
_EMPTY = re.compile(
    r"(?:an?|the|of|in|on|at|to|for|by|with|from|and|or|is|are|was|were|be|been|it|its|that|this|which|what|whose|who"
    r"|whom|when|where|how|do|does|did|has|have|had|as)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Move:
    """One turn."""

    action: Literal["search", "visit", "answer"]
    words: str
    """The query, the url, or the answer."""
    thought: str
    goal: str = ""
    part: int = 0
    """Of a page that comes in parts; 0: none is named."""


Walk = Generator[Move, str, None]
"""Yields moves, and is sent what was seen after each."""


def searched(episode: Episode, question: Question, slip: float, messages: Sequence[Message]) -> Reply:
    """The turn that follows on `messages`. The same episode, `slip` and observations give the same turn."""
    assert episode.task is not None
    walk = _walk(question, random.Random(f"{episode.seed} {episode.task.digest}"), slip)
    move = next(walk)
    for seen in observations(messages):
        move = walk.send(seen)
    turn = sum(message.role == "assistant" for message in messages)
    return _tagged(move) if episode.agent == "search-tags" else _called(move, turn)


def _walk(question: Question, rng: random.Random, slip: float) -> Walk:
    """Page after page; what cannot be found by searching, or by a link of a page that was read, is not found."""
    linked: dict[str, None] = {}
    note = say(rng, "search/begin")
    first = ""
    for number, hop in enumerate(question.hops):
        if hop.url in (before.url for before in question.hops[:number]):
            note = say(rng, "search/noted", statement=hop.statement)
            continue
        reached, aim = hop.url in linked and rng.random() < _FOLLOWS, _aim("")
        if reached:
            note = f"{note} {say(rng, 'search/follow')}"
        for query in () if reached else _tried(question, hop, number, rng, slip):
            seen = yield Move("search", query, f"{note} {say(rng, 'search/query')}")
            hits = _HIT.findall(seen)
            first, urls = (hits[0][0] if hits else first), [url for _, url in hits]
            aim = _aim(query)
            if reached := hop.url in urls:
                note = say(rng, "search/found")
                break
            note = say(rng, "search/missed" if urls else "search/nothing")
            if urls and rng.random() < slip:
                seen = yield Move("visit", urls[0], f"{note} {say(rng, 'search/look')}", _aim(query))
                linked |= _links(seen)
                note = say(rng, "search/wrong")
        if not reached and hop.url not in linked:
            yield from _ends(question, rng, note, first)
            return
        seen = yield Move("visit", hop.url, note if reached else f"{note} {say(rng, 'search/follow')}", aim)
        opened = re.search(rf"\({re.escape(hop.url)}\)(?:, part 1 of (\d+))?:$", seen, re.MULTILINE)
        if opened is None:
            yield from _ends(question, rng, say(rng, "search/shut"), first)
            return
        linked |= _links(seen)
        for part in range(2, min(int(opened[1] or 1), _PARTS) + 1):
            if hop.finds.casefold() in seen.casefold():
                break
            seen = yield Move("visit", hop.url, say(rng, "search/part"), aim, part)
        note = say(rng, "search/noted", statement=hop.statement)
    if not question.answers:
        for query in _looks_again(question, rng):
            seen = yield Move("search", query, f"{note} {say(rng, 'search/doubt')}")
            note = say(rng, "search/none" if _HIT.search(seen) else "search/nothing")
    yield from _answers(question.answer, rng, note)


def _tried(question: Question, hop: Hop, number: int, rng: random.Random, slip: float) -> Iterator[str]:
    """What is searched for, in order: now and then something poor first, and the question's own words at last."""
    poor = _poor(question.text if not number else hop.queries[-1] if hop.queries else question.text, rng)
    queries = [*([poor] if rng.random() < 2 * slip else []), *hop.queries[: _QUERIES - 2], _content(question.text)]
    yield from list(dict.fromkeys(query for query in queries if query))[:_QUERIES]


def _poor(text: str, rng: random.Random) -> str:
    """A few words of a text that stand together: what a person types who has not thought yet."""
    words = [word for word in _WORD.findall(text) if not _EMPTY.fullmatch(word)]
    if len(words) < 3:
        return " ".join(words)
    size = rng.randint(2, 4)
    start = rng.randrange(max(1, len(words) - size))
    return " ".join(words[start : start + size])


def _content(text: str) -> str:
    return " ".join(word for word in _WORD.findall(text) if not _EMPTY.fullmatch(word))


def _looks_again(question: Question, rng: random.Random) -> list[str]:
    return list(dict.fromkeys((_content(question.text), _poor(question.text, rng))))


def _aim(words: str) -> str:
    return f"what it says about {words}" if words else "what the question asks for"


def _links(seen: str) -> dict[str, None]:
    return dict.fromkeys(url for line in _LINKS.findall(seen) for url in line.split("; "))


def _ends(question: Question, rng: random.Random, note: str, guess: str) -> Walk:
    """The end of a walk that led nowhere: it gives up, or guesses what was found last."""
    if guess and rng.random() < 0.5:
        yield from _answers(guess, rng, f"{note} {say(rng, 'search/guess')}")
    else:
        yield from _answers(UNANSWERABLE, rng, f"{note} {say(rng, 'search/give_up')}")


def _answers(answer: str, rng: random.Random, note: str) -> Walk:
    thought = note if answer == UNANSWERABLE else f"{note} {say(rng, 'search/answer')}"
    while True:  # whoever asks again is told the same
        yield Move("answer", answer, thought)


def _tagged(move: Move) -> Reply:
    tag = {"search": "search", "visit": "access", "answer": "answer"}[move.action]
    words = f"{move.words} {move.part}" if move.part else move.words
    content = f"<think>{move.thought}</think>\n<{tag}>{words}</{tag}>"
    return Reply(message=Message(role="assistant", content=content), model=MODEL)


def _called(move: Move, turn: int) -> Reply:
    forms: dict[str, dict[str, Any]] = {
        "search": {"query": [move.words]},
        "visit": {"url": [move.words], "goal": move.goal} | ({"part": move.part} if move.part else {}),
        "answer": {"answer": move.words} | ({"unanswerable": True} if move.words == UNANSWERABLE else {}),
    }
    call = ToolCall(id=f"call_{turn}_0", name=move.action, arguments=forms[move.action])
    message = Message(role="assistant", content=move.thought, tool_calls=(call,))
    return Reply(message=message, finish="tool_calls", model=MODEL)
