"""Whether an action failed, as what followed it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from filters.actions.reading import Action
from filters.actions.testing import run_of
from filters.swe.looking.lines import Command, commands

FailureKind = Literal["unread", "refused", "editor", "timeout", "shell", "exit", "traceback"]

SUSPECT = (
    r"ERROR|error: |rror: |exit code:? [1-9]|exited with code [1-9]|Traceback|not found|No such file|denied|timed out"
    r"|invalid option|unrecognized|cannot |can't |syntax error|unexpected |not run:|broke or blocked|called no tool"
    r"|could not be carried out|parsing errors|panicked|Segmentation|Exception|a directory|__malformed__"
)
"""What a message must have, as it lies in the table, for the action before it to be looked at."""
_REFUSED = re.compile(r"\A(?:exit code: 126\n)?not run: ([^\n]*)")
_STUCK = "The previous command broke or blocked the terminal"
_PROMPT = re.compile(r"^(?:\S+@[\w.-]+:[^\n]*?[#$]|>)(?: .*)?$", re.MULTILINE)
"""A line that the terminal echoes: behind its prompt, or behind the one for a line that goes on."""
_COMPLAINT = re.compile(
    r"^(?:-?(?:ba)?sh|[\w.+/-]+): .*(?:command not found|No such file or directory|Permission denied|[Ii]s a directory"
    r"|Not a directory|invalid option|unrecognized (?:option|argument)|cannot (?:stat|access|open|remove|create)\b"
    r"|can't open file|[Ss]yntax error|unexpected (?:EOF|token|end of file)|missing (?:file )?operand"
    r"|not a git repository).*$",
    re.MULTILINE,
)
"""How a shell or a program says that a line was wrong."""
_RAISED = re.compile(
    r"^(?:Traceback \(most recent call last\):|Exception in thread |thread '.*' panicked at |Segmentation fault"
    r"|(?:Syntax|Indentation|Tab)Error: |Uncaught \w*Error)",
    re.MULTILINE,
)
_SHOWING = {
    "cat",
    "less",
    "more",
    "head",
    "tail",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "sed",
    "awk",
    "zcat",
    "journalctl",
    "git",
}
_SHOWING |= {"dmesg", "cd", "ls", "echo", "printf", "wc", "sort", "uniq", "cut", "nl", "tac", "strings", "find", "tr"}
"""Programs that show what others wrote: a traceback in it is none of theirs."""
_ANSWERING = {
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "ag",
    "diff",
    "cmp",
    "test",
    "[",
    "[[",
    "pgrep",
    "which",
    "type",
    "command",
}
_ANSWERING |= {"expr", "git", "false", "comm", "sdiff", "zgrep", "wait", "timeout", "dpkg", "rpm", "systemctl", "let"}
"""Programs that say no by the exit code 1."""
_QUIET = {124, 130, 141}
"""Ran out of time (told apart), was interrupted, wrote to a reader that had enough (`| head`)."""
SHOWN = 120


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an action came to nothing."""

    kind: FailureKind
    """`unread`: no action could be read, or none that a tool takes; `refused`: by the sandbox; `editor`: the editor did
    nothing; `timeout`; `shell`: the line itself was wrong (no such program, file, option); `exit`: a program failed;
    `traceback`: a program raised."""
    shown: str
    """The line that says so."""

    def __str__(self) -> str:
        said = " ".join(self.shown.split())
        return f"{self.kind}: {said if len(said) <= SHOWN else f'{said[:SHOWN]}…'}"


def failure(action: Action, *, repo: bool = False) -> Failure | None:
    """Why it failed; None: it did not, or nobody could tell.

    Tests that fail have done their work; so has, in a repository (`repo`), any program that is run: that is how a bug
    is shown. An exit code of 0 has the last word over what a shell complained of.
    """
    if action.fault:
        return Failure("unread", action.fault)
    seen = action.seen or ""
    if action.kind in ("edit", "view"):
        return Failure("editor", seen[:SHOWN]) if seen.startswith("ERROR") else None
    if action.kind != "command" or not seen:
        return None
    if refused := _REFUSED.match(seen):
        return Failure("refused", refused[1])
    code = action.exit_code
    if code == 124 or (code is None and _STUCK in seen):
        return Failure("timeout", "timed out" if code else _STUCK)
    if code == 0 and not _RAISED.search(seen):
        return None
    printed = _PROMPT.sub("", seen) if code is None else seen
    return _of_lines(action.text, printed, code, repo)


def useful(action: Action, *, repo: bool) -> bool:
    """Whether an action may have brought the work on: more than a look, and no failure."""
    if failure(action, repo=repo) is not None:
        return False
    if action.kind == "command":
        return any(command.program not in _SHOWING or command.written for command in commands(action.text))
    return action.kind in ("edit", "search", "visit", "answer", "submit", "other", "keys")


def _of_lines(text: str, printed: str, code: int | None, repo: bool) -> Failure | None:
    raised = _RAISED.search(printed)
    complaint = _COMPLAINT.search(printed) if code != 0 else None
    if not raised and not complaint and code is None:
        return None
    programs = list(commands(text))
    if complaint and _own(complaint[0], programs):
        return Failure("shell", complaint[0])
    ran = {run_of(command) for command in programs}
    if "tests" in ran or (repo and "program" in ran):
        return None
    if raised and any(command.program not in _SHOWING for command in programs):
        return Failure("traceback", _last(printed))
    if not code or code in _QUIET or (code == 1 and any(command.program in _ANSWERING for command in programs)):
        return None
    return Failure("shell" if code in (126, 127) else "exit", f"exit code {code}")


def _own(complaint: str, programs: list[Command]) -> bool:
    """Whether the shell, or one of these programs, says it."""
    name = complaint.split(":")[0].rpartition("/")[2].lstrip("-")
    return name in ("bash", "sh") or any(command.program == name for command in programs)


def _last(printed: str) -> str:
    """The last line of the last traceback: the error's name and what it says."""
    *_, found = _RAISED.finditer(printed)
    rest = printed[found.start() :].splitlines()
    return next((line for line in rest[1:] if line and not line.startswith((" ", "\t"))), rest[0])
