"""`datafactory serve`: the pages of runs in a browser, while they go on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from datafactory.cli.funnel import count
from datafactory.cli.printing import clean
from datafactory.errors import ConfigError
from datafactory.reporting.serving import HERE, application


def serve(runs: Path, host: str, port: int, names: Sequence[str]) -> None:
    """Answer browsers until Ctrl-C. Raises ConfigError for an address that cannot be had."""
    import socket

    import uvicorn

    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        raise ConfigError(f"--host {clean(host)} --port {port}: {error.strerror or error}; name another") from error
    shown = f"[{host}]" if ":" in host else host
    print(
        f"http://{shown}:{opened.getsockname()[1]}/ shows the runs of {runs}; Ctrl-C ends it",
        file=sys.stderr,
        flush=True,
    )
    if host not in ("127.0.0.1", "localhost", "::1"):
        print("anybody who reaches this address reads every run: there is no password", file=sys.stderr, flush=True)
    app = application(runs, lambda run: count(run).as_json(), [*HERE, shown, *names])
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[opened])
