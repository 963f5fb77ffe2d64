"""Files into and out of a box, as tar through a bash in it: nothing of a box is ever unpacked on this machine."""

from __future__ import annotations

import asyncio
import io
import secrets
import tarfile
import time
from collections.abc import Sequence
from pathlib import PurePosixPath

from datafactory.errors import SandboxError
from datafactory.types import File, Files
from sandboxes.capture import Mark, Stream
from sandboxes.link import Link
from sandboxes.shell import quote

PATIENCE = 60.0
"""Seconds for one journey; past that the box counts as broken."""
READ_LIMIT = 64 << 20
"""Bytes of the largest file that `read` brings; a larger one counts as absent, as no check can want it."""
MOST = 20_000
"""Files of one pull: an attempt that leaves more has left a mess, and the box is not broken for it."""
_LISTING_LIMIT = 16 << 20
_ABSENT = 44
_FULL = b"Resource temporarily unavailable"

# Only lines that begin with the token are obeyed: after a journey that broke off, the rest of its cargo is not.
# A bash that cannot fork exits, and this one is process 1: so where the box is more than half full, all others stand
# still for the journey, and where it is full they are killed first.
_LOOP = rb"""trap : HUP INT QUIT TERM PIPE ALRM USR1 USR2
exec 9<> <(:)
free() {
  local now max folder
  for folder in /sys/fs/cgroup/pids /sys/fs/cgroup; do
    { read -r now <$folder/pids.current && read -r max <$folder/pids.max; } 2>/dev/null || continue
    [[ $max == max ]] || (( max - now >= $1 * max / 256 )); return
  done
}
room() {
  local i
  free 128 && return
  kill -STOP -1; still=1
  for i in {1..300}; do free 32 && return; kill -9 -1; read -r -t 0.01 -u 9; done
}
on() { [[ $still ]] && kill -CONT -1; still=; }
while IFS= read -r line; do [[ $line == %(token)s:* ]] && eval "${line#*:}"; done
"""
_MARK = b"printf '\\000%s-%s %%d\\000' $s; printf '\\000%s-%s\\000' >&2"
_UNPACK = b"tar -x -p -f - -C / %s --no-overwrite-dir --keep-directory-symlink"
_PACK = (
    b"tar -c -f - -C / --null --verbatim-files-from --no-recursion --hard-dereference --ignore-failed-read -T -"
    b" 2>/dev/null"
)
_LIST = b'xargs -0 -r sh -c \'find "$@" %s -printf "%%y\\t%%s\\t%%p\\0" 2>/dev/null\' sh'


