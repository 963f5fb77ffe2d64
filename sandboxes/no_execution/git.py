"""Git: subcommands that look, with options that are known to run nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.options import listed
from sandboxes.no_execution.words import Word, plain

_LOOKING = listed("status diff show log ls-files ls-tree rev-parse rev-list grep blame branch cat-file")
_LONG = listed(
    "stat shortstat numstat name-only name-status oneline cached staged no-color color summary short porcelain "
    "branch patch no-patch no-ext-diff no-textconv no-renames find-renames follow all graph decorate no-decorate "
    "reverse merges no-merges first-parent abbrev-commit no-abbrev-commit ignore-space-change ignore-all-space "
    "ignore-blank-lines ignore-space-at-eol word-diff color-words function-context exit-code quiet check raw "
    "minimal histogram patience full-index binary relative root date author since until after before grep format "
    "pretty max-count skip unified diff-filter abbrev untracked-files ignored show-toplevel show-prefix show-cdup "
    "abbrev-ref is-inside-work-tree git-dir verify show-current list others modified deleted exclude-standard "
    "full-name error-unmatch line-number ignore-case files-with-matches files-without-match count word-regexp "
    "fixed-strings extended-regexp perl-regexp and or not show-function heading break after-context before- "
    "context context max-depth untracked no-index compact-summary dirstat no-prefix line-porcelain show-email "
    "regexp-ignore-case invert-grep all-match full-history topo-order date-order boundary no-notes verbose merged "
    "no-merged contains text"
)
"""Options by their whole names: git takes abbreviations, and some of the others run programs (``--ext-diff``,
``--textconv``, ``--open-files-in-pager``) or write files (``--output``)."""
_SHORT = {
    "grep": re.compile(r"-(?:[nilLrwvcEFPGhHIapWzq]*|[nilrwEFPhI]*[ABCem].*|\d+)"),
    "blame": re.compile(r"-(?:[swltfnecbpMC]*|L.*)"),
    "ls-files": re.compile(r"-[zcdmoistuvk]*"),
    "ls-tree": re.compile(r"-[rdtlz]*"),
    "cat-file": re.compile(r"-[ptse]"),
    "branch": re.compile(r"-[avrl]+"),
    "status": re.compile(r"-(?:[sbvz]*|u(?:no|all|normal)?)"),
    "show": re.compile(r"-(?:[pqswbzaR]+|[UMCDnSGL].*|\d+)"),
}
_SHORT_OF_LOGS = re.compile(r"-(?:[pqswbziEFgcmtraRW]+|[UMCDnSGLl].*|\d+)")
_WHOLE = {"remote": re.compile(r"(?:-v)?"), "config": re.compile(r"--list|-l|--get [A-Za-z0-9._-]+")}
_SETTINGS = re.compile(r"core\.pager=(?:cat)?|color\.\w+=\w+|core\.quote[pP]ath=\w+|diff\.renames=\w+")


def check_git(args: Sequence[Word]) -> None:
    """Raises Refused for whatever changes the repository, runs a program, or could."""
    rest = list(args)
    while rest and rest[0].text.startswith("-"):
        option = rest.pop(0).literal
        value = rest[0] if rest else plain("-")
        if (option == "-C" and value.single and not value.could_be_option) or (
            option == "-c" and _SETTINGS.fullmatch(value.literal or "")
        ):
            rest.pop(0)
        elif option not in ("--no-pager", "-P", "--no-optional-locks", "--version"):
            raise Refused(f"git: the option {clip(option or 'that is not written out')} is not allowed")
    if not rest:
        return
    command = rest.pop(0).literal or ""
    if command == "stash" and [word.literal for word in rest[:1]] in (["list"], ["show"]):
        rest.pop(0)
    elif command in _WHOLE and _WHOLE[command].fullmatch(" ".join(word.literal or "?" for word in rest)):
        return
    elif command not in _LOOKING:
        raise Refused(f"git {clip(command)}: only what looks is allowed, such as status, diff, show, log, grep, blame")
    _check_options(command, rest)


def _check_options(command: str, rest: list[Word]) -> None:
    short = _SHORT.get(command, _SHORT_OF_LOGS)
    while rest:
        word = rest.pop(0)
        text = word.literal
        if text == "--":
            return
        if text is None:
            if word.could_be_option and not _valued(word.prefix):
                raise Refused(f"git: {clip(word.text)!r} could be an option: write it out, or put `--` before it")
        elif text.startswith("--"):
            if text[2:].partition("=")[0] not in _LONG:
                raise Refused(f"git {command}: the option {clip(text)} is not allowed")
        elif text.startswith("-") and text != "-":
            if not short.fullmatch(text):
                raise Refused(f"git {command}: the option {clip(text)} is not allowed")
        elif command == "branch":
            raise Refused("git branch: only what lists is allowed")


def _valued(prefix: str) -> bool:
    """Whether the known beginning of a word says that the rest is an option's value."""
    return prefix.startswith("--") and "=" in prefix and prefix[2:].partition("=")[0] in _LONG
