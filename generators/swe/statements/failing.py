"""A failing test as a statement needs it: what it said, and the code that a user would have run to see the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from datafactory.types import Files, Record
from generators.swe.statements.cut import cut


class Result(Protocol):
    """What a test run says of one test (`TestResult` of `generators.swe.testing`)."""

    @property
    def id(self) -> str:
        """The node id."""

    @property
    def outcome(self) -> str:
        """`failed` and `error` are failures."""

    @property
    def message(self) -> str:
        """One line."""

    @property
    def trace(self) -> str:
        """The end of the traceback."""


class Failing(Record):
    """A test that fails in the broken repository."""

    test: str
    """Node id; a file alone where that file could not be imported."""
    message: str
    """What pytest said, in a line: ``AssertionError: assert 3 == 4``, or ``timeout``."""
    trace: str = ""
    """The end of pytest's traceback."""
    source: str = ""
    """The test function's own text, decorators included and indented as a top level; empty: not found."""
    setting: str = ""
    """Of the same file: the imports and definitions that `source` needs, and what its parameters stand for."""
    line: int = 0
    """Where `source` begins in its file, from 1; 0: not found."""

    @property
    def shown(self) -> str:
        """All code of the test: what a statement may quote though the fix holds it too."""
        return f"{self.setting}\n{self.source}"


def failing_of(results: Sequence[Result], test_files: Files) -> tuple[Failing, ...]:
    """The failing ones of `results`, in order, with their code out of `test_files` (relative or absolute paths)."""
    found = []
    for result in results:
        if result.outcome not in ("failed", "error"):
            continue
        part = cut(result.id, _text(result.id.partition("::")[0], test_files))
        found.append(
            Failing(
                test=result.id,
                message=result.message,
                trace=result.trace,
                source=part.source,
                setting=part.setting,
                line=part.line,
            )
        )
    return tuple(found)


def _text(path: str, test_files: Files) -> str:
    """A file by the path of a node id, or by one that ends in it where exactly one does."""
    if path in test_files:
        return test_files[path].text
    ends = [name for name in test_files if name.endswith(f"/{path}")]
    return test_files[ends[0]].text if len(ends) == 1 else ""
