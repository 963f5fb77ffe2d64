"""What a set-up gives: the environment of a repository, or why there is none."""

from __future__ import annotations

from typing import Literal

from datafactory.errors import GeneratorError
from datafactory.types import Record
from generators.swe.environment.copies import Copies
from generators.swe.testing import Coverage, Testing

SetUpStep = Literal["dependencies", "build", "tests_found", "tests_run", "no_passing_tests"]


class SetUpFailed(GeneratorError):
    """A repository cannot be set up without a person; the same files fail again the same way."""

    final = True

    def __init__(self, step: SetUpStep, message: str, log: str = "") -> None:
        super().__init__(f"{step}: {message}")
        self.step: SetUpStep = step
        self.log = log
        """The end of what was printed; empty: nothing was."""


class Environment(Record):
    """A repository, installed and with tests that pass, as a layer that boxes can be opened from."""

    image: str
    """Name of the layer."""
    name: str
    version: str
    commit: str
    """Full hash; empty: the files came from no commit."""
    license: str
    """SPDX id; empty: unknown."""
    digest: str
    """Of the checkout."""
    python: str
    """Of the box, such as ``3.11.2``."""
    commands: tuple[str, ...]
    """What was run in the box to build it, in order; lines that begin with ``#`` say what was left out, and why."""
    testing: Testing
    tests: tuple[str, ...]
    """Node ids of the tests that passed in every repeat."""
    flaky: tuple[str, ...]
    """Those whose outcome differed between repeats."""
    failing: dict[str, str]
    """Those that failed in every repeat, and files that could not be collected, with the message."""
    seconds: float
    """The whole suite, once."""
    test_files: tuple[str, ...]
    """Tests and what belongs to them, relative to the repository."""
    coverage: Coverage
    copies: Copies = Copies()
    """Where else the code of its modules is."""
