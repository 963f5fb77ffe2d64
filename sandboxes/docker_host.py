"""The boxes of one run on one Docker engine: warm pools, limits, and no container left behind."""

from __future__ import annotations

import asyncio
import logging
import posixpath
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory import errands
from datafactory.errors import Missing, SandboxError
from datafactory.layers import PREFIX, shortage
from datafactory.types import Files
from sandboxes import docker_layers, docker_owner, imagery, on_layers
from sandboxes.docker_box import BASH, DockerBox
from sandboxes.docker_engine import LIFECYCLES_AT_ONCE, Engine, storage_folder
from sandboxes.pool import WarmPool

if TYPE_CHECKING:
    from docker import DockerClient

    from sandboxes.docker import DockerSandbox

_log = logging.getLogger(__name__)

_POOLS = 12
"""Images whose boxes are kept ready; past that, those of the image not asked for longest are given up."""
_LOOK = 1.0
"""Seconds between two looks at how much the boxes wrote, or ten times as long as a look takes."""
_FOR_ROOT_BESIDE_A_USER = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL")
"""What process 1 needs to place files for another user, and to kill what fills the disk; no process of that user
gets any of it."""


class DockerHost:
    """Opens boxes as its recipe says. Every method raises SandboxError; an image that is not there is Missing."""

    def __init__(self, recipe: DockerSandbox, client: DockerClient) -> None:
        self.engine = Engine(client)
        self._client = client
        self._recipe = recipe
        self._run = docker_owner.new_run()
        self._storage: Path | None = None
        self._digests: dict[str, str] = {}
        self._layers = on_layers.Layers()
        self._finding = threading.Lock()
        self._pools: OrderedDict[tuple[str, str], WarmPool[DockerBox]] = OrderedDict()
        self._boxes: dict[str, DockerBox] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._quota = recipe.quota

    async def sweep(self) -> int:
        """Remove the boxes of this machine's dead factories; returns how many."""
        self._storage = await self.engine.call("asking the engine about itself", storage_folder, self._client)
        found = await self.engine.labelled(docker_owner.OWNER)
        dead = [each["Id"] for each in found if docker_owner.is_orphan(each.get("Labels") or {})]
        await asyncio.gather(*(self.engine.remove(container) for container in dead))
        return len(dead)

    def image_digest(self, image: str) -> str:
        """The engine's id of what `image` stands for (``sha256:…``). Raises Missing."""
        with self._finding:
            if image not in self._digests:
                self._digests[image] = self._find(image)
            return self._digests[image]

    @asynccontextmanager
    async def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AsyncIterator[DockerBox]:
        """See `SandboxHost.open`."""
        self._guard_disk(f"opening a box of {image!r}")
        if image not in self._digests:
            await self.engine.call("looking for an image", self.image_digest, image)
        self._layers.opened(image)
        try:
            async with asyncio.timeout(self._recipe.open_timeout):
                box = await self._pool(image, posixpath.normpath(workdir)).take()
        except TimeoutError as error:
            raise SandboxError(f"no box of {image!r} opened within {self._recipe.open_timeout:g} s") from error
        try:
            await box.push(files)
            await errands.prepare(box, prepare)
            yield box
        finally:
            self._later(self._discard(box))

    async def close(self) -> None:
        """Remove every box of this run, and wait until that is done."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
        await self.engine.idle()
        left = await self.engine.labelled(f"{docker_owner.RUN}={self._run}")
        await asyncio.gather(*(self.engine.remove(each["Id"]) for each in left))
        self.engine.close()
        self._layers.close()

    def _find(self, image: str) -> str:
        if image.startswith(PREFIX) and image not in self._recipe.images:
            return self._find_layer(image)
        named = self._recipe.images.get(image) or (imagery.reference(image) if image in imagery.NAMES else image)
        there = imagery.image_id(self._client, named)
        if there is None and self._recipe.build and named == image in imagery.NAMES:
            _log.warning("image %s is not on this Docker engine: building it, which takes a minute or more", image)
            return imagery.build_images([image], say=_log.info, client=self._client)[image]
        if there is None and self._recipe.pull and image not in imagery.NAMES:
            return str(self._client.images.pull(named).id)
        if there is None:
            how = imagery.command_for(image) if image in imagery.NAMES else f"docker pull {named}"
            raise Missing(f"image {image!r} ({named}) is not on this Docker engine; get it: {how}")
        return there

    def _find_layer(self, image: str) -> str:
        layer = self._layers.named(image)
        on_layers.check_base(layer, self._find(layer.base))
        there = imagery.image_id(self._client, docker_layers.reference(layer))
        if there is None:
            self._guard_disk(f"building an image of {image!r}", docker_layers.ROOM * layer.size)
            _log.info("building an image of %s (%.0f MB)", image, layer.size / 1e6)
            there = docker_layers.build(self._client, layer)
        return there

    def _guard_disk(self, doing: str, needed: int = 0) -> None:
        if self._storage is None:
            return
        if short := shortage(self._storage, needed, self._recipe.min_free_bytes):
            raise SandboxError(
                f"{doing}: {short} (min_free: {self._recipe.min_free}; `docker system df` shows what takes it)"
            )

    def _pool(self, image: str, workdir: str) -> WarmPool[DockerBox]:
        key = (image, workdir)
        if key not in self._pools:
            self._give_up_pools()
            self._pools[key] = WarmPool(
                partial(self._make, image, workdir),
                self._discard,
                size=self._recipe.pool,
                at_once=LIFECYCLES_AT_ONCE,
                usable=lambda box: box.alive,
            )
        self._pools.move_to_end(key)
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_disk())
        return self._pools[key]

    def _give_up_pools(self) -> None:
        """Make room for one more pool, at the cost of those that nobody waits for and nobody asked for longest."""
        idle = [key for key, pool in self._pools.items() if not pool.wanted]
        for key in idle[: max(0, len(self._pools) + 1 - _POOLS)]:
            self._later(self._pools.pop(key).close())

    async def _make(self, image: str, workdir: str) -> DockerBox:
        container = await self._launch(image)
        recipe = self._recipe
        box = DockerBox(self.engine, container, user=recipe.user, workdir=workdir, output_limit=recipe.output_limit)
        try:
            await box.prepare()
        except BaseException:
            self._later(self._discard(box))
            raise
        self._boxes[container] = box
        return box

    async def _launch(self, image: str) -> str:
        try:
            return await self.engine.launch(self._container(image))
        except SandboxError as error:
            if "storage-opt" not in str(error):
                raise
            self._quota = False
            return await self.engine.launch(self._container(image))

    def _container(self, image: str) -> dict[str, Any]:
        from docker.types import LogConfig, Ulimit

        recipe = self._recipe
        added = [*recipe.capabilities, *(_FOR_ROOT_BESIDE_A_USER if recipe.user != "root" else ())]
        limits = self.engine.api.create_host_config(
            mem_limit=recipe.memory_bytes,
            memswap_limit=recipe.memory_bytes,
            nano_cpus=int(recipe.cpus * 1e9),
            pids_limit=recipe.pids,
            storage_opt={"size": str(recipe.disk_bytes)} if self._quota else None,
            ulimits=[
                Ulimit(name="nofile", soft=4096, hard=4096),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="fsize", soft=recipe.disk_bytes, hard=recipe.disk_bytes),
            ],
            network_mode="bridge" if recipe.network else "none",
            ipc_mode="private",
            cap_drop=["ALL"],
            cap_add=added or None,
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type="none"),
        )
        return {
            "image": self.image_digest(image),
            "entrypoint": list(BASH),
            "healthcheck": {"test": ["NONE"]},
            "stdin_open": True,
            "user": "root",
            "hostname": "box",
            "working_dir": "/",
            "environment": {"LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC"},
            "labels": docker_owner.labels(self._run),
            "use_config_proxy": False,
            "host_config": limits,
        }

    async def _discard(self, box: DockerBox) -> None:
        self._boxes.pop(box.container, None)
        await box.close()
        await self.engine.remove(box.container)

    async def _watch_disk(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            # A box that goes while it is looked at, and an engine that does not answer: the next look tells.
            with suppress(SandboxError):
                for each in await self.engine.labelled(f"{docker_owner.RUN}={self._run}", sizes=True):
                    box = self._boxes.get(each["Id"])
                    if box is not None and int(each.get("SizeRw") or 0) > self._recipe.disk_bytes:
                        await box.evict(self._recipe.disk_bytes)
            await asyncio.sleep(max(_LOOK, 10 * (loop.time() - begun)))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
