"""Errands that the factory itself runs in a box: what gets it ready, and what carries off an attempt's work."""

from __future__ import annotations

from collections.abc import Sequence

from datafactory.errors import SandboxError
from datafactory.protocols import Box, Guarded
from datafactory.types import Draft, Files

PATIENCE = 300.0
"""Seconds that one line may take."""


async def prepare(box: Box, lines: Sequence[str]) -> None:
    """Run the lines of a task's `prepare`, in order. Raises SandboxError where one fails: no agent was here yet."""
    for line in lines:
        result = await box.exec(line, timeout=PATIENCE)
        if result.exit_code:
            how = f"took over {PATIENCE:g} s" if result.timed_out else f"ended with {result.exit_code}"
            raise SandboxError(f"getting a box ready: {line[:200]!r} {how}: {result.output[-500:]}")


async def carry_off(box: Box, draft: Draft, *, limit: int = 16 << 20) -> tuple[Files, str]:
    """Run the lines of `collect`, then pull the artifacts: at most `limit` bytes, and a note on what was left out.

    What an agent did may make a line fail; then there is no artifact, and that is the attempt's own doing.
    """
    plain = box.inside if isinstance(box, Guarded) else box
    for line in draft.collect:
        await plain.exec(line, timeout=PATIENCE)
    return await plain.pull(draft.artifacts, limit=limit)
