"""Where a line may write: not over programs, devices or git's own files, and never a name that reads as an option."""

from __future__ import annotations

import posixpath
import re

from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.words import Word

SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "nix", "opt", "proc", "sbin", "sys", "usr")
"""Folders of the root that hold what runs, or how; environments lie in /opt."""
STREAMS = ("/dev/null", "/dev/stdout", "/dev/stderr")
_DASH = re.compile(r"(?:^|/|\s)-")
_GIT = re.compile(r"(?:^|/)\.git(?:/|$|config$|attributes$)")


def wrong(path: str) -> str:
    """Why nothing may be written at `path`; empty: it may."""
    whole = posixpath.normpath(path)
    first = whole.lstrip("./").partition("/")[0]
    if whole.startswith(("/", "..")) and first in SYSTEM:
        return f"{clip(path)} belongs to the system"
    if _GIT.search(whole):
        return f"{clip(path)} belongs to git, which runs programs that it names"
    if _DASH.search(path):
        return f"{clip(path)!r} could be taken for an option: no name may begin with a dash"
    return ""


def check_redirection(word: Word) -> None:
    """Raises Refused unless output may go there."""
    if word.literal in STREAMS:
        return
    if word.literal == "-" or word.pattern:
        raise Refused(f"{clip(word.text)!r}: write the name of the file out")
    check_target(word)


def check_target(word: Word) -> None:
    """Raises Refused unless a program may make or change what the word names."""
    if word.values is None and not word.names and not word.pattern:
        raise Refused(f"{clip(word.text)!r} is not known beforehand: write the name of the file out")
    for text in word.pieces():
        if reason := wrong(text):
            raise Refused(reason)
