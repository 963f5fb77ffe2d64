"""Facts from reference manuals: signatures, members, versions, exceptions, where the source lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generators.search.facts.fact import Fact
from generators.search.facts.sentences import folded, listed, sentences

_SIGNATURE = re.compile(
    r"^(?P<words>(?:(?:class|exception|async|awaitable|coroutine|classmethod|static|staticmethod|abstractmethod|abstract|"
    r"property|method|function|final|async for|async with) )*)"
    r"(?P<name>[A-Za-z_][\w.]*)\s?(?P<parameters>\(.*\))?$"
)
_NEW = re.compile(r"^New in version (?P<version>\d+(?:\.\d+)+)(?P<what>[.:]?)")
_CHANGED = re.compile(r"^Changed in version (?P<version>\d+(?:\.\d+)+): ?(?P<what>.*)")
_DEPRECATED = re.compile(r"^Deprecated since version (?P<version>\d+(?:\.\d+)+)")
_REMOVED = re.compile(r"will be removed in version (?P<version>\d+(?:\.\d+)+)")
_SOURCE = re.compile(r"^Source code: (?P<path>[\w./-]+\.\w+)$")
_RAISES = re.compile(r"\b(?:[Rr]aises?|raising) (?:an? |the )?(?P<name>[A-Z]\w*(?:\.\w+)*)|"
                     r"\b(?:an? )?(?P<raised>[A-Z]\w*(?:\.\w+)*) (?:is|will be|gets) raised\b")  # fmt: skip
_EVENT = re.compile(r"^Raises an auditing event (?P<name>[\w.]+) with")
_AVAILABLE = re.compile(r"^Availability: (?P<where>not \w+|Unix|Windows|Linux|macOS|POSIX|FreeBSD|Solaris)\.?$")
_BASE = re.compile(
    r"^(?:Bases: |(?:This is |It is )?(?:[Aa] |[Tt]he )?(?:\w+ ){0,2}?[Ss]ubclass of |Derived from )"
    r"(?:the )?(?P<name>[A-Za-z_][\w.]*\w)"
)
_MODULE = re.compile(r"^(?P<name>[a-z_][\w.]*) ?[—–] ?(?P<about>.+)$")
_C = re.compile(
    r"^(?:static inline |const )*(?P<returns>[A-Za-z_][\w ]*?(?: ?\*+|(?= )) ?)(?P<name>_?Py\w+)\((?P<list>.*)\)$"
)
_STABLE = re.compile(r"^Part of the Stable ABI since version (?P<version>\d+\.\d+)")
_PROVIDES = re.compile(
    r"^(?:The [\w.]+|This) module (?P<does>(?:provides|implements|defines|contains|offers|supports|exports|constructs) "
    r"[^.:;()\"]+)\."
)


def short_title(title: str) -> str:
    """The name that a page goes by: `json` of `json — JSON encoder and decoder`, `json.dumps` of `json.dumps()`."""
    module = _MODULE.match(title)
    return module["name"] if module else re.sub(r"\(.*\)$", "", title).strip()


_KINDS = {
    "class": "class",
    "exception": "exception",
    "classmethod": "class method",
    "static": "static method",
    "staticmethod": "static method",
    "property": "property",
}
"""What the words before a signature say that it is."""


def manual_kind(title: str, first: str) -> str:
    """What a manual's page documents, as its title or its first line says: `module`, `class`, ...; empty: neither does.
    Of a callable `function`, which a later look at its parent may make a method."""
    if _MODULE.match(title):
        return "module"
    signature = _SIGNATURE.match(first)
    if signature is None:
        return "C function" if _C.match(first) else ""
    if signature["name"].rpartition(".")[2] != short_title(title).rpartition(".")[2]:
        return ""
    words = signature["words"].split()
    for word, kind in _KINDS.items():
        if word in words:
            return kind
    if signature["parameters"]:
        return "coroutine" if {"async", "coroutine", "awaitable"} & set(words) else "function"
    return "attribute" if "." in title else ""


def parameters_of(first: str) -> dict[str, str]:
    """Names of the parameters of a signature, and their defaults as they are written (empty: none); nothing where one
    part of it is no parameter, but a base class, a type or a choice."""
    signature = _SIGNATURE.match(first)
    if signature is None or not signature["parameters"]:
        return {}
    if re.search(r"\w\[\w", signature["parameters"]):
        return {}
    made: dict[str, str] = {}
    for part in _split(re.sub(r"[\[\]]", "", signature["parameters"][1:-1])):
        name, _, default = part.partition("=")
        name = name.split(":")[0].strip().lstrip("*")
        if name in ("", "/", "*"):
            continue
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            return {}
        made[name] = default.strip()
    return made


def apart(title: str, text: str) -> tuple[str, list[str]]:
    """The signature with which an entry of a manual begins (empty: with none), and the lines after it and its like."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    last = short_title(title).rpartition(".")[2]
    signatures = 0
    for line in lines[:12]:
        found = _SIGNATURE.match(line) or _C.match(line)
        own = found is not None and found["name"].rpartition(".")[2] == last
        if not own and not (signatures and _SIGNATURE.match(line) and "(" in line):
            break
        signatures += 1
    return (lines[0] if signatures else ""), lines[signatures:]


def manual(title: str, kind: str, first: str, lines: list[str], targets: Mapping[str, int]) -> Iterator[Fact]:
    """Facts of an entry of a manual. `first`, `lines`: as `apart` gives them; `targets`: numbers of the pages linked
    to, by folded title."""
    yield from _signature(first)
    parent = short_title(title).rpartition(".")[0]
    if parent:
        yield Fact("member_of", parent, folded(parent), title, asked=False)
    yield from _summary(lines)
    for line in lines:
        for sentence in sentences(line):
            yield from _named(sentence, kind, targets)


