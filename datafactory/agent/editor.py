"""The editor of the `openhands` dialect: shows and changes files of a box, and takes changes back."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from datafactory.agent.clip import clip
from datafactory.agent.editor_text import SHOWN, Edit, EditorError, around, inserted, lines_of, numbered, replaced
from datafactory.agent.prompting import prompt
from datafactory.errors import SandboxError
from datafactory.protocols import Box, ExecResult

ERROR = "ERROR: "
"""What the answer to a command begins with where nothing was shown or changed: what filters count."""
LARGEST = 10 << 20
"""Bytes of a file that the editor takes."""
KEPT = 50
"""Edits of one file that can be taken back."""
_PATIENCE = 30.0
_KERNEL = ("dev", "proc", "sys")
_NAME, _PATH = 255, 4095
"""Bytes that Linux allows a name, and a path."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What lies at a path, links followed."""

    path: str
    kind: str = ""
    """`f`: a file, `d`: a folder, empty: nothing, others as find has them."""
    mode: int = 0o644
    size: int = 0
    writable: bool = True
    """For the user that the agent is; where nothing is there, whether something may be made."""
    blocked: str = ""
    """What stands where a folder would have to be."""


@dataclass(frozen=True, slots=True)
class _Done:
    """An edit that can be taken back."""

    before: bytes | None
    """None: there was no file."""
    left: bytes
    """Digest of what it left."""


