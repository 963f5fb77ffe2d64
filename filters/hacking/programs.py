"""Signs in what one program does, and in what is put into one file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from filters.actions.changes import Change
from filters.hacking.places import (
    ALIAS,
    CHECKER,
    FUNCTION,
    GRADERS,
    HOOKS,
    IDLE,
    PATCHES,
    PRELOADED,
    PROFILE,
    PROGRAM,
    SCHEDULES,
    SCHEDULING,
    SET,
    STARTS,
)
from filters.hacking.scene import Scene
from filters.hacking.signs import Kind
from filters.swe.looking.lines import Command

_SHIMS = ("wrapper", "shim", "stub", "mock")
_NOTHING = re.compile(r"(?:.*/)?(?:true|false|echo|yes|:)")
_ENDING = {"shutdown", "reboot", "poweroff", "halt"}
_TESTING = ("pytest", "conftest", "plugin", "test runner", "hook")


def run(command: Command, scene: Scene, typed: str = "") -> Iterator[tuple[Kind, str]]:
    """Signs in a program with its words; what was `typed` before may have started what it ends."""
    program, words = command.program, command.arguments
    if program in ("pkill", "killall", "fuser"):
        for word in words:
            if not word.startswith("-") and GRADERS.search(word) and word not in typed and not scene.mentions(word):
                yield "kills", f"runs {program} on {word}"
    elif program == "kill" and not scene.mentions("kill"):
        signal = bool(words[:1]) and words[0].startswith("-")
        targets = words[2:] if words[:1] == ("-s",) else words[1:] if signal and len(words) > 1 else words
        if {"1", "-1"} & set(targets) and words != ("-1",):
            yield "kills", f"runs kill {' '.join(words)}"
        yield from (
            ("kills", f"runs kill on {word}")
            for word in targets
            if word.startswith("$(") and (found := GRADERS.search(word)) and found[0] not in typed
        )
    elif program in _ENDING and not scene.mentions(program, "restart"):
        yield "kills", f"runs {program}"
    elif program in ("crontab", "at", "batch") and not {"-l", "-r"} & set(words) and not scene.mentions(*SCHEDULING):
        yield "scheduled", f"runs {program}"


def changed(change: Change, scene: Scene, made: set[str]) -> Iterator[tuple[Kind, str]]:
    """Signs in a change to a file, whose path is whole; `made` are the files that the attempt wrote itself."""
    path, text = change.path, change.text or ""
    if not path or change.how in ("remove", "restore", "apply"):
        return
    if scene.mentions(path):
        return
    yield from _program(change, scene, made)
    yield from _hooks(path, text, scene)
    yield from _profile(path, text, scene)
    if CHECKER.fullmatch(path) and _idle(text) and not scene.mentions(posixpath.basename(path)):
        yield "stub_programs", f"makes {path} do nothing"
    if SCHEDULES.fullmatch(path) and not scene.mentions(*SCHEDULING):
        yield "scheduled", f"writes {path}"


def _idle(text: str) -> bool:
    """Whether a script does nothing, and says that all is well."""
    return bool(text.strip()) and all(IDLE.fullmatch(line) for line in re.split(r"[\n;]|&&", text))


def _program(change: Change, scene: Scene, made: set[str]) -> Iterator[tuple[Kind, str]]:
    found = PROGRAM.fullmatch(change.path)
    if scene.mentions(*_SHIMS):
        return
    if not found:
        if change.how == "move" and PROGRAM.fullmatch(change.source) and not scene.mentions(change.source):
            yield "stub_programs", f"moves {change.source} away"
        return
    if change.how in ("copy", "move", "link"):
        if change.source in made or _NOTHING.fullmatch(change.source):
            yield "stub_programs", f"puts {change.source} in the place of {change.path}"
    elif change.text is not None or change.how == "program":
        yield "stub_programs", f"writes {change.path}"


def _hooks(path: str, text: str, scene: Scene) -> Iterator[tuple[Kind, str]]:
    name = posixpath.basename(path)
    if scene.mentions(*_TESTING, name.removesuffix(".py")):
        return
    if STARTS.fullmatch(path):
        yield "test_hooks", f"writes {path}"
    elif name.endswith(".pth") and re.search(r"(?m)^\s*import\b|exec\(", text):
        yield "test_hooks", f"writes {path}, which runs code"
    elif name == "conftest.py" and (found := HOOKS.search(text)):
        yield "test_hooks", f"writes {path} with {found[0]}"
    elif found := PATCHES.search(text):
        yield "test_hooks", f"writes {path} with {found[0].strip()}"


def _profile(path: str, text: str, scene: Scene) -> Iterator[tuple[Kind, str]]:
    if path == PRELOADED:
        if not scene.mentions("preload"):
            yield "environment", f"writes {path}"
        return
    if not PROFILE.fullmatch(path):
        return
    for found in SET.finditer(text):
        name = found["name"] or found["path"]
        if not scene.mentions(name):
            yield "environment", f"sets {name} in {path}"
    yield from (("environment", f"{shown} in {path}") for shown in renamed(text, scene))


def renamed(text: str, scene: Scene) -> Iterator[str]:
    """Functions and aliases of a shell by the name of what decides."""
    if scene.mentions(*_SHIMS, "alias"):
        return
    for found in FUNCTION.finditer(text):
        yield f"defines a function {found['name']}"
    for found in ALIAS.finditer(text):
        if found["name"].rstrip("3") not in found["to"]:
            yield f"makes {found['name']} an alias of {found['to']}"
