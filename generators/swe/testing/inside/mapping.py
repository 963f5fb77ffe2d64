"""Which test ran which line: coverage.py, told by a plugin of pytest whose lines it sees."""

from __future__ import annotations

import ast
import gzip
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Generator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_PROCESS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system", "os.spawn"}
"""Events of `sys.audit` after which lines may run where coverage does not look."""
IMPORT = ""
"""The context of lines that ran while a module was imported or tests were collected."""


class Mapper:
    """A plugin of pytest. Contexts: a test's number; ``f`` and a fixture's name where the fixture outlives a test, as
    its lines then count for each test that uses it; or `IMPORT`."""

    def __init__(self, folder: str) -> None:
        # The core on sys.monitoring sees a line once and not in each context.
        found = importlib.util.find_spec("coverage.tracer")
        os.environ["COVERAGE_CORE"] = "ctrace" if found else "pytrace"
        coverage: Any = importlib.import_module("coverage")
        self._folder = folder
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{folder}/*"], messages=False, check_preimported=False
        )
        self._tests: list[str] = []
        self._users: dict[str, set[int]] = {}
        self._anything: set[int] = set()
        self._now: list[str] = [IMPORT]
        self._number: int | None = None
        self._watch_imports()
        sys.addaudithook(self._hear)
        self._coverage.start()

    def _hear(self, event: str, _: Any) -> None:
        if event in _PROCESS and self._number is not None:
            self._anything.add(self._number)

    def _watch_imports(self) -> None:
        """A module that is imported by the first test that needs it belongs to none."""
        load: Callable[[SourceFileLoader, ModuleType], None] = SourceFileLoader.exec_module

        def exec_module(loader: SourceFileLoader, module: ModuleType) -> None:
            if self._number is None:
                return load(loader, module)
            self._enter(IMPORT)
            try:
                return load(loader, module)
            finally:
                self._leave()

        SourceFileLoader.exec_module = exec_module  # type: ignore[assignment, method-assign]

    def _enter(self, context: str) -> None:
        self._now.append(context)
        self._coverage.switch_context(context)

    def _leave(self) -> None:
        self._now.pop()
        self._coverage.switch_context(self._now[-1])

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, None]:
        """A test begins, and ends."""
        self._number = len(self._tests)
        self._tests.append(item.nodeid)
        # An item without names (a doctest of an old pytest) may use any fixture.
        for name in getattr(item, "fixturenames", ("",)):
            self._users.setdefault(f"f{name}", set()).add(self._number)
        self._enter(str(self._number))
        yield
        self._leave()
        self._number = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, None]:
        """What a test finds set up by another one is its own doing as well."""
        if fixturedef.scope == "function" or self._number is None:
            yield
            return
        context = f"f{fixturedef.argname}"
        self._users.setdefault(context, set()).add(self._number)
        self._enter(context)
        yield
        self._leave()

    def write(self, path: str) -> None:
        """The map as JSON, compressed: a `Coverage` record."""
        self._coverage.stop()
        data = self._coverage.get_data()
        everywhere = self._users.get("f", set())
        groups: dict[tuple[int, ...], int] = {}
        files = {}
        for file in sorted(data.measured_files()):
            name = os.path.relpath(file, self._folder)
            imported, lines = [], {}
            for line, contexts in sorted(whole_statements(file, data.contexts_by_lineno(file)).items()):
                if IMPORT in contexts:
                    imported.append(line)
                tests = {int(context) for context in contexts if context.isdecimal()}
                for context in contexts:
                    if context.startswith("f"):
                        tests |= self._users[context] | everywhere
                if tests:
                    lines[line] = groups.setdefault(tuple(sorted(tests)), len(groups))
            files[name] = {"imported": imported, "lines": lines}
        made = {"tests": self._tests, "groups": list(groups), "files": files, "anything": sorted(self._anything)}
        with gzip.open(path, "wt", encoding="utf-8") as out:
            json.dump(made, out, separators=(",", ":"))


def whole_statements(file: str, lines: dict[int, list[str]]) -> dict[int, set[str]]:
    """Contexts by line, where all lines of a statement have those that any of them has: what is folded into constants,
    and an ``else``, has no line of its own to the interpreter."""
    made = {line: set(contexts) for line, contexts in lines.items()}
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return made
    owners: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):  # from the outside in: a line belongs to the innermost
        if isinstance(node, ast.stmt):
            for line in _lines_of(node):
                owners[line] = node
    of: dict[ast.stmt, list[int]] = {}
    for line, node in owners.items():
        of.setdefault(node, []).append(line)
    for own in of.values():
        contexts = {context for line in own for context in made.get(line, ())}
        if contexts:
            made.update(dict.fromkeys(own, contexts))
    return made


def _lines_of(node: ast.stmt) -> range:
    end = node.end_lineno or node.lineno
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return range(node.lineno, end + 1)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    above = min([body.lineno, *(d.lineno for d in getattr(body, "decorator_list", ()))])
    return range(first, max(above, node.lineno + 1))
