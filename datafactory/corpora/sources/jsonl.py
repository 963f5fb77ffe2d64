"""Pages from JSON Lines: one object a line, plain or compressed with gzip."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, ClassVar, cast

import orjson
from pydantic import Field

from datafactory.corpora.sources.rows import RowSpec
from datafactory.corpora.spec import Item, Unread
from datafactory.errors import DataError

_LONGEST = 64 << 20
"""Bytes of a line that is still read: a page of a book's length is a hundredth of it."""
_ENDINGS = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")


class Jsonl(RowSpec):
    """JSON Lines, as ASearcher's corpora are: `{"url": ..., "title": ..., "contents": ..., "links": [...]}` a line."""

    use_name: ClassVar[str] = "jsonl"
    place_key: ClassVar[str] = "files"

    files: tuple[Path, ...] = Field(min_length=1)
    """The files, or folders of files (`.jsonl`, `.ndjson`, `.json`, also with `.gz`)."""

    def problems(self) -> Iterable[str]:
        """Files that are not there."""
        for path in self.files:
            if not path.exists():
                yield f"files: {path} does not exist"
            elif path.is_dir() and not _within(path):
                yield f"files: no {', '.join(_ENDINGS)} in {path}"

    def inputs(self) -> Iterable[Path]:
        """The files, those of a folder by name."""
        for path in self.files:
            yield from _within(path) if path.is_dir() else (path,)

    def origin(self) -> str:
        """The first file's name."""
        return self.files[0].name.partition(".")[0]

    def pages(self) -> Iterator[Item]:
        """A page, or why there is none, for each line that is not blank."""
        for path in self.inputs():
            try:
                with _opened(path) as file:
                    yield from self._lines(path, file)
            except (OSError, EOFError, zlib.error) as error:
                raise DataError(f"{path}: cannot be read ({error})") from error

    def _lines(self, path: Path, file: IO[bytes]) -> Iterator[Item]:
        number = 0
        while data := file.readline(_LONGEST):
            number += 1
            place = f"{path}:{number}"
            if len(data) == _LONGEST and not data.endswith(b"\n"):
                while data and not data.endswith(b"\n"):
                    data = file.readline(_LONGEST)
                yield Unread(place, "too_long", f"more than {_LONGEST:,} bytes")
                continue
            if data.isspace():
                continue
            try:
                row = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
            except orjson.JSONDecodeError:
                row, wrong = _again(data)
                if wrong:
                    yield Unread(place, wrong, repr(data[:80])[1:])
                    continue
            yield self.page(row, place)


def _again(data: bytes) -> tuple[object, str]:
    """What orjson refuses and JSON allows (half surrogate pairs, NaN), read; else what is wrong with it."""
    try:
        return json.loads(data.decode("utf-8-sig")), ""
    except UnicodeDecodeError:
        return None, "not_utf8"
    except (ValueError, RecursionError):
        return None, "not_json"


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _within(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.endswith(_ENDINGS) and path.is_file())