class Courier:
    """Works for one box, through a ``bash --noprofile --norc`` of root's in it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._owner: tuple[int, int] | None = None
        self._token = secrets.token_hex(8)
        self._streams = {fd: Stream(self._token) for fd in (1, 2)}
        self._lock = asyncio.Lock()

    async def greet(self, user: str = "root") -> None:
        """Make ready; `user` (a name or number) is whom placed files belong to. Raises SandboxError where the image
        lacks what it takes, or the user."""
        await self._send(_LOOP % {b"token": self._token.encode()})
        status, _, errors = await self._ask(b"type -p tar head cat find xargs >/dev/null")
        if status != 0:
            raise SandboxError(f"the image lacks tar, coreutils or findutils, which a box needs {_text(errors)}")
        if user != "root":
            self._owner = await self._numbers(user)

    async def make_folder(self, path: str) -> None:
        """Make `path` and the folders above it; it belongs to the owner of placed files even if it was there."""
        script = b"mkdir -p -- %s" % quote(path)
        if self._owner:
            script += b" && chown %d:%d -- %s" % (*self._owner, quote(path))
        status, _, errors = await self._ask(script)
        if status != 0:
            raise SandboxError(f"folder {path!r} could not be made in the box: {_text(errors)}")

    async def put(self, files: Files) -> None:
        """Make or replace `files`, with the folders above them; modes and links kept."""
        if not files:
            return
        if wrong := next((path for path in files if "\0" in path), None):
            raise SandboxError(f"{wrong!r} is no path: it has a NUL byte")
        how = b"--same-owner" if self._owner else b"--no-same-owner"
        status, _, errors = await self._ask(_UNPACK % how, cargo=pack(files, self._owner or (0, 0)))
        if status != 0:
            raise SandboxError(f"files could not be placed in the box ({status}): {_text(errors)}")

    async def read(self, path: str) -> bytes | None:
        """The content of the regular file at `path`, links followed; None: there is none, it cannot be read, or it
        is larger than READ_LIMIT."""
        if "\0" in path:
            return None
        at = quote(path)
        status, data, _ = await self._ask(
            b"( [[ -f %s ]] || exit %d; timeout 30 head -c %d -- %s )" % (at, _ABSENT, READ_LIMIT + 1, at)
        )
        return data if status == 0 and len(data) <= READ_LIMIT else None

    async def take(self, paths: Sequence[str], *, limit: int) -> tuple[Files, str]:
        """See `Box.pull`."""
        found: list[tuple[str, int, bytes]] = []
        notes: list[str] = []
        there = [path for path in paths if "\0" not in path]
        for alone, wanted in (
            (True, [path for path in there if not path.endswith("/")]),
            (False, [path.rstrip("/") or "/" for path in there if path.endswith("/")]),  # a link there is not followed
        ):
            listing = await self._list(b"-maxdepth 0" if alone else b"-mindepth 1", wanted)
            if len(listing) >= _LISTING_LIMIT:
                notes.append("the list of files was cut: there are too many")
            entries = [entry.split(b"\t", 2) for entry in listing.split(b"\0")[:-1]]
            found += [(kind.decode(), int(size), name) for kind, size, name in entries]
            notes += [f"{_text(name)}: a folder" for kind, _, name in entries if alone and kind == b"d"]
        chosen, left_out = choose([entry for entry in dict.fromkeys(found) if entry[0] != "d"], limit)
        taken = await self._fetch(chosen, limit)
        lost = [f"{name}: could not be read" for name in chosen if name not in taken]
        return taken, "; ".join((notes + left_out + lost)[:20])

    async def kill_all(self) -> None:
        """Kill every process of the box but the courier's own, which is process 1."""
        await self._ask(b"kill -9 -1")

    async def make_room(self) -> None:
        """Kill every process of the box where they leave no room for one more, as each journey does before it."""
        await self._ask(b":")

    async def _numbers(self, user: str) -> tuple[int, int]:
        name, _, group = user.partition(":")
        if name.isdigit():
            return int(name), int(group) if group.isdigit() else int(name)
        status, said, _ = await self._ask(b"id -u -- %s && id -g -- %s" % (quote(name), quote(name)))
        if status != 0:
            raise SandboxError(f"the image has no user {name!r}")
        uid, gid = said.split()
        return int(uid), int(gid)

    async def _list(self, depth: bytes, paths: Sequence[str]) -> bytes:
        if not paths:
            return b""
        script = b"%s | head -c %d" % (_LIST % depth, _LISTING_LIMIT)
        _, listing, _ = await self._ask(script, cargo=b"".join(_bytes(path) + b"\0" for path in paths))
        return listing

    async def _fetch(self, names: Sequence[str], limit: int) -> Files:
        if not names:
            return {}
        roof = limit + 4096 * (len(names) + 8)
        cargo = b"".join(_bytes(name).lstrip(b"/") + b"\0" for name in names)
        _, archive, _ = await self._ask(b"%s | head -c %d" % (_PACK, roof), cargo=cargo)
        return unpack(archive)

    async def _ask(self, script: bytes, *, cargo: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run `script` with `cargo` on its standard input: exit status, output, errors. Where the caller is cancelled,
        the journey still goes to its end: one that broke off would leave the rest of its cargo on the link."""
        journey = asyncio.ensure_future(self._travel(script, cargo))
        journey.add_done_callback(lambda done: done.cancelled() or done.exception())  # heard, also where nobody waits
        return await asyncio.shield(journey)

    async def _travel(self, script: bytes, cargo: bytes) -> tuple[int, bytes, bytes]:
        async with self._lock:
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await self._journey(script, cargo)
                    if answer[0] != 0 and _FULL in answer[2]:
                        # Processes filled the box after it was looked at.
                        await self._journey(b"kill -9 -1", b"")
                        answer = await self._journey(script, cargo)
                    return answer
            except TimeoutError as error:
                raise SandboxError(f"the box did not move files within {PATIENCE:.0f} s") from error
            except EOFError as error:
                raise SandboxError("the box is gone") from error

    async def _journey(self, script: bytes, cargo: bytes) -> tuple[int, bytes, bytes]:
        nonce, token = secrets.token_hex(8).encode(), self._token.encode()
        mark = _MARK % (token, nonce, token, nonce)
        if cargo:
            # What `script` leaves unread is drained, else it would be taken for lines.
            script = b"printf '\\000%s-%s.go\\000'; head -c %d | { %s; s=$?; cat >/dev/null; (exit $s); }" % (
                token,
                nonce,
                len(cargo),
                script,
            )
        await self._link.send(b"\n%s:room; %s; s=$?; on; %s\n" % (token, script, mark))
        gathered = {1: bytearray(), 2: bytearray()}
        waiting, status = {1, 2}, 0
        sending: list[asyncio.Task[None]] = []
        try:
            while waiting:
                fd, chunk = await self._link.receive()
                for piece in self._streams[fd].feed(chunk):
                    if not isinstance(piece, Mark):
                        gathered[fd] += piece
                    elif piece.name == f"{nonce.decode()}.go":
                        gathered[fd].clear()
                        # Beside the reading: who answers before all is sent would wait for a reader.
                        sending.append(asyncio.create_task(self._link.send(cargo)))
                    elif piece.name == nonce.decode():
                        waiting.discard(fd)
                        status = piece.status if fd == 1 else status
            await asyncio.gather(*sending)
        finally:
            for task in sending:
                task.cancel()
        return status, bytes(gathered[1]), bytes(gathered[2])

    async def _send(self, data: bytes) -> None:
        try:
            await self._link.send(data)
        except EOFError as error:
            raise SandboxError("the box is gone") from error


def pack(files: Files, owner: tuple[int, int]) -> bytes:
    """A tar of `files`, with every folder above them."""
    buffer = io.BytesIO()
    above = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in sorted(above - {"/", "."}):
            entry = _entry(folder, 0o755, owner)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for path, file in files.items():
            entry = _entry(path, file.mode, owner)
            if file.link is not None:
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, file.link, 0o777
                archive.addfile(entry)
            else:
                entry.size = len(file.data)
                archive.addfile(entry, io.BytesIO(file.data))
    return buffer.getvalue()


def _entry(path: str, mode: int, owner: tuple[int, int]) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.mode, entry.mtime = mode & 0o7777, int(time.time())
    entry.uid, entry.gid = owner
    return entry


def unpack(archive: bytes) -> Files:
    """The regular files and links in a tar, in memory; what follows a break in it is left out."""
    taken: Files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:", errors="surrogateescape") as members:
            for member in members:
                if member.issym() and member.linkname.isprintable():
                    taken[f"/{member.name}"] = File(link=member.linkname)
                elif member.isreg() and (content := members.extractfile(member)) is not None:
                    data = content.read()
                    if len(data) == member.size:
                        taken[f"/{member.name}"] = File(data=data, mode=member.mode & 0o7777)
    except (tarfile.TarError, EOFError):
        return taken
    return taken


def choose(found: Sequence[tuple[str, int, bytes]], limit: int) -> tuple[list[str], list[str]]:
    """Of entries (kind as in find's %y, bytes, name): names to bring, in order, within `limit` bytes; and why not
    the others."""
    chosen, left_out, room = list[str](), list[str](), limit
    for kind, size, raw in found:
        if len(chosen) == MOST:
            left_out.append(f"{_text(raw)} and all after it: more than {MOST:,} files")
            break
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            left_out.append(f"{_text(raw)}: its name is not UTF-8")
            continue
        if kind not in "fl":
            left_out.append(f"{name}: not a regular file")
        elif kind == "f" and size > room:
            left_out.append(f"{name}: {size} bytes are more than the {room} left of the limit")
        else:
            room -= size if kind == "f" else 0
            chosen.append(name)
    return chosen, left_out


def _bytes(path: str) -> bytes:
    return path.encode(errors="surrogateescape")


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").strip()
