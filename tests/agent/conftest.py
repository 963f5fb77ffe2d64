"""A box for the agent, and the smallest task."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datafactory.agent.terminal import Terminal
from datafactory.types import Check, Draft, Source, Task

_spec = importlib.util.spec_from_file_location("localbox", Path(__file__).with_name("localbox.py"))
assert _spec and _spec.loader
localbox = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(localbox)


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Any]:
    """A real bash in a folder of its own; `box.root` is the workdir."""
    async with localbox.local_box(tmp_path) as opened:
        yield opened


@pytest.fixture
async def terminal(box: Any) -> Terminal:
    """A terminal in that box, its prompt on the screen."""
    made = Terminal(box, str(box.root))
    await made.start()
    return made


@pytest.fixture
def task(box: Any) -> Task:
    """Asks for a file."""
    draft = Draft(
        prompt="Write `done` into out.txt.",
        workdir=str(box.root),
        checks=(Check(name="there", argv=("test", "-s", "out.txt")),),
        source=Source(generator="tests"),
    )
    return Task(**{name: getattr(draft, name) for name in Draft.model_fields}, id="t-0", digest=draft.content_digest())
