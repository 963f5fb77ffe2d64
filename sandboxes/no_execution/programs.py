"""The programs and builtins that a line may use, each with what it must not be asked to do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence

from sandboxes.no_execution import paths
from sandboxes.no_execution.calls import Call, prints_names
from sandboxes.no_execution.conditions import check_test
from sandboxes.no_execution.find import check_find
from sandboxes.no_execution.git import check_git
from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.options import Options, Read, listed, read
from sandboxes.no_execution.program_options import KNOWN
from sandboxes.no_execution.sed import check_sed
from sandboxes.no_execution.variables import check_name
from sandboxes.no_execution.words import Word

READERS = listed(
    "ls cat head tail grep egrep fgrep wc cut tr nl rev tac paste column fold fmt expand unexpand comm join cmp od "
    "hexdump strings md5sum sha1sum sha256sum sha512sum b2sum cksum sum basename dirname realpath readlink stat du df "
    "seq sleep expr id whoami uname nproc printenv jq base64 which"
)
"""Programs of which no option runs or writes anything."""
BUILTINS = listed("echo printf pwd cd true false : break continue exit type command test [ read set shopt time")
_PLAIN_BUILTINS = listed("echo pwd true false : break continue exit type")
_WRAPPERS = ("time", "timeout", "command")
_UNDER_XARGS = READERS | {"sed", "sort", "rm", "cp", "mv", "touch", "diff", "file", "rg", "echo", "uniq", "mkdir"}
_NO_PLACE = re.compile(r"/(?:usr/)?(?:local/)?s?bin|/(?:etc|dev|proc|sys|boot|usr/lib\w*|lib\w*|opt(?:/.*)?)")
_SETTINGS = re.compile(r"[-+][eux]+|[-+][eux]*o|pipefail|errexit|nounset|xtrace")
_SHELL_OPTIONS = re.compile(r"-[su]|globstar|dotglob|failglob|nocaseglob|nocasematch")
_INSTEAD = {
    "awk": "use sed, grep, cut, head or tail",
    "vi": "read with cat, head, tail or sed -n; edit with sed -i or a here-document",
    "patch": "edit with sed -i or a here-document",
}
_LIKE = {
    "awk": ("gawk", "mawk", "nawk"),
    "vi": ("vim", "nano", "ed", "ex", "emacs", "less", "more", "man"),
    "patch": ("dd", "install", "ed"),
}


def programs() -> Iterable[str]:
    """Names of what lines may use: what a box has to keep, builtins too, as `xargs` and `find` call them."""
    return sorted({*READERS, *KNOWN, *_RULES, *BUILTINS, "xargs", "timeout"})


def check(call: Call, before: Sequence[Call] | None = None) -> None:
    """Raises Refused unless a call only reads and edits. `before`: what feeds its standard input; None: unknown."""
    if call.name in READERS or call.name in _PLAIN_BUILTINS:
        return
    if call.name in KNOWN:
        found = read(call.name, call.args, KNOWN[call.name])
        for word in _written(call.name, found):
            paths.check_target(word)
    elif call.name in _RULES:
        _RULES[call.name](call.args)
    elif call.name in _WRAPPERS:
        _check_wrapped(call, before)
    elif call.name == "xargs":
        _check_xargs(call.args, before)
    else:
        raise Refused(_why_not(call.name))


def _why_not(name: str) -> str:
    for kind, like in _LIKE.items():
        if name == kind or name in like:
            return f"{name} is not allowed, because it can run programs: {_INSTEAD[kind]}"
    return f"{clip(name)}: nothing may be executed here, only programs that read and edit files are allowed"


def _written(name: str, found: Read) -> Sequence[Word]:
    """What a program of `KNOWN` makes or changes."""
    match name:
        case "cp":
            return found.operands[-1:] if all(word.single for word in found.operands) else found.operands
        case "uniq" | "xxd":
            return found.operands[1:]
        case "tee" | "touch" | "mkdir" | "mv" | "truncate" | "rm" | "rmdir" | "mktemp":
            return found.operands
        case _:
            return found.values("o", "output")


def _check_wrapped(call: Call, before: Sequence[Call] | None) -> None:
    if call.name == "command" and call.args and call.args[0].literal in ("-v", "-V"):
        return
    known = {
        "time": Options("p", first=True),
        "command": Options(first=True),
        "timeout": Options("v", "ks", first=True),
    }
    words = read(call.name, call.args, known[call.name]).operands
    if call.name == "timeout" and not (words and re.fullmatch(r"[0-9.]+[smhd]?", words.pop(0).literal or "")):
        raise Refused("timeout: a number of seconds first")
    inner = Call.of(words)
    if inner.name in BUILTINS and call.name == "timeout":
        raise Refused(f"timeout: {inner.name} is no program")
    check(inner, before)


def _check_xargs(args: Sequence[Word], before: Sequence[Call] | None) -> None:
    found = read("xargs", args, Options("0rtx", "nLIPds", long=frozenset({"null", "no-run-if-empty"}), first=True))
    if not found.operands:
        return
    inner = Call.of(found.operands)
    if inner.name not in _UNDER_XARGS:
        raise Refused(f"xargs: {clip(inner.name)} is not allowed under xargs")
    names = before is not None and prints_names(before)
    if any(word.literal not in ("\\n", "\n", "\\0") for word in found.values("d")):
        raise Refused("xargs: only the end of a line may part its words")
    marks = [word.literal or "" for word in found.values("I")]
    words = [Word(word.text, names=names) if any(mark in word.text for mark in marks) else word for word in inner.args]
    if not marks:
        words.append(Word("{}", names=names, single=False))
    check(Call(inner.name, tuple(words)))


def _check_cd(args: Sequence[Word]) -> None:
    for word in args:
        for text in word.values or ():
            at = posixpath.normpath(text)
            outside = at.startswith(("/", "..")) and _NO_PLACE.fullmatch("/" + at.lstrip("./"))
            if outside or ".git" in at.split("/"):
                raise Refused(f"cd: stay out of {clip(text)}; what is in there can be read from elsewhere")


def _check_printf(args: Sequence[Word]) -> None:
    first = args[0] if args else None
    if first is not None and (not first.single or (first.could_be_option and first.literal not in ("--", "-"))):
        raise Refused("printf: a plain format first")


def _check_read(args: Sequence[Word]) -> None:
    found = read("read", args, Options("rs", "dntN"))
    for word in found.operands:
        check_name(word.literal if word.literal is not None else word.text)


def _check_test(args: Sequence[Word]) -> None:
    check_test(args)


def _check_bracket(args: Sequence[Word]) -> None:
    if not args or args[-1].literal != "]":
        raise Refused("[: no closing ]")
    check_test(args[:-1])


def _only(name: str, pattern: re.Pattern[str]) -> Callable[[Sequence[Word]], None]:
    def rule(args: Sequence[Word]) -> None:
        for word in args:
            if not pattern.fullmatch(word.literal or ""):
                raise Refused(f"{name} {clip(word.text)} is not allowed")

    return rule


_RULES: dict[str, Callable[[Sequence[Word]], None]] = {
    "sed": check_sed,
    "git": check_git,
    "find": lambda args: check_find(args, check),
    "cd": _check_cd,
    "printf": _check_printf,
    "read": _check_read,
    "test": _check_test,
    "[": _check_bracket,
    "set": _only("set", _SETTINGS),
    "shopt": _only("shopt", _SHELL_OPTIONS),
    "date": _only("date", re.compile(r"-[uIR]|--utc|\+[^\n]*|-I\w+")),
    "env": _only("env", re.compile(r"-0")),
    "hostname": _only("hostname", re.compile(r"-[fs]")),
}
