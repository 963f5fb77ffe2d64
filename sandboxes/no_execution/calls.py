"""A call of a program or builtin in a shell line; what a pipeline of them prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.options import Options, Read, listed, read
from sandboxes.no_execution.words import Word

_PLAIN = re.compile(r"\\?(?P<name>[A-Za-z0-9_.+:-]+|\[)")
_WITH_FOLDER = re.compile(r"/(?:usr/)?bin/(?P<name>[a-z0-9]+)")

GREP = Options(
    short="rRilLnHhovcwxsqEFPGzZaIuUbTyV",
    valued="eABCmdDf",
    number=True,
    long=listed(
        "recursive ignore-case files-with-matches files-without-match line-number with-filename no-filename "
        "only-matching invert-match count word-regexp line-regexp no-messages quiet extended-regexp fixed-strings "
        "perl-regexp text null color colour"
    ),
    long_valued=listed(
        "include exclude exclude-dir max-count after-context before-context context regexp color colour"
    ),
)


@dataclass(frozen=True)
class Call:
    """A program or builtin, and its arguments."""

    name: str
    args: tuple[Word, ...]

    @classmethod
    def of(cls, words: Sequence[Word]) -> Call:
        """Raises Refused unless the name is written out, without quotes or anything to expand."""
        if not words:
            return cls(":", ())
        text = words[0].text
        found = _PLAIN.fullmatch(text) or _WITH_FOLDER.fullmatch(text)
        if found is None:
            why = "scripts and programs of your own cannot be run" if "/" in text else "write a command's name out"
            raise Refused(f"{clip(text)}: {why}")
        return cls(found["name"], tuple(words[1:]))


def prints_names(calls: Sequence[Call]) -> bool:
    """Whether a pipeline prints names of files that are there, one a line, and nothing else."""
    if not calls:
        return False
    try:
        return _lists(calls[0]) and all(_keeps_lines(call) for call in calls[1:])
    except Refused:
        return False


def _lists(call: Call) -> bool:
    texts = [word.text for word in call.args]
    match call.name:
        case "find":
            return not any(re.match(r"-(?:f?print[f]|fprint|f?ls|exec|ok)", text) for text in texts)
        case "grep" | "egrep" | "fgrep":
            return read("grep", call.args, GREP).has("l", "L", "files-with-matches", "files-without-match")
        case "git":
            return texts[:1] == ["ls-files"] and not any("-" in text[:1] for text in texts[1:])
        case "ls":
            return read("ls", call.args, Options(short="1ArtS")) is not None
        case _:
            return False


def _keeps_lines(call: Call) -> bool:
    if call.name in ("grep", "egrep", "fgrep"):
        found = read("grep", call.args, Options(short="viEFPwx", valued="e"))
        return found.has("e") or len(found.operands) == 1
    if call.name in ("head", "tail"):
        found = read(call.name, call.args, Options(valued="n", number=True))
        return not found.operands
    if call.name in ("sort", "uniq"):
        return _bare(read(call.name, call.args, Options(short="ruV")))
    return False


def _bare(found: Read) -> bool:
    return not found.operands
