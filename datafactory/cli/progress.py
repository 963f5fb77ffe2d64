"""Live progress of a run: all stages side by side where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Protocol

from datafactory.cli.pace import Line, Pace
from datafactory.cli.printing import span
from datafactory.pipeline import Execution

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

EVERY = 0.5
"""Seconds between two looks at the stages."""
QUIET = 10.0
"""Seconds between two plain lines about one stage."""
NUMBERS = 72
"""Columns that the numbers of a table take; what a terminal has beyond them is the bar's."""
COLUMNS = {"done": 11, "rejected": 8, "lost": 4, "busy": 4, "rate/s": 6, "time": 10}
"""The numbers of a table, and how wide each is at least, so that nothing jumps about."""
SHORTEST = 6
"""Columns of a bar that still says something."""


class Watcher(Protocol):
    """Shows how a run goes on; only looks, and writes to standard error alone."""

    async def watch(self) -> None:
        """Draw until cancelled."""
        ...

    def close(self) -> None:
        """Draw how it ended."""
        ...


def watcher(execution: Execution, *, quiet: bool) -> Watcher:
    """What suits standard error: a live table, plain lines, or, with `quiet`, nothing."""
    if quiet:
        return Silence()
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if sys.stderr.isatty() and not console.is_dumb_terminal:
        return LiveTable(execution)
    return PlainLines(execution)


class Silence:
    """Shows nothing."""

    async def watch(self) -> None:
        """Draw nothing."""

    def close(self) -> None:
        """Draw nothing."""


class PlainLines:
    """One line for each stage when something changed, some seconds apart, and one at its end."""

    def __init__(self, execution: Execution, *, quiet: float = QUIET) -> None:
        self._pace = Pace(execution)
        self._quiet = quiet
        self._said: dict[int, tuple[float, str]] = {}
        self._ended: set[int] = set()

    async def watch(self) -> None:
        """Print lines until cancelled."""
        while True:
            self._look()
            await asyncio.sleep(EVERY)

    def close(self) -> None:
        """Print how each stage ended."""
        self._look(last=True)

    def _look(self, *, last: bool = False) -> None:
        for line in self._pace.lines():
            if line.number in self._ended or line.state == "waiting":
                continue
            if not (line.over or line.done or line.busy or line.lost):
                continue  # it listens, and nothing has come yet
            if line.over:
                self._ended.add(line.number)
                print(f"{line.name}: {_ending(line)}", file=sys.stderr, flush=True)
                continue
            when, what = self._said.get(line.number, (-self._quiet, ""))
            said = _so_far(line)
            if said != what and (last or self._pace.now - when >= self._quiet):
                self._said[line.number] = (self._pace.now, said)
                print(f"{line.name}: {said}{'' if last else _pace(line)}", file=sys.stderr, flush=True)


def _pace(line: Line) -> str:
    parts = [f"{line.busy} busy", f"{_rate(line)}/s" if line.rate else "", _left(line)]
    return "".join(f", {part}" for part in parts if part)


def _rate(line: Line) -> str:
    return f"{line.rate:.1f}" if line.rate >= 1 else f"{line.rate:.2f}"


def _so_far(line: Line) -> str:
    return f"{_done(line)} done, {line.rejected:,} rejected, {line.lost:,} lost"


def _ending(line: Line) -> str:
    if line.before:
        return f"complete before, {line.kept:,} records"
    state = {
        "short": "short (the infrastructure lost items)",
        "capped": "capped (the budget is spent)",
        "held": "held (a stage before it is not complete)",
    }
    took = f", took {span(line.elapsed)}" if line.elapsed is not None else ""
    said = state.get(line.state, line.state)
    return f"{said}, {line.kept:,} kept, {line.rejected:,} rejected, {line.lost:,} lost{took}"


def _done(line: Line) -> str:
    if line.over or line.total is None:
        return f"{line.done:,}"
    return f"{line.done:,}/{line.total:,}" + ("" if line.final else "+")


def _left(line: Line) -> str:
    return "" if line.eta is None else f"{'' if line.final else '~'}{span(line.eta)} left"


class LiveTable:
    """A table that is drawn in place; drawing happens in the run's own loop, so that no thread outlives Ctrl-C."""

    def __init__(self, execution: Execution) -> None:
        from rich.console import Console
        from rich.live import Live

        self._pace = Pace(execution)
        self._title = execution.pipeline.name
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        # Standard output may be a pipe: only what is written to standard error goes above the table.
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, vertical_overflow="crop")

    async def watch(self) -> None:
        """Draw until cancelled."""
        self._live.start()
        self._console.show_cursor(True)  # a run that is killed must not leave a terminal without its cursor
        while True:
            self._live.update(self._table(), refresh=True)
            await asyncio.sleep(EVERY)

    def close(self) -> None:
        """Draw the last state, and leave it standing."""
        if self._live.is_started:
            self._live.update(self._table(), refresh=True)
            self._live.stop()

    def _table(self) -> Table:
        from rich.table import Table

        lines = self._pace.lines()
        bar = min(30, self._console.width - NUMBERS)
        table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold", header_style="dim")
        table.title = f"{self._title}  {span(self._pace.elapsed)}"
        table.add_column("stage", no_wrap=True, max_width=14)
        if bar >= SHORTEST:
            table.add_column("", no_wrap=True)
        names = [name for name in COLUMNS if bar >= 0 or name not in ("busy", "rate/s")]
        for name in names:
            table.add_column(name, justify="right", no_wrap=True, min_width=COLUMNS[name])
        for line in lines:
            drawn = [_bar(line, bar)] if bar >= SHORTEST else []
            cells = dict(zip(COLUMNS, _cells(line), strict=True))
            style = "dim" if line.state == "waiting" else ""
            table.add_row(line.name, *drawn, *(cells[name] for name in names), style=style)
        return table


def _cells(line: Line) -> list[str]:
    if line.state == "waiting":
        return ["", "", "", "", "", "waiting"]
    if line.before:
        return [f"{line.kept:,}", f"{line.rejected:,}", f"{line.lost:,}", "", "", "done before"]
    counts = [_done(line), f"{line.rejected:,}", f"{line.lost:,}"]
    rate = _rate(line) if line.rate else ""
    if line.over:
        took = span(line.elapsed) if line.elapsed is not None else "done"
        return [*counts, "", rate, {"complete": took, "short": "lost items"}.get(line.state, line.state)]
    return [*counts, f"{line.busy:,}", rate, _left(line) or "working"]


def _bar(line: Line, width: int) -> Text:
    from rich.text import Text

    full = width if line.state == "complete" else min(width, width * line.done // max(line.total or 0, line.done, 1))
    style = {"complete": "green", "short": "red", "capped": "yellow", "held": "yellow"}.get(line.state, "cyan")
    return Text("━" * full, style=style).append("┄" * (width - full), style="dim")
