"""A Docker engine as many boxes share it: blocking calls on a bounded pool of threads, few starts at once, back-off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from datafactory.errors import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

T = TypeVar("T")

_THREADS = 16
LIFECYCLES_AT_ONCE = 4
"""An engine on two cores does about four lifecycles a second whatever is asked of it; more at once only wait in it."""
_PAUSES = (0.25, 0.5, 1.0, 2.0)
_GONE = (404, 409)


class Engine:
    """One engine's client. Every method raises SandboxError, after it tried again what may pass by itself."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self.api: Any = client.api
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker")
        self._lifecycles = asyncio.Semaphore(LIFECYCLES_AT_ONCE)
        self._going: set[asyncio.Future[Any]] = set()

    async def call(self, doing: str, function: Callable[..., T], *args: Any, **more: Any) -> T:
        """`function` on a thread of ours, once. Where the caller is cancelled, it still runs to its end."""
        loop = asyncio.get_running_loop()
        going = loop.run_in_executor(self._threads, partial(function, *args, **more))
        self._going.add(going)
        going.add_done_callback(self._finished)
        with attributed(doing):
            return await asyncio.shield(going)

    async def idle(self) -> None:
        """Wait until nothing is under way, what was cancelled included."""
        while self._going:
            await asyncio.wait(self._going)

    async def steadily(self, doing: str, function: Callable[..., T], *args: Any, **more: Any) -> T:
        """As `call`, and again after a pause where the engine itself failed (5xx, no answer); four times at most."""
        for pause in _PAUSES:
            try:
                return await self.call(doing, function, *args, **more)
            except SandboxError as error:
                if not _may_pass(error.__cause__):
                    raise
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        return await self.call(doing, function, *args, **more)

    async def launch(self, recipe: dict[str, Any]) -> str:
        """A new container, started; the id of it. `recipe`: arguments of the API's create_container."""
        async with self._lifecycles:
            return await self.steadily("starting a container", self._launch, recipe)

    async def remove(self, container: str) -> None:
        """Kill it and take it away, with all that it wrote; no error if it is gone or going."""
        async with self._lifecycles:
            await self.steadily("removing a container", self._remove, container)

    async def labelled(self, label: str, *, sizes: bool = False) -> list[dict[str, Any]]:
        """Every container, dead or alive, that carries `label` (``key=value``); `sizes`: with `SizeRw` in bytes."""
        filters = {"label": label}
        found = await self.call("listing containers", self.api.containers, all=True, filters=filters, size=sizes)
        return list(found)

    def close(self) -> None:
        """Let the threads go; what they still do is finished first."""
        self._threads.shutdown(wait=True)
        self._client.close()

    def _finished(self, going: asyncio.Future[Any]) -> None:
        self._going.discard(going)
        if not going.cancelled():
            going.exception()  # Looked at, so that asyncio does not report it where its caller was cancelled.

    def _launch(self, recipe: dict[str, Any]) -> str:
        made = str(self.api.create_container(**recipe)["Id"])
        try:
            self.api.start(made)
        except BaseException:
            self._remove(made)
            raise
        return made

    def _remove(self, container: str) -> None:
        from docker.errors import APIError

        try:
            self.api.remove_container(container, force=True, v=True)
        except APIError as error:
            if error.status_code not in _GONE:
                raise


@contextmanager
def attributed(doing: str) -> Iterator[None]:
    """What the SDK raises, as a SandboxError that says what was being done."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        detail = error.explanation if isinstance(error, APIError) and error.explanation else error
        wrapped = SandboxError(f"{doing}: {detail}")
        wrapped.boundary = doing
        raise wrapped from error


def storage_folder(client: DockerClient) -> Path | None:
    """Where the engine keeps containers; None: not on this machine, or it does not say."""
    if not str(client.api.base_url).startswith("http+docker://localhost"):
        return None
    root = Path(str(client.info().get("DockerRootDir", "")))
    return root if root.is_absolute() and root.is_dir() else None


def _may_pass(error: BaseException | None) -> bool:
    from docker.errors import APIError

    if isinstance(error, APIError):
        return error.status_code is not None and error.status_code >= 500 and "storage-opt" not in str(error)
    return error is not None
