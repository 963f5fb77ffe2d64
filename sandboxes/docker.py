"""Boxes as Docker containers: the sandbox for a machine with a Docker engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

from pydantic import Field, field_validator

from datafactory.errors import ConfigError, Missing
from datafactory.sizes import in_bytes
from datafactory.spec import Spec
from sandboxes import imagery
from sandboxes.docker_engine import attributed, storage_folder
from sandboxes.docker_host import DockerHost


class DockerSandbox(Spec):
    """Each box is a container of its own: no network, no capability, no way to gain a privilege, nothing of this
    machine mounted. It shares the machine's kernel: a hole in the kernel is a hole in the box.

    The engine is the one that `DOCKER_HOST` names, the local one by default. docs/sandbox-docker.md says what is
    enforced, and how."""

    use_name: ClassVar[str] = "docker"
    name: ClassVar[str] = "docker"

    memory: str = "2g"
    """Memory of a box, without swap (``512m``, ``2g``); a command that takes more is killed (137)."""
    cpus: float = Field(default=1.0, gt=0)
    """Processors' worth of time."""
    pids: int = Field(default=256, ge=64)
    """Processes and threads at a time, in a box."""
    disk: str = "2g"
    """What a box may write, in one file and in all."""
    network: bool = False
    """Whether a box reaches the network."""
    user: str = "root"
    """Who runs the commands: ``root``, without any capability, or a name or number that the image knows (``agent``
    in ours), which then owns the workdir and all files that are placed."""
    capabilities: tuple[str, ...] = ()
    """Linux capabilities given back to root in the box, such as ``CHOWN``; all others stay dropped."""
    images: dict[str, str] = Field(default_factory=dict)
    """Docker references for names of images: ``{base: my-registry/tools:3}``. A name that is neither here nor
    one of ours is taken for a reference itself."""
    output_limit: int = Field(default=1 << 20, ge=1 << 10)
    """Bytes kept of each stream of a command's output: the first and the last half of it."""
    open_timeout: float = Field(default=120.0, gt=0, exclude=True)
    """Seconds for a box to open, waiting for its turn included."""
    pool: int = Field(default=4, ge=0, exclude=True)
    """Boxes kept ready for each image; 0: none."""
    min_free: str = Field(default="2g", exclude=True)
    """Where the engine's disk has less left, no box opens."""
    build: bool = Field(default=True, exclude=True)
    """Whether an image of ours that the engine lacks is built when first needed."""
    pull: bool = Field(default=False, exclude=True)
    """Whether an image of others that the engine lacks is asked of its registry."""
    quota: bool = Field(default=True, exclude=True)
    """Whether to try the storage driver's own quota before falling back on watching."""

    @field_validator("memory", "disk", "min_free")
    @classmethod
    def _is_a_size(cls, value: str) -> str:
        try:
            in_bytes(value)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def memory_bytes(self) -> int:
        """`memory` in bytes."""
        return in_bytes(self.memory)

    @property
    def disk_bytes(self) -> int:
        """`disk` in bytes."""
        return in_bytes(self.disk)

    @property
    def min_free_bytes(self) -> int:
        """`min_free` in bytes."""
        return in_bytes(self.min_free)

    @asynccontextmanager
    async def start(self) -> AsyncIterator[DockerHost]:
        """Connect, and remove the boxes of dead runs. Raises Missing where no engine answers."""
        host = DockerHost(self, await asyncio.to_thread(imagery.connect))
        try:
            await host.sweep()
            yield host
        finally:
            await host.close()


def available() -> tuple[bool, str]:
    """Whether this machine has an engine, and a line about it, or about how to get one; at most 3 seconds."""
    try:
        client = imagery.connect(timeout=3)
    except Missing as error:
        return False, str(error)
    try:
        with attributed("asking the engine about itself"):
            about: Mapping[str, str] = client.info()
            storage = storage_folder(client)
    finally:
        client.close()
    room = "" if storage is None else f", {shutil.disk_usage(storage).free / 1e9:.0f} GB free"
    return True, f"engine {about['ServerVersion']}, {about['Driver']}{room}"
