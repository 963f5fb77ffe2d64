"""The `namespace` sandbox: its recipe, and a run's boxes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from datafactory import errands
from datafactory.errors import ConfigError, Missing, SandboxError
from datafactory.layers import PREFIX, folder
from datafactory.layers import Layer as ImageLayer
from datafactory.protocols import Box, SandboxHost
from datafactory.sizes import in_bytes
from datafactory.spec import Spec
from datafactory.types import Files
from sandboxes import on_layers
from sandboxes.link import Link, ProcessLink
from sandboxes.namespace import engines, limits
from sandboxes.namespace.probe import look
from sandboxes.namespace.root import Root, digest_on, layered, plan
from sandboxes.namespace.unpacking import unpack
from sandboxes.shell import Shell
from sandboxes.shell_box import ShellBox

ENVIRONMENT = {"HOME": "/root", "LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC", "USER": "root"}
_ENTER = 'while [[ $1 != -- ]]; do echo 0 >"$1" || exit; shift; done; shift; exec "$@"'
_NOBODY = 65534
_AS_NOBODY = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


class NamespaceSandbox(Spec):
    """Boxes of Linux namespaces over a read-only view of this machine; needs no daemon and no image."""

    use_name: ClassVar[str] = "namespace"

    name: str = "namespace"
    """How rows call it."""
    engine: Literal["auto", "bubblewrap", "unshare"] = "auto"
    """What makes a box: `unshare` (util-linux; the box may write anywhere) or `bubblewrap` (the machine's folders stay
    read-only); `auto`: unshare where the kernel lets it overlay, else bubblewrap where it is installed."""
    roots: dict[str, str] = {}
    """Folders that hold a root file system, by the image's name; any other image is this machine."""
    network: bool = False
    """Whether boxes share the machine's network; else they have a loopback of their own."""
    memory: str = "2g"
    """Most memory of a box's processes."""
    disk: str = "1g"
    """Most that a box may write; held in memory."""
    pids: int = Field(default=256, ge=32)
    """Most processes and threads in a box."""
    cpus: float = Field(default=2.0, gt=0)
    """Most processors that a box may keep busy; enforced by control groups only."""
    limiting: Literal["auto", "groups", "watch"] = Field(default="auto", exclude=True)
    """What holds a box to its limits: control groups, or, without processors, the kernel's count of a user's processes
    and a watch over their memory, boxes then being another user's than root; `auto`: groups where they can be made."""
    output: int = Field(default=1 << 20, ge=1024)
    """Bytes kept of each stream of a command: the first and the last half of them."""

    def start(self) -> AbstractAsyncContextManager[SandboxHost]:
        """Look at what this machine offers, and remove what dead runs left. Raises Missing, ConfigError."""
        return self._start()

    @asynccontextmanager
    async def _start(self) -> AsyncIterator[SandboxHost]:
        found = await asyncio.to_thread(look)
        use = self.engine
        if use == "auto":
            use = "unshare" if found.overlay or not found.bubblewrap else "bubblewrap"
        if not (found.unshare if use == "unshare" else found.bubblewrap):
            from sandboxes.namespace.probe import available

            raise Missing(f"boxes by {use} do not work here: {available()[1]}; tried {'; '.join(found.tried)}")
        for image, at in self.roots.items():
            if not (Path(at) / "usr").is_dir():
                raise ConfigError(f"roots.{image}: {at} holds no root file system (it has no usr)")
            if use == "bubblewrap" or not found.overlay:
                raise ConfigError("roots: needs engine unshare, and a kernel that overlays in user namespaces")
        await asyncio.to_thread(limits.remove_orphans)
        overlay = found.overlay if use == "unshare" else found.bubblewrap_overlay
        planned = {image: await asyncio.to_thread(plan, Path(at), overlay=overlay) for image, at in self.roots.items()}
        machine = await asyncio.to_thread(plan, None, overlay=overlay)
        host = NamespaceHost(self, use, machine, planned, overlay=overlay)
        try:
            yield host
        finally:
            host.close()


