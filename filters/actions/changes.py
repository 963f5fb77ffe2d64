"""What an action writes: files and their new text, as far as the words of a line tell it; nothing is run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from filters.actions.reading import Action
from filters.swe.looking.lines import Command, commands
from filters.swe.looking.packages import PYTHON

SCREEN = re.compile(
    r">|\b(?:tee|sed|perl|ed|ex|dd|cp|mv|rm|ln|install|touch|truncate|unlink|shred|patch|apply|git|rsync|curl|wget|vim?|nano|emacs"
    r"|python[\d.]*|pypy|node|ruby|awk|gawk|tar|unzip)\b"
)
"""What a line must have to change a file in a way that is known here."""
_CODE_WRITES = re.compile(
    r"""(?x)
    open\(\s*(?:[rbfu]*(?P<q>['"])(?P<path>[^'"\n]+)(?P=q)|[\w./\[\]()'" +-]+?)\s*,
        \s*(?:mode\s*=\s*)?['"][rb]*[wax+][bt+]*['"]
    | (?:Path\(\s*['"](?P<of>[^'"\n]+)['"]\s*\)|\b[\w.]+)\.write_(?:text|bytes)\(
    | \b(?:shutil\.(?:copy\w*|move)|os\.(?:rename|replace|remove|unlink|symlink)|writeFileSync|File\.write)\(
    """
)
_LAST = {"cp": "copy", "mv": "move", "ln": "link", "install": "copy", "rsync": "copy"}
"""Programs whose last word is what they write."""
_ALL = {"rm": "remove", "unlink": "remove", "shred": "remove", "touch": "touch", "truncate": "write", "tee": "write"}
_GIT = {
    "apply": "apply",
    "am": "apply",
    "checkout": "restore",
    "restore": "restore",
    "reset": "restore",
    "stash": "restore",
    "revert": "restore",
    "clean": "restore",
}
_SAVED = {"curl": ("-o", "--output"), "wget": ("-O", "--output-document")}
_EDITORS = {"vi", "vim", "nano", "emacs", "ed", "ex"}
_VALUED = {"-t", "-m", "-o", "-g", "-S", "--mode", "--owner", "--group", "-s", "--size", "-e", "-f", "-i"}


@dataclass(frozen=True, slots=True)
class Change:
    """A file that was written, moved, linked or removed."""

    path: str
    """As it was named; empty: a program changed some file, and its words do not say which."""
    how: str
    """`write`, `edit`, `copy`, `move`, `link`, `remove`, `touch`, `apply` (a patch), `restore` (by git), `program`, or
    the editor's command."""
    text: str | None = None
    """What was put in; None: not known."""
    source: str = ""
    """Of a copy, a move or a link: where it came from."""


def changes(action: Action) -> Iterator[Change]:
    """The changes of one action, in order. An edit that failed changes nothing; a line may have failed unseen."""
    if action.kind == "edit":
        if not action.fault and not (action.seen or "").startswith("ERROR"):
            yield Change(action.path, action.how, action.text)
    elif action.kind == "command" and SCREEN.search(action.text):
        for command in commands(action.text):
            yield from changes_of(command)


def changes_of(command: Command) -> Iterator[Change]:
    """The changes that one program makes."""
    program, words = command.program, command.arguments
    for path in command.written:
        if not path.startswith(("/dev/", "&")) and not path.isdigit():  # `2>&1` writes no file
            yield Change(path, "write", _printed(command))
    plain = _plain(words)
    if program in _LAST:
        into = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "-t"), "")
        sources = plain if into else plain[:-1]
        for source in sources:
            yield Change(_placed(into or plain[-1], source), _LAST[program], source=source)
            if program == "mv":
                yield Change(source, "remove")
    elif program in _ALL:
        for path in plain:
            if not path.startswith("/dev/"):
                yield Change(path, _ALL[program], command.given or None)
    elif program in ("sed", "perl") and any(re.match(r"-[a-zE]*i|--in-place", word) for word in words):
        scripted = any(re.match(r"-[a-zA-Z]*e$|--expression", word) for word in words)
        for path in [word for word in words if not word.startswith("-")][0 if scripted else 1 :]:
            yield Change(path, "edit", " ".join(words))
    else:
        yield from _others(command, program, words, plain)


def _others(command: Command, program: str, words: Sequence[str], plain: list[str]) -> Iterator[Change]:
    if program == "git":
        yield from _by_git(plain)
    elif program == "patch":
        yield Change("", "apply", command.given or None)
    elif program in _EDITORS:
        yield from (Change(path, "edit", command.given or None) for path in plain[:1])
    elif program == "dd":
        files = (word[3:] for word in words if word.startswith("of="))
        yield from (Change(path, "write") for path in files if not path.startswith("/dev/"))
    elif program in _SAVED:
        pairs = (word for flag, word in pairwise(words) if flag in _SAVED[program])
        yield from (Change(path, "write") for path in pairs if path != "-")
    elif code := code_of(command):
        yield from (Change(found["path"] or found["of"] or "", "program") for found in _CODE_WRITES.finditer(code))


def _by_git(plain: list[str]) -> Iterator[Change]:
    done, *rest = plain or [""]
    if done in ("rm", "mv"):
        yield from (Change(path, "remove" if done == "rm" else "move") for path in rest)
    elif done in _GIT and (done, *rest[:1]) not in (("stash", "list"), ("stash", "show")):
        yield Change("", _GIT[done])


def code_of(command: Command) -> str:
    """What an interpreter is given to run: the text after ``-c`` or ``-e``, or a here-document; empty: nothing that can
    be seen."""
    if not (PYTHON.fullmatch(command.program) or command.program in ("node", "ruby", "perl")):
        return ""
    words = command.arguments
    at = next((place for place, word in enumerate(words) if word in ("-c", "-e")), None)
    return command.given if at is None else "".join(words[at + 1 : at + 2])


def _printed(command: Command) -> str | None:
    """What a redirected `echo`, `printf` or `cat` puts into its file."""
    if command.program == "cat" and command.given:
        return command.given
    if command.program in ("echo", "printf"):
        text = " ".join(word for word in command.arguments if word not in ("-e", "-n", "-ne", "-en"))
        return text.replace("\\n", "\n")
    return "" if command.program in (":", "true") else None


def _plain(words: Sequence[str]) -> list[str]:
    """Words that are neither options nor an option's value."""
    found, skip = [], False
    for word in words:
        if not skip and not word.startswith("-"):
            found.append(word)
        skip = word in _VALUED and not found
    return found


def _placed(target: str, source: str) -> str:
    """Where a copy lies: within a target that is named as a folder."""
    return posixpath.join(target, posixpath.basename(source)) if target.endswith("/") else target
