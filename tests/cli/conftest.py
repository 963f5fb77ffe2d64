"""A run folder made through the real shelves and stages, and ways to call the command line on it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from datafactory import registry
from datafactory.run import Run
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.storage.layout import write_run
from datafactory.types import (
    Check,
    CheckResult,
    Example,
    Failure,
    Lineage,
    Message,
    Reject,
    Source,
    Step,
    Task,
    Trajectory,
    Usage,
    Verdict,
    files,
)

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b5m[bold]no markup[/bold]\u202etxt.exe\r"
"""Escape sequences in 7 and 8 bits, rich markup, a right-to-left override and a bare carriage return."""


def a_task(id: str, generator: str, prompt: str = "Count the lines of /app/in.txt.") -> Task:
    """A small task."""
    return Task(
        id=id,
        digest="d" * 16,
        prompt=prompt,
        files=files({"/app/in.txt": "one\ntwo\n", "/app/tool.sh": "#!/bin/sh\ntrue\n"}),
        checks=(
            Check(name="count", argv=("python3", "/tests/count.py"), weight=3.0),
            Check(name="exists", argv=("test", "-f", "/app/out.txt"), weight=1.0),
        ),
        solution=(Step(thought="Count them.", command="wc -l < /app/in.txt > /app/out.txt"),),
        skills=("counting", "redirecting"),
        source=Source(generator=generator, item="row 7", license="MIT"),
    )


def an_attempt(task: Task, attempt: int, reward: float | None, seen: str = "2") -> Trajectory:
    """Two turns in the terminus dialect, and a verdict where there is a reward."""
    answer = '{"analysis": "Two lines.", "plan": "Count.", "commands": [{"keystrokes": "wc -l in.txt\\n"}]}'
    done = '{"analysis": "Done.", "plan": "", "commands": [], "task_complete": true}'
    outcome = "passed" if reward == 1.0 else "failed"
    result = CheckResult(name="count", outcome=outcome, score=reward or 0.0, weight=3.0, log=f"saw {seen}")
    return Trajectory(
        task_id=task.id,
        attempt=attempt,
        teacher="oracle",
        agent="terminus-2",
        domain=task.domain,
        skills=task.skills,
        generator=task.source.generator,
        messages=(
            Message(role="user", content=f"Task: {task.prompt}"),
            Message(role="assistant", content=answer),
            Message(role="user", content=f"New Terminal Output:\n{seen}"),
            Message(role="assistant", content=f"<think>It is {attempt}.</think>{done}"),
        ),
        stop="submitted" if attempt == 0 else "turn_limit",
        verdict=None if reward is None else Verdict(reward=reward, checks=(result,)),
        usage=Usage(prompt_tokens=100, completion_tokens=20),
        seconds=1.5,
        lineage=Lineage(run="demo", model="oracle", sampling={"slip": 0.15}),
    )


class Maker:
    """Fills the folder of a run, stage by stage."""

    task = staticmethod(a_task)
    attempt = staticmethod(an_attempt)
    hostile = HOSTILE

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stages = [f"{n}-{name}-0000000{n}" for n, name in enumerate(("synthesize", "rollout", "verify"), 1)]
        self.stages += ["4-select-00000004", "5-arrange-00000005"]
        self.write([])

    def write(self, hidden: list[str]) -> None:
        """Write run.json, with all stages but the hidden ones."""
        rows = [{"use": s.split("-")[1], "folder": s} for s in self.stages if s.split("-")[1] not in hidden]
        write_run(self.path, {"name": self.path.name, "seed": 7, "pipeline": {}, "stages": rows})

    def shelf(self, number: int, kind: type) -> Shelf:
        """The open shelf of a stage, counted from 1."""
        return Shelf(self.path / self.stages[number - 1], kind)

    async def synthesize(self, tasks: list[Task], *, seal: bool = True) -> None:
        """Tasks, five rejected drafts, a slot that was given up and two lost slots, one of them done since."""
        async with self.shelf(1, Task) as shelf:
            await shelf.lose(self._failure(tasks[0].id))
            for task in tasks:
                await shelf.keep(task.id, task)
            for number in range(4):
                draft = tasks[0].model_dump(mode="json", exclude={"id", "digest"})
                reject = Reject(key=f"alpha-00009#{number}", reason="solution_fails", detail="exit 1", what=draft)
                await shelf.reject(reject.but(generator="alpha"))
            await shelf.reject(Reject(key="alpha-00009", reason="slot_given_up", generator="alpha"))
            await shelf.reject(Reject(key="beta-00001#0", reason="flaky", detail=HOSTILE, generator="beta"))
            await shelf.lose(self._failure("alpha-00010"))
            if seal:
                shelf.seal({"kept": shelf.kept, "rejected": dict(shelf.dropped)})

    async def attempts(self, number: int, attempts: list[Trajectory], *, seal: bool = True) -> None:
        """The shelf of rollout (2) or verify (3)."""
        async with self.shelf(number, Trajectory) as shelf:
            for attempt in attempts:
                await shelf.keep(attempt.id, attempt)
            if seal:
                shelf.seal({"kept": shelf.kept, "rejected": {}})

    async def columns(self) -> None:
        """Select and arrange, by the real stages."""
        shelves = [self.shelf(1, Task), self.shelf(2, Trajectory), self.shelf(3, Trajectory)]
        for number, kind, recipe in (
            (4, Trajectory, {"use": "select", "filters": ["solved"]}),
            (5, Example, {"use": "arrange", "curriculum": "mixed"}),
        ):
            stage = registry.build("stage", recipe, (), problems := [])
            assert isinstance(stage, Stage), problems
            shelves.append(self.shelf(number, kind))
            run = Run(shelves[-1], name="demo", seed=7, shelves=shelves[:-1])
            await stage.run(shelves[-2], run)
            shelves[-1].seal({"kept": shelves[-1].kept, "rejected": dict(shelves[-1].dropped)})
        for shelf in shelves:
            await shelf.close()

    @staticmethod
    def _failure(key: str) -> Failure:
        at = "2026-01-01T00:00:00+00:00"
        return Failure(key=key, boundary="opening a box", kind="SandboxError", error="no room", tries=3, at=at)


async def _make(path: Path) -> None:
    maker = Maker(path)
    tasks = [a_task("alpha-00000", "alpha"), a_task("alpha-00001", "alpha"), a_task("beta-00000", "beta", HOSTILE)]
    await maker.synthesize(tasks)
    rewards = {(0, 0): 1.0, (0, 1): 0.25, (1, 0): 1.0, (1, 1): 1.0, (2, 0): 0.0, (2, 1): 1.0}
    seen = {2: HOSTILE}
    made = [(tasks[t], a, reward, seen.get(t, "2")) for (t, a), reward in rewards.items()]
    await maker.attempts(2, [an_attempt(task, a, None, said) for task, a, _, said in made])
    await maker.attempts(3, [an_attempt(task, a, reward, said) for task, a, reward, said in made])
    await maker.columns()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that holds the finished run `demo`; for reading only."""
    root = tmp_path_factory.mktemp("runs")
    asyncio.run(_make(root / "demo"))
    return root


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    """An empty run `half` in a folder of its own."""
    return Maker(tmp_path / "half")


