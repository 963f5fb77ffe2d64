"""A process in a box that has all tests collected already, and gives functions the code of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from generators.swe.testing.bench import Bench, RunnerKilled
from generators.swe.testing.records import Report, Testing


@asynccontextmanager
async def open_warm_bench(box: Box, testing: Testing) -> AsyncIterator[WarmBench | None]:
    """Start a process in `box` that has imported and collected everything; None: it came to nothing, as with a
    repository that pytest itself is made of."""
    bench = WarmBench(box, testing)
    try:
        await bench._start()
    except SandboxError:
        yield None
        return
    try:
        yield bench
    finally:
        await bench._stop()


class WarmBench(Bench):
    """Runs tests without importing or collecting anything; see `open_warm_bench`.

    It can do so for changes of lines that no import runs: functions that are there get their new code. Where the
    changes come to more than that, `swapped` and `confirmed` give None, and nothing was run.
    """

    program = "warm"

    async def swapped(
        self,
        tests: Sequence[str] | None = None,
        *,
        changes: Mapping[str, bytes | None],
        timeout: float = 300.0,
        each: float | None = None,
    ) -> Report | None:
        """As `run`. Raises SandboxError."""
        try:
            answered = await self._answer(tests, changes=changes, timeout=timeout, each=each)
        except RunnerKilled:
            return None
        return None if "cold" in answered else Report.model_validate(answered)

    async def confirmed(
        self,
        tests: Sequence[str] | None,
        *,
        changes: Mapping[str, bytes | None],
        timeout: float,
        whole: float,
        workers: int = 1,
    ) -> tuple[Report, Report | None] | None:
        """The same, with the code swapped once for both."""
        then = None if tests is None else {"tests": None, "timeout": whole, "workers": workers}
        asked: dict[str, Any] = {"traces": 0, "workers": 1 if then else workers, "then": then}
        try:
            answered = await self._answer(tests, changes=changes, timeout=timeout, patience=whole, **asked)
        except RunnerKilled:
            return None
        if "cold" in answered:
            return None
        second = answered.pop("then", None)
        return Report.model_validate(answered), None if second is None else Report.model_validate(second)

    def _more(self) -> str:
        return f", {list(self.testing.arguments)!r}"
