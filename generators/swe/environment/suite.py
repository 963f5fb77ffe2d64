"""Finds a repository's tests, and the arguments of pytest with which they run alone in a box."""

from __future__ import annotations

import fnmatch
import posixpath
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafactory.types import Files
from generators.swe.environment.legacy import ini

FOLDERS = frozenset({"tests", "test", "testing"})
"""Names of folders that hold tests; everything in them belongs to the tests."""
_NOT_HERE = frozenset(
    {"doc", "docs", "example", "examples", "benchmark", "benchmarks", "build", "dist", "node_modules"}
)
_PATTERNS = ("test_*.py", "*_test.py")
"""pytest's own `python_files`."""
_ALWAYS = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:random_order", "-o", "required_plugins=")
"""Nothing is written between runs, nothing is shuffled, and no plugin is asked for that is not there."""
_NO_PART = (
    "--cov", "--no-cov", "-n", "--numprocesses", "--maxprocesses", "--dist", "--tx", "--random", "--randomly",
    "--reruns", "--html", "--self-contained-html", "--junit", "--json-report", "--report-log", "-x", "--exitfirst",
    "--maxfail", "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise",
    "--cache-clear", "--flake8", "--mypy", "--black", "--isort", "--pylint", "--ruff", "--pycodestyle",
    "--checkdocs", "--strict-config", "--benchmark", "--durations", "--color", "--pdb", "--codspeed",
)  # fmt: skip
"""Options that measure, spread, shuffle, repeat, stop early, lint or report: no part of what a suite says."""
_PLAIN = ("--doctest", "--import-mode", "--ignore", "--deselect", "-k", "-m", "-p", "-W", "--pyargs")
"""Options of pytest's own that decide what is collected and how: kept also where the others are not understood."""
_WITH_VALUE = frozenset({
    "-n", "-k", "-m", "-p", "-W", "-o", "-c", "--dist", "--tx", "--maxfail", "--import-mode", "--cov", "--ignore",
    "--ignore-glob", "--deselect", "--numprocesses", "--durations", "--color", "--cov-report", "--cov-config",
    "--doctest-glob", "--reruns", "--junitxml", "--junit-xml", "--html", "--override-ini", "--tb", "-r",
})  # fmt: skip
"""Options whose value may be the next word."""


@dataclass(frozen=True)
class Suite:
    """Where tests are."""

    paths: tuple[str, ...]
    """What to give pytest, relative to the repository."""
    addopts: str
    """What the repository's own configuration adds."""
    chosen: tuple[str, ...] = ()
    """Arguments of the user's, instead."""

    def arguments(self, *, plain: bool = False) -> tuple[str, ...]:
        """All arguments of pytest; `plain`: nothing of the configuration that plugins must understand."""
        kept = usable(self.addopts, plain=plain)
        return (*_ALWAYS, "-o", f"addopts={kept}", *(self.chosen or self.paths))


def find_suite(files: Files, chosen: Sequence[str] = ()) -> Suite | None:
    """The suite, `chosen` arguments before all that is found; None: there are no tests."""
    settings = configuration(files)
    tests = [path for path in files if _is_test(path, settings.python_files)]
    if chosen:
        return Suite((), settings.addopts, tuple(chosen))
    named = [path for pattern in settings.testpaths for path in _named(pattern, files)]
    paths = list(dict.fromkeys(path for path in named if any(_within(test, path) for test in tests)))
    if not paths and "--doctest" in settings.addopts:
        paths = named
    paths = paths or _roots(tests)
    return Suite(tuple(paths), settings.addopts) if paths else None


def test_files(files: Files, suite: Suite) -> tuple[str, ...]:
    """Files that tests consist of: what lies in folders of tests, what is named like a test, and every conftest.py."""
    patterns = configuration(files).python_files
    given = [argument.split("::")[0].rstrip("/") for argument in (*suite.paths, *suite.chosen)]
    alone = {path for path in given if path in files and path.endswith(".py")}
    return tuple(
        sorted(
            path
            for path, file in files.items()
            if file.link is None
            and (
                path in alone
                or posixpath.basename(path) == "conftest.py"
                or _is_test(path, patterns)
                or not FOLDERS.isdisjoint(path.split("/")[:-1])
            )
        )
    )


