"""What tests of SWE tasks share: a history, and where set-ups of it are kept."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.generators.swe.fixed import history


@dataclass(frozen=True)
class Mended:
    """A git repository in which people mended things."""

    folder: Path
    fixes: dict[str, str]
    """Full names of commits by what they do."""
    state: Path
    """For XDG_STATE_HOME: what one test sets up, the next one finds."""


@pytest.fixture(scope="session")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Mended:
    """Made once for all tests, which leave it as it is."""
    top: Path = tmp_path_factory.mktemp("mended")
    return Mended(top / "counting", history(top / "counting"), top / "state")