def notes(lines: list[str]) -> Iterator[Fact]:
    """What notes of a manual say of their page's subject: versions, the source, availability."""
    for line in lines:
        yield from _versions(line)
        for relation, pattern, group in _NOTES:
            if found := pattern.match(line):
                yield Fact(relation, found[group], folded(found[group]), line)


_NOTES = (
    ("source", _SOURCE, "path"),
    ("event", _EVENT, "name"),
    ("available", _AVAILABLE, "where"),
    ("stable_since", _STABLE, "version"),
)


def _named(sentence: str, kind: str, targets: Mapping[str, int]) -> Iterator[Fact]:
    """Exceptions and base classes that a sentence names, where they are pages linked to."""
    for relation, pattern in (("raises", _RAISES), ("inherits", _BASE)):
        if (relation == "inherits") != (kind in ("class", "exception")):
            continue
        for found in pattern.finditer(sentence):
            name = found["name"] or found.groupdict().get("raised") or ""
            key = folded(name)
            if key in targets:
                yield Fact(relation, name, key, sentence, target=targets[key], asked=False)


def _signature(first: str) -> Iterator[Fact]:
    if found := _C.match(first):
        listed = [] if found["list"].strip() in ("", "void") else _split(found["list"])
        if "..." not in found["list"] and len(listed) < len(_NUMBERS):
            yield Fact("arity", _counted(len(listed)), str(len(listed)), first, asked=False)
        yield Fact("returns", " ".join(found["returns"].split()), folded(found["returns"]), first, asked=False)
    parameters = parameters_of(first)
    for name, default in parameters.items():
        yield Fact("parameter", name, folded(name), first, asked=False)
        if default and len(default) <= 30:
            telling = folded(default) not in _GUESSED and not default.startswith("-")
            yield Fact("default", default, default, first, how=name, asked=telling)
    if parameters and first.count("(") == 1:
        yield Fact("arity", _counted(len(parameters)), str(len(parameters)), first, asked=False)


def _counted(parameters: int) -> str:
    number = _NUMBERS[parameters] if parameters < len(_NUMBERS) else str(parameters)
    return f"{number} parameter{'' if parameters == 1 else 's'}"


_GUESSED = frozenset(("", "none", "true", "false", "0", "1"))
"""Defaults that would be guessed right too often to be asked for, or that say nothing without punctuation."""
_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


_VERBS = listed(
    "return create set get convert write read open close compute calculate remove delete add append insert "
    "check test determine find search replace split join copy move change make build parse format print "
    "display send receive wait start stop run execute call register unregister load save store compare sort "
    "iterate generate decode encode encrypt compress decompress install raise perform apply update clear reset "
    "enable disable initialize initialise construct terminate attempt retrieve extract list report restore "
    "invoke flush lock unlock acquire release bind connect accept listen map fill draw rename truncate "
    "schedule cancel yield query fetch serialize dump"
)


def _summary(lines: list[str]) -> Iterator[Fact]:
    """What a manual says in the imperative that something does: `Return the ...` as `returns the ...`."""
    first = next((line for line in lines if not _NOTE.match(line)), "")
    if (told := _PROVIDES.match(first)) and "," not in told["does"] and len(told["does"].split()) <= 13:
        yield Fact("does", told["does"], folded(told["does"]), told[0], asked=False)
        return
    found = re.match(r"(?P<verb>[A-Z][a-z]+) (?P<rest>[a-z][^.:;()\"]*)\.", first)
    if found is None or _POINTS.search(found["rest"]):
        return
    bare = next((word for word in _forms(found["verb"].lower()) if word in _VERBS), "")
    if not bare:
        return
    verb, rest = bare, found["rest"].strip()
    coordinated = any(word in _VERBS for word in re.findall(r"(?:and|or|then) (\w+)", rest))
    if 2 <= len(rest.split()) <= 13 and "," not in rest and not coordinated:
        ending = "es" if verb.endswith(("s", "sh", "ch", "x")) else "s"
        shown = f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}{ending}"
        yield Fact("does", f"{shown} {rest}", folded(f"{verb} {rest}"), found[0], asked=False)


def _forms(verb: str) -> tuple[str, ...]:
    """What the infinitive of a verb could be."""
    return (verb, verb.removesuffix("s"), verb.removesuffix("es"), f"{verb.removesuffix('ies')}y")


_NOTE = re.compile(r"^(?:Part of|Return value|New|Changed|Deprecated|Availability|Source code|Note|Warning|See also)\b")
_POINTS = re.compile(
    r"\b(?:it|its|this|these|they|their|them|you|your|above|below|following|same as|see)\b", re.IGNORECASE
)


def _versions(line: str) -> Iterator[Fact]:
    if found := _NEW.match(line):
        if not found["what"].startswith(":"):
            yield Fact("added_in", found["version"], found["version"], line)
    elif found := _CHANGED.match(line):
        yield Fact("changed_in", found["version"], found["version"], line)
    elif found := _DEPRECATED.match(line):
        yield Fact("deprecated_in", found["version"], found["version"], line)
        if removed := _REMOVED.search(line):
            yield Fact("removed_in", removed["version"], removed["version"], line)


def _split(text: str) -> list[str]:
    """A list of parameters, apart at the commas that are in no bracket or quote."""
    parts, depth, quote, start = [], 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]