@dataclass(frozen=True)
class Settings:
    """What pytest's configuration says about where tests are."""

    testpaths: tuple[str, ...] = ()
    python_files: tuple[str, ...] = _PATTERNS
    addopts: str = ""


def configuration(files: Files) -> Settings:
    """Of the first file that pytest would take: pytest.ini, pyproject.toml, tox.ini, setup.cfg."""
    for path in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        file = files.get(path)
        found = None if file is None else _section(path, file.text)
        if found is not None:
            return Settings(
                testpaths=tuple(_words(found.get("testpaths"))),
                python_files=tuple(_words(found.get("python_files"))) or _PATTERNS,
                addopts=shlex.join(_words(found.get("addopts"))),
            )
    return Settings()


def usable(addopts: str, *, plain: bool = False) -> str:
    """`addopts` without what is no part of what a suite says; `plain`: only pytest's own that choose tests."""
    kept: list[str] = []
    taking = True
    words = _words(addopts)
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if not word.startswith("-") and at and before in _WITH_VALUE and "=" not in before:
            kept += [word] if taking else []
            continue
        taking = not _begins(word, _NO_PART) and (not plain or _begins(word, _PLAIN)) and not _shuffles(words, at)
        kept += [word] if taking else []
    return shlex.join(kept)


def _shuffles(words: Sequence[str], at: int) -> bool:
    """Whether it is ``-p`` with a plugin that spreads or measures: those are not asked for by name."""
    plugin = words[at + 1] if words[at] == "-p" and at + 1 < len(words) else words[at].removeprefix("-p")
    return words[at].startswith("-p") and any(part in plugin for part in ("xdist", "cov", "random"))


def _begins(word: str, options: Iterable[str]) -> bool:
    """``--cov`` stands for ``--cov=…`` and ``--cov-report``; ``-n`` for ``-n4``, and not for ``--no-header``."""
    return any(
        word == option or (word.startswith(option) and (len(option) > 2 or word[1] != "-")) for option in options
    )


def _section(path: str, text: str) -> Mapping[str, Any] | None:
    if path.endswith(".toml"):
        try:
            document: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return None
        table = document.get("tool", {}).get("pytest") if path == "pyproject.toml" else document.get("pytest")
        if not isinstance(table, dict):
            return None
        inner = table.get("ini_options", table)
        return inner if isinstance(inner, dict) else None
    parser = ini(text)
    name = "tool:pytest" if path == "setup.cfg" else "pytest"
    return dict(parser[name]) if parser.has_section(name) else None


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            return shlex.split(value, comments=True)
        except ValueError:
            return value.split()
    return [str(item) for item in value] if isinstance(value, list) else []


def _named(pattern: str, files: Files) -> list[str]:
    plain = posixpath.normpath(pattern)
    if plain == "." or any(_within(path, plain) for path in files):
        return [plain]
    folders = {path.rsplit("/", number)[0] for path in files for number in range(1, path.count("/") + 1)}
    return sorted(path for path in {*folders, *files} if fnmatch.fnmatch(path, plain))


def _within(path: str, root: str) -> bool:
    return root == "." or path == root or path.startswith(root + "/")


def _is_test(path: str, patterns: Iterable[str]) -> bool:
    name = posixpath.basename(path)
    hidden = any(part.startswith(".") for part in path.split("/"))
    return name.endswith(".py") and not hidden and any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _roots(tests: Iterable[str]) -> list[str]:
    """The topmost folders of tests, and files that lie in none; where there are folders, only those."""
    folders: dict[str, None] = {}
    strays: dict[str, None] = {}
    for path in sorted(tests):
        parts = path.split("/")[:-1]
        at = next((number for number, part in enumerate(parts) if part in FOLDERS), None)
        if _NOT_HERE.intersection(parts[:at]):
            continue
        if at is None:
            strays[path] = None
        else:
            folders["/".join(parts[: at + 1])] = None
    return list(folders or strays)
