"""This machine as the factory uses it: how many processors there are, and where state is kept."""

from __future__ import annotations

import os
from pathlib import Path

CORES = len(os.sched_getaffinity(0))
"""Processors that this process may use."""


def state_folder() -> Path:
    """`datafactory` in XDG_STATE_HOME, or in ~/.local/state; it need not be there yet."""
    said = os.environ.get("XDG_STATE_HOME", "")
    state = Path(said) if said.startswith("/") else Path("~/.local/state").expanduser()
    return state / "datafactory"
