"""A box's bash as seen from outside: lines that share one shell, and programs that start fresh, over one byte link."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from datafactory.errors import SandboxError
from datafactory.protocols import ExecResult
from sandboxes.capture import Kept, Mark, Stream
from sandboxes.link import Link

OUTPUT_LIMIT = 1 << 20
"""Bytes kept of each stream: the first and the last half of it."""
OUTPUT_CAP = 64 << 20
"""Bytes that a command may print in all before it is killed."""
PATIENCE = 15.0
"""Seconds for a box to answer what takes it milliseconds; past that it counts as broken."""

PULSE = 0.5
"""Seconds of silence after which the keeper is asked whether the command is still there."""

_QUOTED = [rb"\x%02x" % byte for byte in range(256)]
for _byte in range(0x20, 0x7F):
    _QUOTED[_byte] = bytes([_byte])
_QUOTED[ord("'")], _QUOTED[ord("\\")], _QUOTED[ord("\n")] = rb"\'", rb"\\", rb"\n"


def quote(text: str | bytes) -> bytes:
    """`text` as one word of bash, in ASCII and on one line: ``$'...'``."""
    try:
        data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    except UnicodeEncodeError:
        data = str(text).encode(errors="surrogatepass")  # half a pair, as models write them in JSON
    return b"$'" + b"".join([_QUOTED[byte] for byte in data]) + b"'"


@cache
def _keeper() -> bytes:
    source = files("sandboxes").joinpath("keeper.sh").read_bytes()
    return b"".join(line + b"\n" for line in source.split(b"\n") if line and not line.startswith(b"#"))


class _GoneBefore(EOFError):
    """The link had ended before a command began, so that it may be given to the next link."""


class Shell:
    """Runs commands in one box, one at a time.

    A line runs in a bash that lives as long as the box: folder, variables, functions and background jobs stay.
    Where that bash ends (``exit``, ``set -e``, a timeout), the next line finds a new one in the same folder;
    background jobs stay, variables do not. A program starts from `workdir` with `environment`, in a process group
    of its own, whatever the lines did. Standard input is empty for both.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Link]],
        *,
        workdir: str = "/app",
        environment: Mapping[str, str] | None = None,
        output_limit: int = OUTPUT_LIMIT,
        output_cap: int = OUTPUT_CAP,
        own_processes: bool = True,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        """`connect` starts a ``bash --noprofile --norc`` in the box and may be called again when the last one is
        gone. `own_processes`: the box has a process namespace of its own, so that orphans in it are the box's.
        `crowded`: whether the box has hardly a process left to give; all that runs in it is then killed before the
        keeper needs one, because a bash that cannot fork exits."""
        self._connect = connect
        self._workdir = workdir
        self._environment = dict(environment or {})
        self._limit, self._cap = output_limit, output_cap
        self._own = own_processes
        self._crowded = crowded
        self._lock = asyncio.Lock()
        self._link: Link | None = None
        self._streams: dict[int, Stream] = {}
        self._folder = workdir
        self._status = 0
        self._token = ""
        self._left_running: bool | None = None
        """A command that was cancelled, and whether it was a line."""

    async def open(self) -> None:
        """Connect now rather than at the first command. Raises SandboxError."""
        async with self._lock:
            await self._ready()

    async def close(self) -> None:
        """Let go of the link; what runs in the box ends with the box."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def run(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        """Run a line (a string) or a program (a sequence); `timeout` in seconds. See `Box.exec`."""
        is_line = isinstance(command, str)
        words = [command] if isinstance(command, str) else list(command)
        if not words or any("\0" in word for word in words):
            return ExecResult(2, b"", b"bash: a command must have a word, and no NUL byte\n")
        async with self._lock:
            await self._ready()
            self._left_running = is_line
            result = await self._attend(words, is_line, timeout)
            self._left_running = None
            return result

    async def journey(self, script: bytes, cargo: bytes = b"", *, patience: float = 60.0) -> tuple[int, bytes, bytes]:
        """Run a script of the factory's own with `cargo` on its standard input: status, output, errors, uncut.
        Raises SandboxError where it takes longer than `patience` seconds."""
        nonce = secrets.token_hex(8)
        kept = {1: Kept(1 << 40), 2: Kept(self._limit)}
        async with self._lock:
            await self._ready()
            if self._crowded():
                await self._clear()
            try:
                async with asyncio.timeout(patience):
                    call = b"journey %s %d %s\n" % (nonce.encode(), len(cargo), quote(script)) + cargo
                    # Both at once: who answers before all is sent would wait for a reader.
                    mark, _ = await asyncio.gather(self._until(nonce, kept), self._send(call))
            except (TimeoutError, EOFError, asyncio.CancelledError) as error:
                await self._lose()  # it stopped in the middle: what is left of the cargo would be taken for calls
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise SandboxError(f"the box did not move files: {type(error).__name__}") from error
        return mark.status, kept[1].content(), kept[2].content()

    async def purge(self) -> None:
        """End everything in the box but the shell, which starts anew."""
        async with self._lock:
            await self._ready()
            await self._clear()

    async def _clear(self) -> None:
        await self._send(b"mark=0\n")
        await self._end(True, {1: Kept(0), 2: Kept(0)})

    async def _attend(self, words: list[str], is_line: bool, timeout: float) -> ExecResult:
        kept = {1: Kept(self._limit), 2: Kept(self._limit)}
        try:
            async with asyncio.timeout(timeout):
                for _ in range(3):
                    try:
                        status = await (self._line(words[0], kept) if is_line else self._program(words, kept))
                    except _GoneBefore:
                        await self._lose()
                        await self._ready()
                        continue
                    if status is not None:
                        break
                else:
                    raise SandboxError("the box's shell ends before it runs anything")
        except TimeoutError:
            await self._end(is_line, kept)
            return self._result(124, kept, timed_out=True)
        except (OverflowError, ProcessLookupError):
            await self._end(is_line, kept)
            return self._result(137, kept)
        except EOFError:
            await self._lose()
            await self._ready()
            return self._result(137, kept)
        if is_line:
            self._status = status
        return self._result(status, kept)

    def _result(self, status: int, kept: dict[int, Kept], *, timed_out: bool = False) -> ExecResult:
        out, err = kept[1].content(), kept[2].content()
        dropped = kept[1].seen + kept[2].seen - len(out) - len(err)
        return ExecResult(status, out, err, timed_out, dropped)

    async def _line(self, text: str, kept: dict[int, Kept]) -> int | None:
        """Run a line; None: the shell had ended before it began."""
        nonce = secrets.token_hex(8)
        name = f"{self._token}-{nonce}".encode()
        # With a backslash, it is no alias of the agent's.
        run = b"\\builtin eval -- %s </dev/null >&251 2>&252" % quote(text)
        if self._status:
            run = b"(\\builtin exit %d); %s" % (self._status, run)
        if any(opening in text for opening in ("$(", "`", "<(", ">(")):
            # Bash 5.2 frees twice after one that is never closed, and aborts a line later: let a child of its find out.
            check = b"(\\builtin eval -- %s) </dev/null >/dev/null 2>&1" % quote(f"set -n\n{text}")
            run = b"if %s; then %s; else (%s); fi" % (check, run, run)
        await self._begin(
            b"line %s\n\\builtin printf '\\000%s.begin\\000' >&251; \\builtin printf '\\000%s.begin\\000' >&252; "
            b"%s; "
            b'{ \\builtin printf \'\\000%s %%d %%s\\000\' "$?" "$PWD" >&251; '
            b"\\builtin printf '\\000%s\\000' >&252; } 2>/dev/null\n"
            % (quote(self._folder), name, name, run, name, name)
        )
        mark = await self._until(nonce, kept, command="line")
        if mark.name.endswith(".lost") or (mark.name == "exit" and self._crowded()):
            await self._clear()
        elif mark.name == "exit":
            await self._send(b"spawn %s\n" % quote(self._folder))
        if mark.name != nonce:
            return mark.status if mark.name == "exit" else None
        if mark.folder.startswith("/"):
            self._folder = mark.folder
        return mark.status

    async def _program(self, words: list[str], kept: dict[int, Kept]) -> int:
        if self._crowded():
            await self._clear()
        nonce = secrets.token_hex(8)
        argv = b" ".join(quote(word) for word in (self._workdir, *words))
        await self._begin(b"program %s %s\n" % (nonce.encode(), argv))
        mark = await self._until(nonce, kept, command="program")
        return mark.status

    async def _end(self, is_line: bool, kept: dict[int, Kept]) -> None:
        """End the running command and all that it started; what it printed till then still counts."""
        nonce = secrets.token_hex(8)
        try:
            async with asyncio.timeout(PATIENCE):
                again = b"spawn %s\n" % quote(self._folder) if is_line else b""
                await self._send(b"reap %d %d\n%ssay %s 0\n" % (is_line, self._own, again, nonce.encode()))
                await self._until(nonce, kept)
        except (TimeoutError, EOFError):
            await self._lose()
            await self._ready()

    async def _ready(self) -> None:
        """A link with a shell behind it, and nothing left of a command that was cancelled."""
        if self._link is not None and self._left_running is not None:
            await self._end(self._left_running, {1: Kept(0), 2: Kept(0)})
        self._left_running = None
        if self._link is not None:
            return
        self._token, nonce = secrets.token_hex(8), secrets.token_hex(8)
        self._streams = {1: Stream(self._token), 2: Stream(self._token)}
        try:
            async with asyncio.timeout(PATIENCE):
                self._link = await self._connect()
                exports = b"".join(b"export %s=%s\n" % (k.encode(), quote(v)) for k, v in self._environment.items())
                names = b"token=%s\n" % self._token.encode()
                await self._send(exports + _keeper() + names + b"say %s 0\n" % nonce.encode())
                await self._until(nonce, {1: Kept(0), 2: Kept(0)})
        except (OSError, EOFError) as error:  # TimeoutError is an OSError
            await self._lose()
            raise SandboxError(f"the box does not answer: {error or type(error).__name__}") from error

    async def _lose(self) -> None:
        self._status = 0
        await self.close()

    async def _send(self, data: bytes) -> None:
        if self._link is None:
            raise EOFError
        await self._link.send(data)

    async def _begin(self, data: bytes) -> None:
        try:
            await self._send(data)
        except EOFError as error:
            raise _GoneBefore from error

    async def _until(self, nonce: str, kept: dict[int, Kept], *, command: Literal["line", "program", ""] = "") -> Mark:
        """Keep what comes until `nonce`, or for a line that had begun the shell's end, was said on both streams.
        For the agent's commands only: raises OverflowError past the cap, and ProcessLookupError where nobody is left
        to say it (for a line that had not begun, that is returned)."""
        waiting, last, begun = {1, 2}, Mark(""), set[int]()
        while waiting:
            if self._link is None:
                raise EOFError
            try:
                async with asyncio.timeout(PULSE):
                    fd, chunk = await self._link.receive()
            except TimeoutError:
                if command:
                    await self._send(b"check %s\n" % nonce.encode())
                continue
            except EOFError as error:
                if command and not begun:
                    raise _GoneBefore from error
                raise
            for piece in self._streams[fd].feed(chunk):
                if isinstance(piece, bytes):
                    kept[fd].add(piece)
                elif piece.name == nonce or (piece.name == "exit" and fd in begun):
                    waiting.discard(fd)
                    last = piece if fd == 1 else last
                elif piece.name == f"{nonce}.begin":
                    begun.add(fd)
                elif piece.name == f"{nonce}.lost" and not last.name:
                    if begun or command == "program":
                        raise ProcessLookupError
                    return piece
            if command and kept[1].seen + kept[2].seen > self._cap:
                raise OverflowError
        return last
