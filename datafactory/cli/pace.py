"""How far each stage of a run is and how long it will take, in numbers for whoever draws them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace

from datafactory.pipeline import Execution, Planned, Station

WINDOW = 30.0
"""Seconds over which a rate is measured: long enough to be steady, short enough to follow a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One stage at one moment."""

    number: int
    """Place in the pipeline, from 0."""
    name: str
    state: str
    """`waiting`, `working`, `complete`, `short`, `capped` or `held`, as `Station.state`."""
    done: int = 0
    """Items finished: kept or rejected, in this process or before it."""
    total: int | None = None
    """Items in all, as far as is known now; None: not known."""
    final: bool = False
    """Whether `total` will not grow any more."""
    kept: int = 0
    rejected: int = 0
    lost: int = 0
    busy: int = 0
    rate: float = 0.0
    """Items a second, over the last half minute."""
    eta: float | None = None
    """Seconds until the stage ends; a guess where `total` is not final."""
    elapsed: float | None = None
    """Seconds since it began in this process; None: it did not."""
    before: bool = False
    """Whether it was complete before this process began."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come in this process."""
        return self.state in ("complete", "short", "capped", "held")


class Pace:
    """Looks at an execution, and remembers enough of the last half minute to tell rates."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._began = time.monotonic()
        self._marks: list[deque[tuple[float, int]]] = [deque() for _ in execution.pipeline.stages]
        self.now = self._began

    @property
    def elapsed(self) -> float:
        """Seconds since the watching began."""
        return self.now - self._began

    def lines(self) -> list[Line]:
        """One line for each stage of the pipeline, those whose shelf is not open yet included."""
        self.now = time.monotonic()
        stations = self._execution.stations
        made: list[Line] = []
        for number, planned in enumerate(self._execution.pipeline.stages):
            if number < len(stations):
                made.append(self._line(number, stations[number], made[-1] if made else None))
            else:
                made.append(Line(number, planned.name, "waiting"))
        return made

    def _line(self, number: int, station: Station, source: Line | None) -> Line:
        progress, shelf = station.run.progress, station.shelf
        done = shelf.kept if station.before else progress.skipped + progress.finished
        total, final = _total(station.planned, progress.total, source)
        if station.state == "complete":
            total, final = done, True
        rate = self._rate(number, progress.finished) if station.state == "working" else progress.rate
        elapsed = None if progress.started is None else (progress.ended or self.now) - progress.started
        line = Line(
            number=number,
            name=station.planned.name,
            state=station.state,
            done=done,
            total=total,
            final=final,
            kept=shelf.kept,
            rejected=sum(shelf.dropped.values()),
            lost=len(shelf.lost),
            busy=progress.busy,
            rate=rate,
            elapsed=elapsed,
            before=station.before,
        )
        return line if line.over else _with_eta(line, station.planned, source)

    def _rate(self, number: int, finished: int) -> float:
        marks = self._marks[number]
        marks.append((self.now, finished))
        while len(marks) > 2 and self.now - marks[1][0] >= WINDOW:
            marks.popleft()
        (then, had), (now, has) = marks[0], marks[-1]
        return (has - had) / (now - then) if now > then else 0.0


def _total(planned: Planned, known: int | None, source: Line | None) -> tuple[int | None, bool]:
    """How many items a stage has, and whether that is the last word."""
    if known is not None or source is None:
        return (planned.stage.expected(None) if known is None else known), True
    return planned.stage.expected(source.kept), source.over


def _with_eta(line: Line, planned: Planned, source: Line | None) -> Line:
    """The line with its end foretold: a stage that streams ends after the one before it at the earliest."""
    if line.total is None or line.rate <= 0:
        return line
    if line.final or source is None:
        return replace(line, eta=max(0, line.total - line.done) / line.rate)
    if source.eta is None or not source.total or not source.done:
        return line
    coming = planned.stage.expected(round(source.kept * source.total / source.done))
    if coming is None:
        return line
    return replace(line, eta=max(source.eta, (coming - line.done) / line.rate))
