"""The pages of runs, served while they go on: a list of runs, the page of each, and its numbers as they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from datafactory.reporting.attempts import read_attempts
from datafactory.reporting.facts import STEPS, facts
from datafactory.reporting.page import listing, render
from datafactory.storage import RunFolder, is_running, open_run

if TYPE_CHECKING:
    from fastapi import FastAPI

HERE = ("127.0.0.1", "localhost", "[::1]")
"""Names by which a browser on this machine calls it."""
_REST = 4.0
"""Times as long as counting a run took, it is not counted again: a large run does not keep a core busy."""

Funnel = Callable[[RunFolder], dict[str, Any]]


@dataclass
class Counted:
    """The numbers of one run, as of a moment; counted anew when its files have grown and some time has passed."""

    state: tuple[tuple[str, int], ...] = ()
    made: dict[str, Any] = field(default_factory=dict)
    until: float = 0.0
    lock: Lock = field(default_factory=Lock)


class Watched:
    """A folder of runs."""

    def __init__(self, runs: Path, funnel: Funnel) -> None:
        self._runs, self._funnel = runs, funnel
        self._counted: dict[str, Counted] = {}

    def names(self) -> list[str]:
        """The runs that there are."""
        return sorted(path.parent.name for path in self._runs.glob("*/run.json"))

    def run(self, name: str) -> RunFolder | None:
        """A run by its name; None: there is none of that name in the folder, whatever else a path might reach."""
        return open_run(self._runs / name) if name in self.names() else None

    def rows(self) -> list[dict[str, Any]]:
        """Each run in a line: name, whether it goes on, its stages, when it last changed (Unix time)."""
        made = []
        for name in self.names():
            run = open_run(self._runs / name)
            stages = [
                {"stage": s.name, "records": s.count(), "complete": s.path.is_dir() and s.manifest is not None}
                for s in run.stages
            ]
            changed = max((when for _, when in _state(run, times=True)), default=0)
            made.append({"name": name, "running": is_running(run.path), "stages": stages, "changed": changed})
        return sorted(made, key=lambda row: (not row["running"], -row["changed"]))

    def facts(self, run: RunFolder) -> dict[str, Any]:
        """Its numbers (`reporting.facts`), and how many attempts there are to read."""
        counted = self._counted.setdefault(run.name, Counted())
        with counted.lock:
            state, now = _state(run), time.monotonic()
            running = is_running(run.path)
            if not counted.made or (state != counted.state and (now >= counted.until or not running)):
                counted.made = facts(run, self._funnel(run))
                counted.state, counted.until = state, time.monotonic() + _REST * (time.monotonic() - now)
            return {**counted.made, "running": running}


def _state(run: RunFolder, *, times: bool = False) -> tuple[tuple[str, int], ...]:
    """What tells that a run has changed: its files and their sizes, or when they were written."""
    folders = [stage.path for stage in run.stages if stage.path.is_dir()]
    files = (path for folder in folders for path in (*folder.iterdir(), folder / STEPS) if path.is_file())
    told = ((str(path), path.stat()) for path in sorted(files))
    return tuple((name, int(stat.st_mtime) if times else stat.st_size) for name, stat in told)


def application(runs: Path, funnel: Funnel, names: Sequence[str] = HERE) -> FastAPI:
    """The server. It reads and never writes; requests that call it by another name than `names` are refused, since a
    page from elsewhere could otherwise read runs through a name that it made point here (DNS rebinding)."""
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import HTMLResponse, JSONResponse, Response
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(openapi_url=None)
    watched = Watched(runs, funnel)

    def found(name: str) -> RunFolder:
        run = watched.run(name)
        if run is None:
            raise HTTPException(404, f"no run {name!r}")
        return run

    @app.middleware("http")
    async def careful(request: Any, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        answer.headers.update({"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.headers["X-Frame-Options"] = "DENY"
        return answer

    # Not coroutines: files are read, in threads, and other requests go on meanwhile.
    @app.get("/")
    def index() -> HTMLResponse:
        return HTMLResponse(listing(watched.rows()))

    @app.get("/runs.json")
    def listed() -> JSONResponse:
        return JSONResponse(watched.rows())

    @app.get("/runs/{name}")
    def page(name: str) -> HTMLResponse:
        run = found(name)
        return HTMLResponse(render(watched.facts(run), read_attempts(run), live=True))

    @app.get("/runs/{name}/facts.json")
    def numbers(name: str) -> JSONResponse:
        return JSONResponse(watched.facts(found(name)))

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(names), www_redirect=False)
    return app
