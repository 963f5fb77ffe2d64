"""Which lines run tests or programs, and how tests ended."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from filters.actions.reading import Action
from filters.swe.looking.lines import Command, commands
from filters.swe.looking.packages import PYTHON

Run = Literal["tests", "program", ""]

_RUNNERS = {
    "pytest",
    "py.test",
    "tox",
    "nox",
    "trial",
    "stestr",
    "nosetests",
    "nose2",
    "jest",
    "vitest",
    "mocha",
    "ava",
}
_RUNNERS |= {"ctest", "phpunit", "rspec", "bats", "karma", "cypress", "playwright", "green", "ward"}
_TASKS = {
    "make",
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "cargo",
    "go",
    "mvn",
    "gradle",
    "gradlew",
    "dotnet",
    "rake",
    "mix",
    "sbt",
}
_TASKS |= {
    "bazel",
    "just",
    "task",
    "hatch",
    "pdm",
    "poetry",
    "uv",
    "rye",
    "deno",
    "swift",
    "zig",
    "meson",
    "lein",
    "stack",
}
_TEST_WORD = re.compile(r"(?:run-?)?(?:unit)?tests?(?:[:_-]\w+)?|check|verify|nextest|pytest|unittest|doctest")
_MODULES = {"pytest", "unittest", "nose", "nose2", "tox", "nox", "doctest", "trial", "green", "ward", "py.test"}
_TEST_FILE = re.compile(r"(?:.*/)?(?:tests?/.*|test_[^/]*|[^/]*_tests?|run_?tests?|tests?)\.(?:py|sh|js|ts|rb|pl)")
_INTERPRETERS = {
    "node",
    "ruby",
    "perl",
    "php",
    "Rscript",
    "julia",
    "bash",
    "sh",
    "lua",
    "java",
    "deno",
    "bun",
    "ts-node",
}
_SCREEN = re.compile(
    r"test|check|tox|nox|jest|mocha|rspec|trial|ava\b|karma|cypress|green|ward|bats|verify|doctest|playwright|python|pypy"
    r"|node|ruby|perl|php|Rscript|julia|\bsh\b|bash|lua|java|deno|bun|ts-node|\./|make|cargo|\bgo\b"
)

_FAILED_IDS = (
    re.compile(r"^(?:FAILED|ERROR) (\S+(?: \S+\.py)?)", re.MULTILINE),  # pytest's short summary
    re.compile(r"^(?:FAIL|ERROR): (\w+ \([\w.]+\))", re.MULTILINE),  # unittest
    re.compile(r"^--- FAIL: (\S+)", re.MULTILINE),  # go
    re.compile(r"^test (\S+) \.\.\. FAILED", re.MULTILINE),  # cargo
)
_COUNTS = re.compile(r"\b(\d+) (?:failed|failing|errors?\b)|\b(?:failures|errors)=(\d+)")
_ENDED_WELL = re.compile(r"\b\d+ (?:passed|passing)\b|^OK\b|test result: ok|^PASS\b|^ok\s+\S+", re.MULTILINE)
_CHANGING = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?m?s\b|\d\d:\d\d:\d\d|/tmp/\S+|in \d+\.\d+|\d{4}-\d\d-\d\d")
_TAIL = 2_000
"""Characters at the end of what a failed run printed that tell it from others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of tests ended."""

    failed: bool
    names: frozenset[str] = frozenset()
    """Tests that failed, where they are named."""
    count: int | None = None
    """How many failed, where it is said."""
    tail: str = ""
    """The end of what was printed, without times and addresses."""

    def no_better_than(self, before: Outcome) -> bool:
        """Whether all that failed `before` fails still."""
        if self.names and before.names:
            return self.names >= before.names
        if self.count is not None and before.count is not None:
            return self.count >= before.count
        return self.tail == before.tail

    def __str__(self) -> str:
        if not self.failed:
            return "passed"
        return f"{self.count} failed" if self.count is not None else "failed"


def runs(action: Action) -> Run:
    """What a command runs: tests, else programs (scripts, code on the line), else neither."""
    if action.kind != "command" or not _SCREEN.search(action.text):
        return ""
    found = [run_of(command) for command in commands(action.text)]
    return "tests" if "tests" in found else "program" if "program" in found else ""


def run_of(command: Command) -> Run:
    """What one program runs."""
    program, words = command.program, command.arguments
    if program in _RUNNERS:
        return "" if set(words) & {"--version", "--help", "-h"} else "tests"
    if program in _TASKS and any(_TEST_WORD.fullmatch(word) for word in words[:3]):
        return "tests"
    if PYTHON.fullmatch(program):
        return _by_python(words)
    if _TEST_FILE.fullmatch(command.words[0]) and "/" in command.words[0]:
        return "tests"
    if program in _INTERPRETERS and words and not words[0].startswith("--"):
        return "tests" if any(map(_TEST_FILE.fullmatch, words[:2])) else "program"
    if command.words[0].startswith(("./", "/tmp/")):
        return "program"
    return "program" if program in _TASKS and any(word in ("run", "build") for word in words[:1]) else ""


def _by_python(words: Sequence[str]) -> Run:
    for place, word in enumerate(words):
        if word == "-m":
            return "tests" if set(words[place + 1 : place + 2]) & _MODULES else "program"
        if word in ("-c", "-"):
            return "program"
        if not word.startswith("-"):
            manages = posixpath.basename(word) in ("manage.py", "setup.py") and "test" in words[place + 1 : place + 3]
            return "tests" if manages or _TEST_FILE.fullmatch(word) else "program"
    return "" if words else "program"


def outcome(action: Action) -> Outcome | None:
    """How the tests of a command ended; None: it shows no end (nothing was printed, or the tests were not reached)."""
    seen = action.seen
    if not seen:
        return None
    names = frozenset(name for shape in _FAILED_IDS for name in shape.findall(seen))
    counts = [int(one or other) for one, other in _COUNTS.findall(seen[-_TAIL:])]
    code = action.exit_code
    if names or any(counts) or (code not in (None, 0, 5)):  # 5: pytest found no tests
        return Outcome(True, names, sum(counts) if counts else len(names) or None, _steady(seen))
    return Outcome(False) if code == 0 or _ENDED_WELL.search(seen) else None


def _steady(seen: str) -> str:
    return _CHANGING.sub("", seen[-_TAIL:])