class NamespaceHost:
    """A sandbox that is up."""

    def __init__(
        self, spec: NamespaceSandbox, engine: str, machine: Root, roots: dict[str, Root], *, overlay: bool
    ) -> None:
        self._spec, self._engine, self._machine, self._roots, self._overlay = spec, engine, machine, roots, overlay
        self._layered: dict[tuple[str, bool], Root] = {}
        self._layers = on_layers.Layers()
        self._skeletons: dict[int, int] = {}
        self._planning = threading.Lock()
        self._numbers = itertools.count()
        disk = in_bytes(spec.disk)
        self._disk = disk
        self._limits = limits.Limits(in_bytes(spec.memory) + disk, spec.pids, spec.cpus)

    def close(self) -> None:
        """Let go of what boxes are made from."""
        while self._skeletons:
            os.close(self._skeletons.popitem()[1])
        self._layers.close()

    def image_digest(self, image: str) -> str:
        """Of the machine: its release, packages and Python; of a root: names, sizes and times of its files; of a
        layer: its own and its base's. Raises Missing for a layer that boxes cannot be opened on here."""
        if not self._is_layer(image):
            return self._roots.get(image, self._machine).digest
        layer, base = self._found(image)
        return digest_on(base, layer)

    def _is_layer(self, image: str) -> bool:
        return image.startswith(PREFIX) and image not in self._roots

    def _found(self, image: str) -> tuple[ImageLayer, Root]:
        """A layer, and the root that it lies on."""
        layer = self._layers.named(image)
        base = self._roots.get(layer.base, self._machine)
        on_layers.check_base(layer, base.digest)
        if not self._overlay:
            raise Missing(
                f"{image!r}: boxes of namespaces lie on layers where the kernel overlays in them (Linux 5.11), by "
                "engine unshare, or by bubblewrap 0.11 or later; use those, or the docker sandbox"
            )
        return layer, base

    def _root(self, image: str, *, ordinary: bool) -> Root:
        """What a box of `image` is made from; a layer is unpacked when it is first asked for, which blocks."""
        if not self._is_layer(image):
            return self._roots.get(image, self._machine)
        with self._planning:
            if (image, ordinary) not in self._layered:
                layer, base = self._found(image)
                unpacked = unpack(layer, owner=_NOBODY if ordinary else os.geteuid())
                self._layered[image, ordinary] = layered(base, unpacked, folder(), layer)
            return self._layered[image, ordinary]

    def _skeleton(self, root: Root) -> int:
        """A descriptor of the skeleton of `root`, in memory."""
        with self._planning:
            if id(root) not in self._skeletons:
                made = self._skeletons[id(root)] = os.memfd_create("datafactory-skeleton")
                os.write(made, engines.skeleton(root))
            return self._skeletons[id(root)]

    @asynccontextmanager
    async def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AsyncIterator[Box]:
        """A fresh box. Raises SandboxError."""
        cage = None if self._spec.limiting == "watch" else limits.cage(self._limits, next(self._numbers))
        try:
            async with contextlib.AsyncExitStack() as stack:
                if cage:
                    stack.push_async_callback(cage.remove)
                elif self._spec.limiting == "groups":
                    raise SandboxError("limiting: groups, but no control group can be made here")
                # Nothing but a control group counts the processes of root's; the kernel counts those of any other user.
                # Bubblewrap binds the machine's devices writably: a box of root's could change their modes.
                ordinary = os.geteuid() == 0 and (cage is None or self._engine == "bubblewrap")
                root = await asyncio.to_thread(self._root, image, ordinary=ordinary)
                self._layers.opened(image)
                skeleton, environment = self._skeleton(root), {**ENVIRONMENT, "PATH": root.path}
                line = self._command(root, skeleton, caged=cage is not None, ordinary=ordinary)
                doors = cage.doors if cage else []
                keep = [skeleton] if self._engine == "unshare" else []
                started: list[ProcessLink] = []

                async def connect() -> Link:
                    if started:
                        raise EOFError("its first process has ended")
                    argv = ["bash", "--noprofile", "--norc", "-c", _ENTER, "enter", *doors, "--", *line]
                    link = await ProcessLink.open(argv, environment=environment, keep=keep, cwd=root.start)
                    started.append(link)
                    return link

                def crowded() -> bool:
                    return cage.crowded(self._spec.pids) if cage else limits.crowded(started[0].pid, self._spec.pids)

                shell = Shell(connect, workdir=workdir, output_limit=self._spec.output, crowded=crowded)
                stack.push_async_callback(shell.close)
                box = ShellBox(shell)
                await self._open(box, shell, files, workdir, started)
                if cage is None:
                    watching = asyncio.create_task(limits.watch(started[0].pid, self._limits))
                    stack.callback(watching.cancel)
                await errands.prepare(box, prepare)
                yield box
        except OSError as error:
            raise SandboxError(f"a box would not open: {error}") from error

    async def _open(self, box: ShellBox, shell: Shell, files: Files, workdir: str, started: list[ProcessLink]) -> None:
        try:
            await shell.open()
            await box.place(files, workdir)
        except SandboxError as error:
            said = started[0].last_words() if started else ""
            raise SandboxError(f"a box would not open: {said or error}") from error

    def _command(self, root: Root, skeleton: int, *, caged: bool, ordinary: bool) -> list[str]:
        processes = None if caged else self._spec.pids
        line = _AS_NOBODY if ordinary else []
        if self._engine == "bubblewrap":
            return line + engines.bubblewrap(root, self._disk, processes=processes, network=self._spec.network)
        return line + engines.unshare(root, skeleton, self._disk, processes=processes, network=self._spec.network)
