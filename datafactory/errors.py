"""The one tree of exceptions.

FactoryError
├── ConfigError            the pipeline file, a flag or a component's field is wrong; carries every problem at once
├── DataError              a file of the user's, or a shelf, cannot be read as what it should be
├── RunError               the run cannot go on (two runs in one folder, the fuse)
│   ├── FuseBlown          failures outnumber successes: something is down
│   └── BudgetSpent        a cap on calls, tokens, GPU hours or dollars is reached; nothing is broken
├── Missing                a program, package or privilege that this machine lacks, and how to get it
└── BoundaryError          *ours*, not the attempt's: recorded in failures.jsonl, retried, never counted
    ├── SandboxError       a box would not open, or broke
    ├── TeacherError       a teacher did not answer
    ├── SearchError        a corpus could not be searched, or its server did not answer
    ├── GeneratorError     a generator broke (a mistake in it, not a draft that it rejects)
    ├── FilterError        a filter or a curriculum broke (a mistake in it, not a row that it rejects)
    └── StorageError       a shelf could not be written
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath


class FactoryError(Exception):
    """Anything that the factory itself raises."""


class ConfigError(FactoryError):
    """One or more mistakes in what the user wrote; `problems` has one clear line for each."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(FactoryError):
    """A file that cannot be read as what it should be; the message names file and line."""


class RunError(FactoryError):
    """The run cannot go on; the message says how to."""


class FuseBlown(RunError):
    """More failures than successes: something is down, and going on would bias the data."""


class BudgetSpent(RunError):
    """Nothing more may be paid for; whatever costs nothing goes on."""


class Missing(FactoryError):
    """A program, package or privilege that this machine lacks; the message says how to get it."""


class BoundaryError(FactoryError):
    """A fault of the infrastructure at a named boundary; never the fault of an attempt."""

    boundary: str = ""
    """What was being done, such as "opening a box"."""
    final: bool = False
    """Whether trying again would change nothing: the same request would be refused for the same reason."""


class SandboxError(BoundaryError):
    """A box would not open, or broke."""


class TeacherError(BoundaryError):
    """A teacher did not answer."""


class SearchError(BoundaryError):
    """A corpus could not be searched, or its server did not answer."""


class GeneratorError(BoundaryError):
    """A generator broke."""


class FilterError(BoundaryError):
    """A filter or a curriculum broke."""


class StorageError(BoundaryError):
    """A shelf could not be written."""


@contextmanager
def boundary(kind: type[BoundaryError], doing: str) -> Iterator[None]:
    """Attribute whatever escapes to `kind`, with what was being done; errors of our tree pass as they are."""
    try:
        yield
    except FactoryError as error:
        if isinstance(error, BoundaryError) and not error.boundary:
            error.boundary = doing
        raise
    except Exception as error:
        wrapped = kind(f"{doing}: {type(error).__name__}: {error}{_place(error)}")
        wrapped.boundary = doing
        raise wrapped from error


def _place(error: Exception) -> str:
    """Where a mistake in somebody's code was made: all that a line on file keeps of its traceback."""
    if isinstance(error, OSError):
        return ""
    deepest = traceback.extract_tb(error.__traceback__)[-1]
    return f" ({PurePath(deepest.filename).name}:{deepest.lineno})"
