"""A process in a box that has pytest imported already, and what is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import secrets
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from datafactory.errors import GeneratorError, SandboxError
from datafactory.protocols import Box
from datafactory.types import File, Files
from generators.swe.testing.records import Coverage, Report, Testing, TestResult

HOME = "/run/datafactory-bench"
"""Folder in the box, under which each bench has one of its own."""
PACKAGE = "datafactory_bench"
"""What the programs are called in the box: no module of a repository's."""
KILLERS = 5
"""Tests and files that may end the process in one run, each of which costs its start."""
LATEST = 20
"""Of the tests that had begun when it ended, those that are tried alone to find out which one did it."""
KILLED = "crashed: it ended the process that runs the tests"
PATIENCE = 60.0
"""Seconds for the process to import pytest, and for an answer once its time is up."""

_START = """mkdir -p {home}/compiled && rm -f {home}/requests {home}/answers && mkfifo {home}/requests {home}/answers
(cd / && PYTHONHASHSEED=0 exec {python} -c {boot} </dev/null >{home}/log 2>&1) & echo $! >{home}/pid; disown"""
_BOOT = """import sys
sys.path[0] = {home!r}
from {package}.{program} import main
del sys.path[0]
main({home!r}, {folder!r}{more})"""


def programs(home: str) -> Files:
    """The programs that run in the box, to be placed under `home`."""
    inside = files("generators.swe.testing").joinpath("inside")
    modules = [entry for entry in inside.iterdir() if entry.name.endswith(".py")]
    return {f"{home}/{PACKAGE}/{module.name}": File(data=module.read_bytes()) for module in modules}


@asynccontextmanager
async def open_bench(box: Box, testing: Testing) -> AsyncIterator[Bench]:
    """Start the process in `box`, and let it see the tests once. Raises SandboxError, also where the interpreter of
    `testing` has no pytest."""
    bench = Bench(box, testing)
    await bench._start()
    try:
        await bench._ask(None, timeout=PATIENCE, more=("--collect-only",))  # compiles what has not changed lately
        yield bench
    finally:
        await bench._stop()


class RunnerKilled(SandboxError):
    """The process that runs the tests was ended while a test ran, or a file was collected; the box is as it was."""

    def __init__(self, message: str, begun: bytes) -> None:
        super().__init__(message)
        said = [json.loads(line) for line in begun.splitlines()]
        self.begun: list[tuple[str, str]] = [(at.get("id", ""), at.get("file", "")) for at in said]
        """Tests (else empty) and files (else empty), in order; some may have begun after it was gone."""


