"""Reads the signatures in a manual: what a page documents, and with which parameters."""

from __future__ import annotations

import re
from functools import lru_cache

from benchmarks.search_reader import Reader, plain

SIGNED = frozenset(("parameter", "default", "returns"))
"""Relations that a signature shows."""


@lru_cache(maxsize=1 << 17)
def shape(reader: Reader, page: int) -> frozenset[str]:
    """What a manual's page may be called, as its title and first line are written; empty: it is prose."""
    title, first = reader.titles[page], reader.first(page)
    if re.search(r"\s[—–]\s", title) and "›" not in title:
        return frozenset(("module",))
    name = re.escape(re.sub(r"\(.*", "", title).rpartition(".")[2])
    if " " in title or not re.search(rf"\b{name}(?!\w)", first):
        return frozenset()
    for word in ("class", "exception"):
        if first.startswith(f"{word} "):
            return frozenset((word,))
    if re.search(rf"\b{name}\s?\(", first):
        return frozenset(("method",)) if owner(reader, page) in reader.classes else _CALLED
    return _HELD


_CALLED = frozenset(("function", "coroutine", "decorator"))
_HELD = frozenset(("attribute", "property", "constant"))
SHAPES = frozenset(("module", "class", "exception", "method")) | _CALLED | _HELD


def parameters(reader: Reader, page: int) -> int:
    """How many parameters the signature in the first line has; -1: there is none."""
    found = re.search(r"\((.*)\)", re.sub(r"[\[\]]", "", reader.first(page)))
    if found is None:
        return -1
    flat, depth = "", 0
    for letter in found[1]:
        depth += (letter in "({") - (letter in ")}")
        flat += letter if depth == 0 else ""
    names = [part.split("=")[0].strip().lstrip("*") for part in flat.split(",")]
    return sum(re.match(r"[A-Za-z_]", name) is not None for name in names)


def owner(reader: Reader, page: int) -> str:
    """What a page's subject is a member of, as its dotted title says."""
    return plain(re.sub(r"\(.*", "", reader.titles[page]).rpartition(".")[0]).strip()


def signed(reader: Reader, page: int, relation: str, how: str, value: str) -> bool:
    """Whether the first line of a page shows a parameter, its default, or what a C function returns."""
    first = reader.first(page)
    if relation == "returns":
        return re.match(rf"{re.escape(plain(value).strip())} ", plain(first.partition("(")[0]).strip()) is not None
    inside = first.partition("(")[2]
    if relation == "parameter":
        return f" {plain(value).strip()} " in plain(inside)
    return re.search(rf"\b{re.escape(how)}(:[^=,]*)?\s*=\s*{re.escape(value)}", inside, re.IGNORECASE) is not None