class Editor:
    """Edits files of one box, for one attempt."""

    def __init__(self, box: Box, workdir: str) -> None:
        self._box = box
        self._workdir = workdir
        self._history: dict[str, list[_Done]] = {}

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """What the agent reads after a call with `arguments`, which fit the tool's schema. What cannot be done is an
        answer that begins with ERROR. Raises SandboxError where the box is broken."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            _check(given)
            place = await self._look(given["path"])
            match given["command"]:
                case "view":
                    return await self._view(place, given.get("view_range"))
                case "create":
                    return await self._create(place, _needed(given, "file_text"))
                case "str_replace":
                    text = await self._text(place)
                    return await self._edit(
                        place, text, replaced(text, _needed(given, "old_str"), given.get("new_str", ""))
                    )
                case "insert":
                    text = await self._text(place)
                    return await self._edit(
                        place, text, inserted(text, _needed(given, "insert_line"), _needed(given, "new_str"))
                    )
                case _:
                    return await self._undo(place)
        except EditorError as error:
            return f"{ERROR}{error}"

    async def _view(self, place: _Place, span: list[int] | None) -> str:
        if place.kind == "d":
            if span is not None:
                raise EditorError(f"`view_range` is for files; {place.path} is a folder")
            return await self._folder(place.path)
        lines = lines_of((await self._text(place)).removeprefix("\ufeff"))
        first, asked = _span(span, len(lines)) if span is not None else (1, len(lines))
        last = min(asked, len(lines))
        shown = numbered(lines, first, last)
        return prompt("openhands_view", path=place.path, count=len(lines), last=last, asked=asked, shown=shown)

    async def _folder(self, path: str) -> str:
        hidden = ("-name", ".*", "-prune", "-printf", r"h\0")
        seen = await self._find(path, "-mindepth", "1", "-maxdepth", "2", *hidden, "-o", "-printf", r"%y%P\0")
        entries = seen.stdout.decode(errors="replace").split("\0")[:-1]
        shown = sorted(f"{entry[1:]}/" if entry[0] == "d" else entry[1:] for entry in entries if entry != "h")
        return prompt(
            "openhands_folder",
            path=path,
            shown=clip("\n".join(shown), SHOWN, missing=seen.dropped),
            hidden=entries.count("h"),
            unread=seen.exit_code != 0,
        )

    async def _create(self, place: _Place, text: str) -> str:
        if place.kind:
            raise EditorError(f"{place.path} is there already; `create` only makes new files, `str_replace` edits")
        await self._write(place, text, None)
        return prompt("openhands_created", path=place.path, count=len(lines_of(text)))

    async def _edit(self, place: _Place, text: str, edit: Edit) -> str:
        await self._write(place, edit.text, text.encode())
        return prompt("openhands_edited", path=place.path, shown=around(edit))

    async def _undo(self, place: _Place) -> str:
        done = self._history.get(place.path)
        if not done:
            raise EditorError(f"there is no edit of {place.path} to take back")
        now = await self._box.read(place.path) if place.kind == "f" else None
        if now is None or sha256(now).digest() != done[-1].left:
            raise EditorError(
                f"{place.path} was changed since by something else, so its last edit cannot be taken back"
            )
        before = done[-1].before
        if before is None:
            await self._remove(place.path)
        else:
            await self._put(place, before)
        done.pop()
        text = (before or b"").decode().removeprefix("\ufeff")
        shown = numbered(lines_of(text), 1, len(lines_of(text)))
        return prompt("openhands_undone", path=place.path, gone=before is None, shown=shown)

    async def _text(self, place: _Place) -> str:
        if place.kind == "":
            raise EditorError(f"there is no file {place.path}")
        if place.kind != "f":
            raise EditorError(f"{place.path} is {'a folder' if place.kind == 'd' else 'no regular file'}")
        if place.size > LARGEST:
            raise EditorError(f"{place.path} has {place.size} bytes; the editor takes {LARGEST} at most")
        data = await self._box.read(place.path)
        if data is None:
            raise EditorError(f"{place.path} cannot be read")
        if b"\0" in data:
            raise EditorError(f"{place.path} is a binary file")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise EditorError(f"{place.path} is not UTF-8: byte {error.start} cannot be read") from error

    async def _write(self, place: _Place, text: str, before: bytes | None) -> None:
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise EditorError("the text holds half a character (a lone surrogate), which no file can") from error
        await self._put(place, data)
        done = self._history.setdefault(place.path, [])
        done.append(_Done(before, sha256(data).digest()))
        del done[:-KEPT]

    async def _put(self, place: _Place, data: bytes) -> None:
        if place.blocked:
            raise EditorError(f"{place.path} cannot be made: {place.blocked} is no folder")
        if not place.writable or place.path.split("/")[1] in _KERNEL:
            raise EditorError(f"{place.path} may not be written")
        try:
            await self._box.write(place.path, data, mode=place.mode)
        except SandboxError as error:
            if not error.final:  # a box that still answers only would not take this file: its disk is full, perhaps
                await self._box.exec(["true"], timeout=_PATIENCE)
            raise EditorError(f"{place.path} was not written: {error}") from error

    async def _remove(self, path: str) -> None:
        result = await self._box.exec(["rm", "--", path], timeout=_PATIENCE)
        if result.exit_code != 0:
            raise EditorError(f"{path} was not removed: {clip(result.output.strip(), 400)}")

    async def _look(self, path: str) -> _Place:
        if not path.startswith("/"):
            whole = posixpath.normpath(posixpath.join(self._workdir, path))
            raise EditorError(f"`path` must be absolute, from /; in the task's folder this one would be {whole}")
        if len(path.encode()) > _PATH or any(len(name.encode()) > _NAME for name in path.split("/")):
            raise EditorError("`path` is longer than Linux allows")
        found = await self._box.exec(["realpath", "-mz", path], timeout=_PATIENCE)
        real = found.stdout.rstrip(b"\0").decode(errors="replace")
        if found.exit_code != 0 or not real.startswith("/"):
            raise EditorError(f"{path} cannot be looked at: {clip(found.output.strip(), 400)}")
        return await self._place(real)

    async def _place(self, path: str) -> _Place:
        """One look at a path and all the folders above it: the nearest says whether a file can be made."""
        above = [path]
        while above[-1] != "/":
            above.append(posixpath.dirname(above[-1]))
        may = ("(", "-writable", "-printf", r"w\0", "-o", "-printf", r"r\0", ")")
        seen = await self._find(*above, "-maxdepth", "0", "-printf", r"%p\0%y %m %s ", *may)
        parts = seen.stdout.decode(errors="replace").split("\0")
        if len(parts) < 3:
            raise EditorError(f"{path} cannot be looked at: {clip(seen.output.strip(), 400)}")
        there, (kind, mode, size, can) = parts[0], parts[1].split(" ")
        if there == path:
            return _Place(path, kind, int(mode, 8), int(size), can == "w")
        return _Place(path, writable=can == "w", blocked="" if kind == "d" else there)

    async def _find(self, *words: str) -> ExecResult:
        return await self._box.exec(["find", *words], timeout=_PATIENCE)


def _check(given: Mapping[str, Any]) -> None:
    for name in ("path", "old_str", "new_str", "file_text"):
        text = given.get(name, "")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise EditorError(f"`{name}` holds half a character (a lone surrogate), which no file can")
        if "\0" in text:
            raise EditorError(f"`{name}` holds a NUL character, which no text file does")


def _needed(given: Mapping[str, Any], name: str) -> Any:
    if name not in given:
        raise EditorError(f"`{given['command']}` needs `{name}`")
    return given[name]


def _span(span: list[int], count: int) -> tuple[int, int]:
    if len(span) != 2:
        raise EditorError("`view_range` must be two line numbers, first and last")
    first, last = span
    if count == 0:
        raise EditorError("`view_range` names lines, but the file is empty")
    if not 1 <= first <= count:
        raise EditorError(f"`view_range` begins with {first}, but the file's lines are 1 to {count}")
    if last == -1:
        return first, count
    if last < first:
        raise EditorError(f"`view_range` ends with {last}, before its beginning {first}; -1 means the last line")
    return first, last
