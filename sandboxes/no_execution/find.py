"""Find: tests and actions that look, and `-exec` with programs that are allowed themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandboxes.no_execution import paths
from sandboxes.no_execution.calls import Call
from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.options import listed
from sandboxes.no_execution.words import Word

_ALONE = listed(
    "! ( ) , -a -and -o -or -not -print -print0 -prune -empty -executable -readable -writable -xdev -mount -depth -d "
    "-follow -daystart -ls -quit -true -false -nouser -nogroup -noleaf -P -L -H -delete"
)
_VALUED = listed(
    "-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -lname -ilname -type -xtype -maxdepth "
    "-mindepth -size -mtime -mmin -atime -amin -ctime -cmin -newer -anewer -cnewer -newermt -perm -user -group -uid "
    "-gid -links -inum -samefile -used -fstype -printf"
)


def check_find(args: Sequence[Word], check: Callable[[Call], None]) -> None:
    """Raises Refused for an action that writes, or that runs a program which `check` refuses."""
    rest, starts = list(args), list[str]()
    begun = False
    while rest:
        word = rest.pop(0)
        text = word.literal
        if text in ("-exec", "-execdir"):
            check(_program(rest, starts))
            begun = True
        elif text in _ALONE:
            begun = begun or text not in ("-P", "-L", "-H")
            if text == "-delete":
                _check_starts(starts)
        elif text in _VALUED:
            begun = True
            if not rest or not (rest.pop(0).single or word.text in ("-name", "-iname")):
                raise Refused(f"find: {text} needs one value, in quotes")
        elif text is not None and (text.startswith("-") or begun):
            raise Refused(f"find: {clip(text)} is not allowed")
        elif begun or word.could_be_option or word.prefix.startswith(("(", "!", ",")):
            raise Refused(f"find: {clip(word.text)!r} is not known beforehand: write it out")
        else:
            starts += word.pieces()


def _check_starts(starts: Sequence[str]) -> None:
    for start in starts:
        if reason := paths.wrong(start):
            raise Refused(reason)


def _program(rest: list[Word], starts: Sequence[str]) -> Call:
    """What `-exec` runs, as one call in which names of files are unknown."""
    words: list[Word] = []
    while rest:
        word = rest.pop(0)
        if word.literal == ";" or (word.literal == "+" and words and words[-1].text == "{}"):
            _check_starts(starts if words and words[0].text not in _LOOKS else [])
            call = Call.of(words)
            if call.name not in _UNDER_EXEC:
                raise Refused(f"find: {call.name} is not allowed after -exec")
            return call
        words.append(Word(word.text, names=word.text == "{}") if "{}" in word.text else word)
    raise Refused("find: -exec without an end")


_LOOKS = listed("grep egrep fgrep cat head tail wc ls sed file stat basename dirname md5sum sha256sum echo")
_UNDER_EXEC = _LOOKS | {"rm", "cp", "mv", "touch", "diff", "sort", "test"}
