"""What the tests of pipelines share: stages of a user's own on the path, and files named from the repository's root."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of stages of a user's own, found by its name as `datafactory` finds it; its events cleared."""
    here = Path(__file__).parent
    monkeypatch.chdir(here.parents[1])
    monkeypatch.syspath_prepend(str(here / "extension"))
    import workshop as module

    module.EVENTS.clear()
    return module