class Bench:
    """Runs tests of one repository in one box, one run at a time; see `open_bench`."""

    program = "resident"
    """Which of the programs in the box it talks to."""

    def __init__(self, box: Box, testing: Testing) -> None:
        self._box = box
        self.testing = testing
        """How it runs them."""
        self._home = f"{HOME}/{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        self._lock = asyncio.Lock()

    async def run(
        self,
        tests: Sequence[str] | None = None,
        *,
        changes: Mapping[str, bytes | None] | None = None,
        timeout: float = 300.0,
        each: float | None = None,
        traces: int | None = None,
        workers: int = 1,
    ) -> Report:
        """Run `tests` (node ids; None: the whole suite) with `changes` (absolute path to content; None: no such file)
        in place, which are taken back afterwards. `timeout`: seconds for all of it; `each`: for one test, after which
        the others go on; `traces`: how many failures' tracebacks are wanted (None: all); `workers`: forks that share
        the tests, not with `each`.

        Whatever the tests do to their process is in the report. Raises SandboxError where the box is broken.
        """
        return await self._ask(tests, changes=changes or {}, timeout=timeout, each=each, traces=traces, workers=workers)

    async def confirmed(
        self,
        tests: Sequence[str] | None,
        *,
        changes: Mapping[str, bytes | None],
        timeout: float,
        whole: float,
        workers: int = 1,
    ) -> tuple[Report, Report | None] | None:
        """As `run`, without tracebacks; where one of `tests` does not pass, the whole suite is run as well, by
        `workers` in at most `whole` seconds. None: it cannot be done in this way (see `warm_bench`)."""
        if tests is None:
            return await self.run(None, changes=changes, timeout=timeout, traces=0, workers=workers), None
        first = await self.run(tests, changes=changes, timeout=timeout, traces=0)
        if first.timed_out or first.passed >= set(tests):
            return first, None
        return first, await self.run(None, changes=changes, timeout=whole, traces=0, workers=workers)

    async def coverage(self, *, timeout: float = 600.0) -> Coverage:
        """Run the whole suite under coverage.py, which the interpreter must have. Raises GeneratorError where that
        comes to nothing, with the end of what was printed."""
        path = f"{self._home}/coverage.json.gz"
        report = await self._ask(None, timeout=timeout, coverage=path)
        data = await self._box.read(path)
        if report.timed_out or data is None:
            why = f"took more than {timeout:g} s" if report.timed_out else "left nothing"
            raise GeneratorError(f"running the tests under coverage {why}: {report.log[-1000:]}")
        return Coverage.model_validate_json(gzip.decompress(data))

    async def unstable(self, *, timeout: float = 300.0) -> dict[str, str]:
        """Node ids that do not name one test in every session, and why: collects twice, in two new Pythons that order
        sets and place objects differently. `timeout`: seconds for each."""
        found: dict[str, str] = {}
        collected: list[set[str]] = []
        for seed in (1, 2):
            report = await self._ask(None, timeout=timeout, more=("--collect-only",), fresh=True, hashseed=seed)
            found |= report.unstable
            collected.append(set(report.results))
        return {**dict.fromkeys(sorted(collected[0] ^ collected[1]), "not in every session"), **found}

    async def _ask(
        self,
        tests: Sequence[str] | None,
        *,
        timeout: float,
        changes: Mapping[str, bytes | None] | None = None,
        more: Sequence[str] = (),
        **others: Any,
    ) -> Report:
        """What is asked, again without those that ended the process."""
        killers: dict[str, TestResult] = {}
        broken: dict[str, str] = {}
        while True:
            spared = (*(f"--deselect={test}" for test in killers), *(f"--ignore={file}" for file in broken))
            try:
                answered = await self._answer(
                    None if tests is None else [test for test in tests if test not in killers],
                    timeout=timeout,
                    changes=changes,
                    more=(*more, *spared),
                    **others,
                )
            except RunnerKilled as error:
                test, file = await self._killer(error, timeout, changes, [*killers, *broken])
                if test:
                    killers[test] = TestResult(id=test, outcome="failed", message=KILLED)
                else:
                    broken[file] = KILLED
                continue
            report = Report.model_validate(answered)
            return report.but(results={**report.results, **killers}, broken={**report.broken, **broken})

    async def _killer(
        self,
        lost: RunnerKilled,
        timeout: float,
        changes: Mapping[str, bytes | None] | None,
        known: Sequence[str],
    ) -> tuple[str, str]:
        """The test, or the file, that ends the process by itself: of those that had begun when it was gone, the last
        that does it again."""
        for test, file in lost.begun[: -LATEST - 1 : -1] if len(known) < KILLERS else ():
            try:
                await self._answer([test or f"{file}::"], timeout=timeout, changes=changes)
            except RunnerKilled:
                if (test or file) not in known:
                    return test, file
        raise lost

    async def _answer(
        self,
        tests: Sequence[str] | None,
        *,
        timeout: float,
        patience: float = 0.0,
        changes: Mapping[str, bytes | None] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """What the process says; it has `timeout` seconds, and `patience` more."""
        async with self._lock:
            number = next(self._numbers)
            brought = {path: data for path, data in (changes or {}).items() if data is not None}
            placed = {path: f"{self._home}/change-{i}" for i, path in enumerate(brought)}
            asked = {
                "folder": self.testing.folder,
                "arguments": self.testing.arguments,
                "tests": None if tests is None else list(tests),
                "changes": {path: placed.get(path) for path in changes or {}},
                "timeout": timeout,
                "fresh": False,
                "at": f"{self._home}/at-{number}",
                "then": None,
                **more,
            }
            cargo = {placed[path]: File(data=data) for path, data in brought.items()}
            cargo[f"{self._home}/request-{number}.json"] = File(data=json.dumps(asked).encode())
            await self._box.push(cargo)
            answer = f"{self._home}/answer-{number}.json"
            line = f"echo {number} 1<>{self._home}/requests && {self._await(number)}"
            result = await self._box.exec(line, timeout=timeout + patience + PATIENCE)
            said = await self._box.read(answer) if result.exit_code == 0 else None
            if said is None:
                at = await self._box.read(asked["at"])
                await self._start()
                lost = f"the tests' process was lost ({result.exit_code}): {result.output[-500:]}"
                raise RunnerKilled(lost, at) if at else SandboxError(lost)
            answered: dict[str, Any] = json.loads(said)
            if "error" in answered:
                raise SandboxError(f"changes could not be made in the box: {answered['error']}")
            return answered

    def _await(self, number: int) -> str:
        return f". {self._home}/wait.sh {self._home} {number}"

    async def _start(self) -> None:
        wait = files("generators.swe.testing").joinpath("inside", "wait.sh").read_bytes()
        await self._box.push({**programs(self._home), f"{self._home}/wait.sh": File(data=wait)})
        boot = _BOOT.format(
            home=self._home, package=PACKAGE, program=self.program, folder=self.testing.folder, more=self._more()
        )
        words = {"home": self._home, "python": shlex.quote(self.testing.python), "boot": shlex.quote(boot)}
        await self._box.exec(_START.format(**words), timeout=PATIENCE)
        result = await self._box.exec(self._await(0), timeout=PATIENCE)
        if result.exit_code:
            log = await self._box.read(f"{self._home}/log") or result.output.encode()
            raise SandboxError(f"no tests can be run by {self.testing.python}: {log.decode(errors='replace')[-1000:]}")

    def _more(self) -> str:
        """Further arguments of the program, as source."""
        return ""

    async def _stop(self) -> None:
        with contextlib.suppress(SandboxError):  # of a box that is broken nothing runs any more
            await self._box.exec(f"kill -9 $(cat {self._home}/pid) 2>/dev/null; rm -rf {self._home}", timeout=PATIENCE)
