"""The repositories of one generator, fetched, set up and ready to be broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from datafactory.errors import GeneratorError
from datafactory.layers import hold
from datafactory.local import state_folder
from datafactory.protocols import SandboxHost
from generators.swe.environment import Environment, SetUpFailed, set_up, shelf
from generators.swe.proving.benches import Benches, open_benches
from generators.swe.sources import Checkout, Repository, SourceError, fetch

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """A repository whose tests can be run."""

    checkout: Checkout
    environment: Environment
    benches: Benches


@dataclass(frozen=True)
class Unfit:
    """A repository that no task can come from, and why."""

    at: str
    step: str
    """Where it went wrong: a step of `fetch` or of `set_up`."""
    detail: str


def cache() -> Path:
    """Where this machine keeps repositories and what setting them up found: beside the layers."""
    return state_folder() / "swe"


@asynccontextmanager
async def open_repositories(
    host: SandboxHost, repositories: Sequence[Repository], *, boxes: int
) -> AsyncIterator[tuple[list[Ready], list[Unfit]]]:
    """All that can be set up, and why the others cannot, both in the order given. `boxes`: at a time, for a repository.

    Raises what is not a repository's fault: SandboxError, Missing, SourceError where only the network failed.
    """
    ready: list[Ready] = []
    unfit: list[Unfit] = []
    one_at_a_time = asyncio.Semaphore(boxes)

    async def prepared(repository: Repository) -> tuple[Checkout, Environment] | Unfit:
        async with one_at_a_time:
            try:
                checkout = await asyncio.to_thread(fetch, repository, cache() / "sources")
                return checkout, await set_up(host, checkout, folder=cache() / "environments")
            except (SourceError, SetUpFailed) as error:
                if not error.final:
                    raise
                return Unfit(repository.at, error.step, f"{error}\n{log_of(error)}".strip())

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(prepared(repository)) for repository in repositories]
    async with AsyncExitStack() as stack:
        for repository, made in zip(repositories, [task.result() for task in asked], strict=True):
            if isinstance(made, Unfit):
                _log.warning("no tasks from %s: %s", repository.at, made.detail.splitlines()[0])
                unfit.append(made)
                continue
            checkout, environment = made
            stack.enter_context(hold(environment.image))  # its first box may be opened much later
            benches = await stack.enter_async_context(open_benches(host, environment, boxes))
            ready.append(Ready(checkout, environment, benches))
        yield ready, unfit


def forget(image: str) -> None:
    """Delete what this machine has on file of the environment in the layer `image`. Raises StorageError."""
    shelf.forget(cache() / "environments", image)


def log_of(error: GeneratorError) -> str:
    """The end of what was printed before it; empty: nothing was, or nobody kept it."""
    return str(getattr(error, "log", ""))[-2000:]
