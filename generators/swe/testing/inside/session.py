"""One session of pytest, in a process of its own, that tells through a pipe what happens as it happens."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.main import pytest_runtestloop

from .crew import share

LOST = "a fork that ran a part of the tests was lost"
"""Why a run in several forks came to nothing."""
TRACE = 2000
"""Characters kept of a traceback: the end, where the reason stands."""
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_WORST = ("passed", "xpassed", "xfailed", "skipped", "failed", "error")
_QUIET = {
    "xdist": ("-n", "0", "--dist", "no"),
    "pytest_cov": ("--no-cov",),
    "pytest_randomly": ("--randomly-seed=0", "--randomly-dont-reset-seed", "--randomly-dont-reorganize"),
}
"""Options that turn plugins off. ``-p no:NAME`` would make an error of the options that a repository gives them."""


def run(request: dict[str, Any], events: int) -> None:
    """Run the session that `request` describes and end this process; `events` is the pipe's descriptor."""
    folder = request["folder"]
    as_program(folder)
    recorder = Recorder(request, events)
    plugins: list[Any] = [recorder]
    mapper = None
    if request.get("coverage"):
        from .mapping import Mapper

        mapper = Mapper(folder)
        plugins.append(mapper)
    code = int(pytest.main(arguments(request), plugins=plugins))
    if os.getpid() != recorder.owner:  # a test forked, and the fork came back from its test
        os._exit(code)
    if mapper:
        mapper.write(request["coverage"])
    recorder.say("done", code=code)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def as_program(folder: str) -> None:
    """Make this process look as if pytest had been started in `folder`."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["pytest"]
    main = sys.modules["__main__"]
    main.__spec__ = importlib.util.find_spec("pytest.__main__")  # what `spawn` of multiprocessing imports anew
    main.__file__ = main.__spec__.origin if main.__spec__ else None


def arguments(request: dict[str, Any]) -> list[str]:
    """What pytest is called with: what is asked for, then what must hold, as the last one counts."""
    made = list(request["arguments"])
    if not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        for module, options in _QUIET.items():
            if importlib.util.find_spec(module) is not None:
                made += options
    made += ["--rootdir", request["folder"], "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    return [*made, "--maxfail=0", "--tb=short", "--color=no", "--no-header", "-q", *request.get("more", ())]


class Recorder:
    """A plugin of pytest: picks the tests that are wanted, and says what becomes of each."""

    def __init__(self, request: dict[str, Any], events: int) -> None:
        self.owner = os.getpid()
        self._events = events
        self._nonce = request["nonce"]
        self._folder = request["folder"]
        self._config: Any = None
        self._wants(request)
        self._avoid = request.get("avoid", {})
        self._reports: list[Any] = []

    def _wants(self, request: dict[str, Any]) -> None:
        self._above = os.getppid()
        wanted: list[str] | None = request["tests"]
        self._wanted = None if wanted is None else set(wanted)
        self._files = None if wanted is None else list(dict.fromkeys(file_of(test) for test in wanted))
        self._done = set(request.get("done", ()))
        self._at = os.open(request["at"], _APPENDING, 0o666) if request.get("at") else -1
        self._workers: int = request.get("workers", 1)
        self._left(request.get("traces"))

    def _left(self, traces: int | None) -> None:
        """So many more tracebacks are wanted (None: all), each of which costs as much as several tests."""
        self._traces = traces
        if self._config is not None:
            self._config.option.tbstyle = "no" if traces == 0 else "short"

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: Any) -> None:
        """Options are read."""
        self._config = config
        self._left(self._traces)

    def in_crew(self, session: Any, workers: int, run: Callable[[Any], object]) -> None:
        """Have `workers` forks run the items of `session`, each as `run` does it."""

        def begin() -> None:
            self.owner, self._above = os.getpid(), os.getppid()

        if not share(session, workers, begin, run):
            self.say("ended", why=LOST, final=True)

    def say(self, event: str, **facts: Any) -> None:
        """One line to whoever supervises; a fork of this process has nothing to say."""
        if os.getpid() != self.owner:
            return
        if self._at >= 0 and event in ("start", "collecting"):  # known also where it ends all that could be told
            if os.getppid() != self._above:
                os._exit(70)  # nobody listens any more
            os.write(self._at, json.dumps(facts).encode() + b"\n")
        left = memoryview(f"{self._nonce} {json.dumps({'event': event, **facts})}\n".encode())
        while left:
            left = left[os.write(self._events, left) :]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: Any) -> None:
        """Collect no more files than hold what is wanted; root and configuration stay those of the whole suite."""
        if self._files is not None and not any("[" in file for file in self._files):
            session.config.args = [file for file in self._files if Path(file).exists()]

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: Any) -> Any:
        """Leave out a file that ended an earlier session."""
        if isinstance(collector, pytest.File):
            self.say("collecting", file=file_of(collector.nodeid))
            why = self._avoid.get(file_of(collector.nodeid))
            if why:
                return pytest.CollectReport(collector.nodeid, "failed", why, [])
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool | None:
        """Leave it to several forks where that is asked for."""
        if self._workers < 2:
            return None
        self.in_crew(session, self._workers, pytest_runtestloop)
        return True

    @pytest.hookimpl(hookwrapper=True, tryfirst=True, specname="pytest_make_collect_report")
    def pytest_make_collect_report_exits(self, collector: Any) -> Generator[None, Any, None]:
        """A file that exits while it is imported is broken; the others go on."""
        outcome = yield
        error = outcome.excinfo[1] if outcome.excinfo else None
        if isinstance(error, SystemExit):
            text = f"E   SystemExit: {error.code}"
            outcome.force_result(pytest.CollectReport(collector.nodeid, "failed", text, []))

    def pytest_collectreport(self, report: Any) -> None:
        """Files that would not be collected, or skipped themselves."""
        if report.outcome != "passed":
            event = "broken" if report.outcome == "failed" else "left_out"
            self.say(event, file=file_of(report.nodeid) or ".", why=message_of(report))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> Generator[None, Any, None]:
        """Keep what is wanted and not done, after all others had their say."""
        yield
        ids = [item.nodeid for item in items]
        kept = self.chosen(items)
        unstable = {name: f"{times} tests have this id" for name, times in Counter(ids).items() if times > 1}
        unstable.update({name: "its id holds an address in memory" for name in ids if _ADDRESS.search(name)})
        chosen = {item.nodeid for item in kept}
        if len(kept) < len(items):
            out = [item for item in items if item.nodeid not in chosen]
            items[:] = kept
            config.hook.pytest_deselected(items=out)
        self.say_collected(kept, unstable)

    def chosen(self, items: list[Any]) -> list[Any]:
        """Those of `items` that are wanted and not done."""
        return [i for i in items if (self._wanted is None or i.nodeid in self._wanted) and i.nodeid not in self._done]

    def say_collected(self, kept: list[Any], unstable: dict[str, str]) -> None:
        """What will be run, and which of the wanted ids cannot name a test."""
        shown = {name: why for name, why in unstable.items() if self._wanted is None or name in self._wanted}
        self.say("collected", ids=list(dict.fromkeys(item.nodeid for item in kept)), unstable=shown)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._reports = []
        self.say("start", id=nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Set-up, call, teardown or a subtest ended."""
        if report.outcome == "rerun":  # pytest-rerunfailures: the next try counts
            self._reports = []
        else:
            self._reports.append(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test ended: the worst of its parts counts, and the first that was as bad tells why."""
        outcome, speaker = "passed", None
        for report in self._reports:
            part = outcome_of(report)
            if _WORST.index(part) > _WORST.index(outcome) and not (outcome == "failed" and part == "error"):
                outcome, speaker = part, report
        seconds = sum(getattr(report, "duration", 0.0) for report in self._reports)
        why = {} if speaker is None else {"message": message_of(speaker)}
        if outcome in ("failed", "error") and self._traces != 0:
            why["trace"] = text_of(speaker)[-TRACE:]
            self._left(None if self._traces is None else self._traces - 1)
        self.say("end", id=nodeid, outcome=outcome, seconds=round(seconds, 4), **why)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """The session ends before its tests do: ``pytest.exit``, or a KeyboardInterrupt that a test raised."""
        lines = str(excinfo.value).splitlines() or [""]
        self.say("ended", why=f"{excinfo.typename}: {lines[0]}".rstrip(": "), final=excinfo.typename == "Exit")

    def pytest_internalerror(self, excrepr: Any) -> None:
        """A plugin or conftest broke."""
        crash = getattr(excrepr, "reprcrash", None)
        self.say("ended", why=_said(crash.message if crash else str(excrepr)), final=False)


def file_of(test: str) -> str:
    """The file that a node id begins with."""
    return test.split("::", 1)[0]


def outcome_of(report: Any) -> str:
    """One report in the words of `TestResult.outcome`."""
    expected = hasattr(report, "wasxfail")
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if report.outcome == "skipped":
        return "xfailed" if expected else "skipped"
    return "xpassed" if expected and report.when == "call" else "passed"


def message_of(report: Any) -> str:
    """The exception and its first line."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).partition("\n")[0]
    if report.outcome == "passed" or hasattr(report, "wasxfail"):
        return str(getattr(report, "wasxfail", "")).partition("\n")[0]
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return _said(getattr(report.longrepr, "errorstring", "") or text_of(report))
    first = next((line for line in crash.message.splitlines() if line.strip()), "").strip()
    return f"AssertionError: {first}" if first.startswith("assert ") else first


def text_of(report: Any) -> str:
    """The traceback as pytest shows it."""
    return "" if report is None or report.longrepr is None else report.longreprtext


def _said(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line[1:].strip() for line in lines if re.match(r"E\s", line)]
    return (errors or lines[:1] or [""])[-1]