UNSET = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "DATAFACTORY_RUNS", "OPENAI_BASE_URL", "HF_TOKEN")


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if k not in UNSET}, **more}


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "datafactory", *map(str, arguments)]


Called = subprocess.CompletedProcess[str]
Keys = Sequence[tuple[str, str]]


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., Called]:
    """Run the command line as a program of its own, in an empty folder; keywords are environment variables."""

    def run(*arguments: object, **environment: str) -> Called:
        return subprocess.run(
            _command(arguments),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=_environment(environment),
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run the command line on a real pseudo-terminal; `keys` are (text to wait for, keys to press then)."""

    def run(*arguments: object, columns: int = 80, keys: Keys = (), **environment: str) -> tuple[int, str]:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        child = subprocess.Popen(
            ["setsid", "--ctty", *_command(arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=tmp_path,
            env=_environment({"TERM": "xterm-256color", **environment}),
        )
        os.close(theirs)
        try:
            said = _talk(ours, list(keys), time.monotonic() + 60)
            return child.wait(timeout=10), said.decode()
        finally:
            child.kill()
            os.close(ours)

    return run


def _talk(terminal: int, keys: list[tuple[str, str]], until: float) -> bytes:
    said, read_to = b"", 0
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            said += os.read(terminal, 65536)
        except OSError:  # the last program on the terminal has gone
            return said
        while keys and (found := said.find(keys[0][0].encode(), read_to)) >= 0:
            read_to = found + len(keys[0][0])
            os.write(terminal, keys.pop(0)[1].encode())
    raise AssertionError(f"still running after: {said[-500:]!r}")
