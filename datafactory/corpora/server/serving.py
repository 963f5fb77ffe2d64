"""A search server on this machine: its socket, its processes, the file with its address, and its end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from datafactory.corpora.blocking import NOTHING, Blocklist
from datafactory.corpora.library import Shelves
from datafactory.corpora.retrievers.retriever import Retriever
from datafactory.errors import ConfigError, SearchError
from datafactory.whole import whole

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from datafactory.corpora.corpus import Corpus

_GRACE = 5
"""Seconds that requests under way have when the server stops."""
_DEATHS, _SPAN = 5, 60.0
"""So many processes may die in so many seconds before the server gives up."""


def serve(
    corpus: Corpus,
    retriever: Retriever,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    blocked: Blocklist = NOTHING,
    workers: int = 1,
    save_address_to: Path | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Answer requests until SIGTERM or Ctrl-C. `port` 0: any free one. `ready` is told the address, `host:port`, once
    requests are answered. Workers share the index's memory. Raises ConfigError for an address that cannot be had."""
    made = Shelves(corpus, retriever, blocked)  # the index is built before anybody can ask
    with _bound(host, port) as opened, _terminable():
        address = _address(host, opened.getsockname()[1])
        with _saved(address, save_address_to):
            if workers == 1:
                ready(address)
                _answer(made, opened)
            else:
                _keep(corpus.name, retriever, blocked, opened, workers, lambda: ready(address))


def _answer(shelves: Shelves, opened: socket.socket) -> None:
    import uvicorn

    from datafactory.corpora.server.app import application

    config = uvicorn.Config(
        application(shelves),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(config).run(sockets=[opened])


def _work(name: str, retriever: Retriever, blocked: Blocklist, opened: socket.socket) -> None:
    from datafactory.corpora.corpus import find

    Thread(target=_follow, daemon=True).start()
    with suppress(KeyboardInterrupt), _terminable():
        _answer(Shelves(find(name), retriever, blocked), opened)


def _follow() -> None:
    """End with the process that started this one, also where that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _keep(
    name: str, retriever: Retriever, blocked: Blocklist, opened: socket.socket, workers: int, ready: Callable[[], None]
) -> None:
    """Have so many processes at work; one that dies is replaced."""
    spawn = multiprocessing.get_context("spawn")

    def start() -> SpawnProcess:
        made = spawn.Process(target=_work, args=(name, retriever, blocked, opened), name="search")
        made.start()
        return made

    alive = [start() for _ in range(workers)]
    deaths: list[float] = []
    try:
        ready()
        while True:
            wait([each.sentinel for each in alive])
            for dead in [each for each in alive if not each.is_alive()]:
                deaths = [*(then for then in deaths if time.monotonic() - then < _SPAN), time.monotonic()]
                said = f"a process of the search server ended ({dead.exitcode})"
                if len(deaths) > _DEATHS:
                    raise SearchError(f"{said}, the last of {len(deaths)} within {_SPAN:.0f} s")
                print(f"{said}; another takes its place", file=sys.stderr, flush=True)
                alive.remove(dead)
                alive.append(start())
    finally:
        for each in alive:
            each.terminate()
        for each in alive:
            each.join(_GRACE + 1)
            each.kill()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, port))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"the search server cannot listen at {host}:{port}: {error}") from error
        opened.listen(2048)
        yield opened


def _address(host: str, port: int) -> str:
    if host in ("", "0.0.0.0", "::"):
        host = _own()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _own() -> str:
    """This machine's address as others see it, as far as it knows."""
    with suppress(OSError):
        return socket.gethostbyname(socket.gethostname())
    return "127.0.0.1"


@contextmanager
def _saved(address: str, to: Path | None) -> Iterator[None]:
    """The address in a file; in a folder, in a file of the name that ASearcher's clients look for there."""
    if to is None:
        yield
        return
    if to.is_dir() or str(to).endswith(os.sep):
        to = to / f"Host{socket.gethostname()}_IP{address.rpartition(':')[0]}.txt"
    with whole(to) as draft:
        draft.write_text(f"{address}\n")
    try:
        yield
    finally:
        with suppress(OSError):
            if to.read_text().strip() == address:  # another server may have taken the file over
                to.unlink()


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the block as `sys.exit` would, so that what is left behind is cleared away."""

    def leave(number: int, frame: object) -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
