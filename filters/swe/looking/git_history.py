"""Git commands that look beyond the commit that a task starts from."""

from __future__ import annotations

import re
from collections.abc import Sequence

NETWORK = ("fetch", "pull", "remote", "ls-remote", "submodule")
HISTORY = {"reflog", "fsck", "bisect", "verify-pack", "unpack-objects", "show-index", "rev-list", "bundle", "notes"}
REFS = {"for-each-ref", "show-ref", "tag", "name-rev"}
INSIDE = re.compile(r"(?:^|/)\.git/(?:logs|refs|objects|packed-refs|\w+_HEAD|stash)(?:/|$)")
"""Paths within `.git` that name or hold commits."""

_OTHER = re.compile(
    r"""(?x)
    (?:HEAD|@)(?:[~^@][^:]*|\{.*) | [A-Z]+_HEAD | stash(?:@\{.*)? | refs/.* | remotes/.*
    | (?:origin|upstream)(?:/.*)? | (?:main|master|develop|dev|trunk) | v?\d+(?:\.\d+)+(?:[-.]?\w+)? | [0-9a-f]{7,40}
    | [^/\s]*[^/\s.]\.{2,3}(?![/.])\S* | \.{2,3}[^/\s.]+
    """
)
"""Words that name a commit other than the one that is checked out."""
_VARIABLE = re.compile(r"\$\{?\w+\}?")
"""Of ``$commit:path``: there is one commit, and that has a name."""
_NAMING = {"log", "show", "diff", "checkout", "switch", "restore", "reset", "merge", "rebase", "cherry-pick", "revert"}
_NAMING |= {
    "archive",
    "format-patch",
    "ls-tree",
    "cat-file",
    "difftool",
    "worktree",
    "read-tree",
    "whatchanged",
    "rev-parse",
}
_WIDE = {"--all", "--reflog", "--branches", "--remotes", "--tags", "--walk-reflogs", "-g", "--batch-all-objects"}
_SEARCH = re.compile(r"-p|-u|--patch|-[SGL].*|--pickaxe.*|--full-diff")
"""Options of `git log` that show what commits changed."""
_VALUED = {"-n", "-S", "-G", "-L", "--author", "--grep", "--since", "--until", "--format", "--pretty", "-m", "-U"}
_MAKING = {"-b", "-B", "-c", "-C", "--orphan"}
_URL = re.compile(r"(?:\w+\+)?\w+://|\w+@[\w.]+:")


def looks_back(arguments: Sequence[str], *, stashed: bool) -> bool:
    """Whether `git` with these arguments looks at other commits, other refs or lost objects.

    `status`, `diff`, `blame`, `show HEAD` and a plain `log` of the one commit do not. Taking work back that the
    agent itself laid by (`stashed`) does not either.
    """
    command, rest = _split(arguments)
    if command in HISTORY | REFS:
        return command != "tag" or not any(not word.startswith("-") for word in rest)
    if (command, rest[:1]) == ("worktree", ["list"]) or (command == "cat-file" and "--batch" in rest):
        return True
    if command == "branch":
        return any(word in ("-a", "-r", "-av", "-rv", "-vv", "--all", "--remotes", "--contains") for word in rest)
    if command == "stash":
        return not stashed and rest[:1] in (["list"], ["show"], ["pop"], ["apply"], ["branch"])
    if any(word in _WIDE for word in rest) and command in _NAMING | {"grep", "describe", "rev-parse"}:
        return True
    if command in ("log", "whatchanged") and any(_SEARCH.fullmatch(word) for word in rest):
        return True
    return command in _NAMING and _names_another(command, rest)


def fetches(arguments: Sequence[str]) -> bool:
    """Whether `git` with these arguments asks, or looks up, another repository."""
    command, rest = _split(arguments)
    if command == "clone":
        return any(_URL.match(word) or "github.com" in word for word in rest)
    return command in NETWORK or (command == "config" and any(word.startswith("remote.") for word in rest))


def lays_by(arguments: Sequence[str]) -> bool:
    """Whether it puts the agent's own changes on the stash."""
    command, rest = _split(arguments)
    return command == "stash" and (not rest or rest[0] in ("push", "save") or rest[0].startswith("-"))


def _split(arguments: Sequence[str]) -> tuple[str, list[str]]:
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        if rest.pop(0) in ("-C", "-c", "--git-dir", "--work-tree") and rest:
            rest.pop(0)
    return (rest[0], rest[1:]) if rest else ("", [])


def _names_another(command: str, rest: list[str]) -> bool:
    if command in ("checkout", "switch", "worktree") and _MAKING & set(rest):
        return False
    skip = False
    for word in rest:
        if word == "--":
            return False
        name = word.removeprefix("--source=").removeprefix("--onto=")
        of, parted, _ = name.partition(":")
        if not skip and not name.startswith("-") and (_OTHER.fullmatch(of) or (parted and _VARIABLE.fullmatch(of))):
            return True
        skip = word in _VALUED
    return False
