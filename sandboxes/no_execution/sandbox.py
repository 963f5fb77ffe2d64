"""The `no_execution` sandbox: boxes of another sandbox, in which an agent may read and edit but execute nothing."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from shlex import quote
from typing import Annotated, ClassVar

from datafactory.errors import SandboxError, boundary
from datafactory.protocols import Box, ExecResult, Sandbox, SandboxHost
from datafactory.spec import Component, Spec
from datafactory.types import Files, Violation
from sandboxes.no_execution import paths, stripping
from sandboxes.no_execution.policy import refusal
from sandboxes.no_execution.stripping import Bare, Look

REFUSED = 126
"""Exit status of a command that was not run, as of one that bash finds and cannot execute."""
MARK = "not run: "
"""What the answer to such a command begins with, on standard error."""

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.pager": "cat",
    "diff.ignoreSubmodules": "all",
    "status.submoduleSummary": "false",
    "log.showSignature": "false",
}
"""Settings of git that would run something, or look into a repository with settings of its own."""


class WriteRefused(SandboxError):
    """A file may not be written there: the attempt's fault, for whoever carries out its edits to tell it."""

    final = True


class NoExecutionSandbox(Spec):
    """Boxes of the sandbox `inside`, where nothing can be executed but programs that read and edit files.

    Twice: each line is parsed and refused unless all of it is known to be harmless, and the box holds no other
    programs. For agents that send lines (`agent: tools` or `openhands`), not keys: a terminal cannot be started in
    such a box."""

    use_name: ClassVar[str] = "no_execution"

    name: str = "no_execution"
    """How rows call it."""
    inside: Annotated[Sandbox, Component("sandbox")]
    """What makes the boxes: `docker`, `namespace`, or one of them with its keys."""
    strip: bool = True
    """Whether all other programs are taken out of the box; where they cannot be, it does not open. False: only the
    policy on lines stands."""

    def start(self) -> AbstractAsyncContextManager[NoExecutionHost]:
        """See `Sandbox.start`."""
        return self._start()

    @asynccontextmanager
    async def _start(self) -> AsyncIterator[NoExecutionHost]:
        async with self.inside.start() as host:
            yield NoExecutionHost(host, strip=self.strip)


class NoExecutionHost:
    """A sandbox that is up."""

    def __init__(self, inside: SandboxHost, *, strip: bool) -> None:
        self._inside, self._strip = inside, strip
        self._found: dict[tuple[str, str], Look] = {}

    def image_digest(self, image: str) -> str:
        """Of the sandbox inside."""
        return self._inside.image_digest(image)

    @asynccontextmanager
    async def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AsyncIterator[NoExecutionBox]:
        """See `SandboxHost.open`. What an image holds is looked up with its first box. Raises SandboxError, also
        where the programs cannot be taken out of a box."""
        async with self._inside.open(image, files, workdir=workdir, prepare=prepare) as box:
            bare = Bare()
            if self._strip:
                with boundary(SandboxError, "taking programs out of a box"):
                    bare = await self._bare(box, image, files, posixpath.normpath(workdir))
            yield NoExecutionBox(box, bare)

    async def _bare(self, box: Box, image: str, files: Files, workdir: str) -> Bare:
        if workdir == "/":
            raise SandboxError("a box without programs needs a workdir of its own, not /")
        key = (image, workdir)
        if key not in self._found:
            self._found[key] = await stripping.look(box, workdir)
        return await stripping.strip(box, workdir, self._found[key], placed=files.keys())


class NoExecutionBox:
    """A box of the sandbox inside, with a policy before its shell."""

    def __init__(self, inside: Box, bare: Bare) -> None:
        self.inside = inside
        """The box without the policy, for the factory's own work."""
        self.violations: list[Violation] = []
        """What was refused so far, in order."""
        self._prelude = _prelude(bare)

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        """See `Box.exec`. What the policy refuses does not run: exit status 126, and why on standard error."""
        reason = refusal(command)
        if reason is not None:
            said = command if isinstance(command, str) else " ".join(map(quote, command))
            self.violations.append(Violation(command=said, reason=reason))
            return ExecResult(REFUSED, b"", f"{MARK}{reason}\n".encode(errors="replace"))
        if isinstance(command, str):
            line = f"{self._prelude}{command}" if "git" in command else command
            return await self.inside.exec(line, timeout=timeout)
        if command[:1] == ["git"]:
            command = ["bash", "-c", f'{self._prelude}"$@"', "bash", *command]
        return await self.inside.exec(command, timeout=timeout)

    async def read(self, path: str) -> bytes | None:
        """See `Box.read`."""
        return await self.inside.read(path)

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """See `Box.write`. Raises WriteRefused for the system's files and git's."""
        self._check(path)
        await self.inside.write(path, data, mode=mode)

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        """See `Box.pull`."""
        return await self.inside.pull(paths, limit=limit)

    async def push(self, files: Files) -> None:
        """See `Box.push`. Raises WriteRefused for the system's files and git's."""
        for path in files:
            self._check(path)
        await self.inside.push(files)

    def _check(self, path: str) -> None:
        if reason := paths.wrong(path):
            self.violations.append(Violation(command=path, reason=reason))
            raise WriteRefused(reason)


def _prelude(bare: Bare) -> str:
    """What is said before a line that may call git: it sees the workdir's repository and no other, whatever an agent
    makes that looks like one, and runs no hook. Sent each time, because a new shell may have come meanwhile."""
    given = {
        "GIT_DIR": bare.git or "/nonexistent",
        "GIT_WORK_TREE": bare.top or "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    }
    for number, (key, value) in enumerate(_SETTINGS.items()):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return "export " + " ".join(f"{name}={quote(value)}" for name, value in given.items()) + "; "
