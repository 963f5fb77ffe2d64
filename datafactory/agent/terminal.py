"""A terminal in a box: keys go in, and what a reader would see of the answer comes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from shlex import quote

from datafactory.agent.keys import LONGEST, Keys, script
from datafactory.agent.screen import Screen, View
from datafactory.errors import SandboxError
from datafactory.protocols import Box, ExecResult
from datafactory.types import File

_KEPT = 128 << 10
"""Bytes of raw output that are fetched from each end; far more than an observation shows."""
_SLACK = 30.0
"""Seconds that a call into the box may take beyond the waits in it."""

_HEADER = re.compile(rb"\d+ [01] [01] \d+")
_NEW_HOME = """(umask 077
for base in "${TMPDIR:-/tmp}" /tmp /var/tmp /dev/shm "$HOME"; do
  for ((n = 0; n < 100; n++)); do mkdir "$base/.terminal-$n" 2>/dev/null && echo "$base/.terminal-$n" && break 2; done
done; [ $n -lt 100 ])"""
_WHY = {
    3: "the terminal needs bash 5 in the image; found {said}",
    4: "the terminal needs `script` (package bsdutils or util-linux) or `tmux` in the image; it has neither",
    5: "the terminal's shell did not come up: {said}",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one turn at the terminal showed."""

    view: View
    missing: int = 0
    """Raw bytes that were skipped in the middle of `view.text`, before clipping."""
    stuck: bool = False
    """The terminal took no more keys and was replaced."""


class Terminal:
    """An interactive bash behind a pseudo-terminal, driven through `Box.exec` alone; one call per turn."""

    def __init__(self, box: Box, workdir: str, *, prefer: str = "") -> None:
        self._box = box
        self._workdir = workdir
        self._prefer = prefer
        self.home = ""
        """The folder in the box where the terminal's pipes lie; another one after each new start."""
        self._offset = 0
        self._prompted = True
        self._screen = Screen()

    async def start(self) -> View:
        """Bring the shell up and show the first prompt. Raises SandboxError."""
        view = await self._up()
        if isinstance(view, str):
            raise SandboxError(view)
        return view

    async def _up(self) -> View | str:
        """The first screen of a new shell; a string: why there is none."""
        if self.home:
            await self._box.exec(f"kill -KILL $(<{quote(self.home)}/pid)")
        made = await self._box.exec(_NEW_HOME)
        self.home = made.stdout.decode(errors="replace").strip()
        if made.exit_code != 0 or not self.home.startswith("/"):
            return f"the terminal found no folder that it may write to: {made.output.strip()[-500:]}"
        shell = files("datafactory.agent") / "shell"
        scripts = ("rc.sh", "start.sh", "drive.sh")
        await self._box.push({f"{self.home}/{name}": File(data=(shell / name).read_bytes()) for name in scripts})
        where = quote(self.home)
        line = f"bash {where}/start.sh {where} {quote(self._workdir)} {self._prefer}"
        result = await self._box.exec(line, timeout=_SLACK)
        if result.exit_code != 0:
            why = _WHY.get(result.exit_code, "the terminal did not start (exit {code}): {said}")
            return why.format(said=result.output.strip()[-500:], code=result.exit_code)
        self._screen, self._offset, self._prompted = Screen(), 0, True
        seen = await self._drive("", _SLACK)
        if seen is None:
            return "the terminal started, but its first screen could not be read"
        return View(seen.view.text, whole=True)

    async def type(self, commands: Sequence[Keys], *, longest: float = LONGEST, budget: float = 1e6) -> Seen:
        """Type each command and watch it, for `longest` seconds at most and all of them for `budget`; a shell that
        ended is replaced.

        Raises SandboxError where the box is broken."""
        waits = min(budget, sum(min(max(keys.seconds, 0.5), longest) + 1.0 for keys in commands))
        said = "\n".join(script(keys, longest) for keys in commands)
        seen = await self._drive(said, waits + _SLACK, budget)
        if seen is None:
            return Seen(await self._again(), stuck=True)
        return seen

    async def _again(self) -> View:
        """A new shell in the middle of an attempt. It came up before: that it no longer does is what the attempt did
        to the box, and for the agent to see."""
        view = await self._up()
        return View(f"[the terminal could not be started again: {view}]", whole=True) if isinstance(view, str) else view

    async def _drive(self, said: str, timeout: float, budget: float = _SLACK) -> Seen | None:
        """Run one turn in the box; None: the terminal cannot be reached any more."""
        where = quote(self.home)
        begin = f"begin {self._offset} {int(self._prompted)} {round(budget * 1e6)}"
        line = f"( . {where}/drive.sh {where}; {begin}\n{said}\nfinish {_KEPT} )"
        result = await self._box.exec(line, timeout=timeout)
        header, _, data = result.stdout.partition(b"\n")
        if result.exit_code != 0 or result.timed_out or not _HEADER.fullmatch(header):
            return None
        return await self._take(header, data, result)

    async def _take(self, header: bytes, data: bytes, result: ExecResult) -> Seen:
        size, prompted, alive, _ = (int(number) for number in header.split())
        missing = max(0, size - self._offset - len(data))
        self._offset, self._prompted = size, bool(prompted)
        if alive:
            return Seen(self._screen.feed(data), missing)
        ended = self._screen.feed(data)
        again = await self._again()
        text = f"{ended.text.rstrip()}\n[the shell has ended; a new one was started]\n{again.text}"
        return Seen(View(text.lstrip(), whole=ended.whole), missing)
