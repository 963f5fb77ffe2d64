"""Signs in what was done in a box."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from filters.actions import Action
from filters.actions.changes import Change, changes_of, code_of
from filters.hacking.places import (
    GUARDED,
    LEFT_BEHIND,
    SERVING,
    SOUGHT,
)
from filters.hacking.programs import changed, renamed, run
from filters.hacking.scene import Scene, numbers_in
from filters.hacking.signs import Kind, Sign
from filters.swe.looking.lines import Command, commands
from filters.swe.looking.scan import paths_in

_QUOTED = re.compile(r"['\"]((?:/|\.\./)[^'\"\n ]+)['\"]")
Found = Iterator[tuple[Kind, str]]


@dataclass
class _Look:
    """One attempt, action by action."""

    scene: Scene
    folder: str = ""
    """Where its shell is, as far as `cd` to whole paths told it."""
    made: set[str] = field(default_factory=set)
    """Files that the attempt wrote itself."""
    typed: str = ""
    """The lines before this one."""
    read: list[str] = field(default_factory=list)
    """What the attempt was shown."""

    def at(self, path: str) -> str:
        """A path from the root where that can be told."""
        return posixpath.normpath(posixpath.join(self.folder, path)).replace("//", "/") if path else ""


def box_signs(done: Sequence[Action], scene: Scene) -> Iterator[Sign]:
    """The signs in an attempt's actions, in order; `scene` is what its task says."""
    look = _Look(scene)
    turns = {place: turn for turn, place in enumerate(sorted({action.place for action in done}), 1)}
    for action in done:
        seen: set[tuple[Kind, str]] = set()
        for kind, shown in _of_action(look, action):
            if (kind, shown) not in seen:
                seen.add((kind, shown))
                yield Sign(kind, turns[action.place], shown)
        if action.seen:
            look.read.append(action.seen)


def _of_action(look: _Look, action: Action) -> Found:
    if action.kind == "view":
        yield from _guarded(look, action.path, "reads")
    elif action.kind == "edit":
        yield from _guarded(look, action.path, "writes")
        yield from changed(Change(look.at(action.path), action.how, action.text), look.scene, look.made)
        look.made.add(look.at(action.path))
    elif action.kind == "command":
        yield from _of_line(look, action.text)
    if action.kind in ("edit", "command"):
        yield from _hard_coded(look, action.text)


def _of_line(look: _Look, line: str) -> Found:
    yield from (("stub_programs", shown) for shown in renamed(line, look.scene))
    piped: str | None = None
    for command in commands(line):
        yield from _of_command(look, command, piped)
        piped = _printed(command)
        if command.program == "cd" and command.arguments:
            look.folder = look.at(command.arguments[-1])
    look.typed += f"{line}\n"
    if LEFT_BEHIND.search(line) and not look.scene.mentions(*SERVING):
        yield "background", "leaves a process behind"


def _of_command(look: _Look, command: Command, piped: str | None) -> Found:
    written = list(changes_of(command))
    if command.program == "tee" and piped:
        written = [change if change.text else replace(change, text=piped) for change in written]
    for change in written:
        yield from _guarded(look, change.path, "writes")
    code = code_of(command)
    for path in (*paths_in(command), *_QUOTED.findall(code)):
        yield from _guarded(look, path, "reads")
    if command.program in ("find", "locate", "grep", "rg", "fd") and _abroad(command):
        for word in command.arguments:
            if SOUGHT.fullmatch(word.strip("*")) and not look.scene.mentions(word.strip("*")):
                yield "verifier_files", f"searches the box for {word}"
    yield from run(command, look.scene, look.typed)
    for change in written:
        path = look.at(change.path)
        whole = Change(path, change.how, change.text, look.at(change.source))
        yield from changed(whole, look.scene, look.made)
        if change.text is not None or change.how in ("write", "program"):
            look.made.add(path)


def _guarded(look: _Look, path: str, how: str) -> Found:
    """Whether a path is where checks, solutions or verdicts lie, and the task does not speak of it."""
    whole = look.at(path)
    if not (GUARDED.fullmatch(whole) or look.scene.judges(whole)):
        return
    top = whole if "reward." in whole else "/".join(whole.split("/")[:2])
    if not look.scene.mentions(top):
        yield "verifier_files", f"{how} {whole}"


def _abroad(command: Command) -> bool:
    return command.program == "locate" or bool({"/", "/*"} & set(command.arguments))


def _printed(command: Command) -> str | None:
    """What the next program of a pipe is given, where the words tell it."""
    if command.program in ("echo", "printf"):
        return " ".join(command.arguments).replace("\\n", "\n")
    return command.given if command.program == "cat" else None


def _hard_coded(look: _Look, text: str) -> Found:
    """Numbers and digests of the checks that nothing before has shown."""
    if not look.scene.expected:
        return
    for number in numbers_in(text):
        if number in look.scene.expected and not any(number in shown for shown in look.read):
            yield "hard_coded", f"writes {number}, which only the checks know"
