"""Facts from the marks of dictionaries: fields in angle brackets, abbreviations in parentheses, numbered senses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generators.search.facts.fact import Fact
from generators.search.facts.sentences import folded

_TAGS = re.compile(r"^(?:\d+\. )?<([a-z][a-z ,/-]{1,60})>", re.MULTILINE)
_HEAD = re.compile(r"^(?P<tags><[a-z][a-z ,/-]{1,60}>)?\s*(?P<short>\([^()]{2,40}\))?\s*(?P<rest>.*)$", re.DOTALL)
_SENSE = re.compile(r"(?:^|\n\s*\n)\s*(?:<[^<>]{1,60}>\s*)?2\.\s")
_ABBREVIATION = re.compile(r"[A-Z0-9][\w./+&-]{1,11}")


class Opening(NamedTuple):
    """How an entry begins, apart."""

    tags: tuple[str, ...]
    abbreviations: tuple[str, ...]
    rest: str
    """The first paragraph without them."""


def senses(text: str) -> bool:
    """Whether an entry has several numbered senses: nothing can be said of its subject as of one thing."""
    return _SENSE.search(text) is not None


def opening(paragraph: str) -> Opening:
    """The marks at the beginning of an entry, and what follows."""
    head = _HEAD.match(paragraph)
    assert head is not None
    tags = tuple(tag.strip() for tag in (head["tags"] or "")[1:-1].split(",") if tag.strip())
    inside = (head["short"] or "")[1:-1]
    shorts = tuple(part.strip() for part in re.split(r"[,;]| or ", inside) if part.strip())
    if inside and not all(_ABBREVIATION.fullmatch(short) for short in shorts):
        return Opening(tags, (), paragraph[head.end("tags") :].strip() if tags else paragraph)
    return Opening(tags, shorts, head["rest"])


def all_tags(text: str) -> list[str]:
    """Every field that an entry names, in any of its senses, each once."""
    return list(dict.fromkeys(tag.strip() for tags in _TAGS.findall(text) for tag in tags.split(",") if tag.strip()))


def marks(paragraph: str, title: str) -> Iterator[Fact]:
    """Fields and abbreviations of the entry that begins with a paragraph."""
    begin = opening(paragraph)
    quote = paragraph[: len(paragraph) - len(begin.rest)].strip()
    for tag in begin.tags:
        yield Fact("field", tag, folded(tag), quote, asked=len(begin.tags) == 1)
    words = [word for word in re.split(r"[\s/-]+", title) if word]
    for short in begin.abbreviations:
        letters = re.sub(r"[^a-z0-9]", "", short.casefold())
        if len(words) > 1 and letters[:1] == words[0][:1].casefold() and folded(short) != folded(title):
            yield Fact("abbreviation", short, folded(short), quote, asked=len(begin.abbreviations) == 1)
