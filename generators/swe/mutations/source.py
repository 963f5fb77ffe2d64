"""Python files as they lie on disk: bytes that become text and come back the same, or a clear reason why not."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from datafactory.errors import DataError

LARGEST = 1 << 20
"""Bytes. The largest module of the standard library has 0.3 MB; beyond a megabyte files are tables, not code."""
DEEPEST = 150
"""Levels of the syntax tree. Hand-written code has up to about 30; libcst's own recursion takes several frames a level,
and its parser has been seen to end the process on expressions of many thousand terms."""

Reason = Literal["too_large", "encoding", "syntax", "too_deep", "round_trip"]
"""Why a file is left alone. `syntax`: this Python cannot compile it, or libcst cannot parse it (Python 2, a newer
Python, templates); `round_trip`: libcst would not give back the same text (lone carriage returns as newlines, form
feeds inside an indentation)."""


class Unreadable(DataError):
    """A file in which no sites can be looked for; `reason` is one word, the message says more."""

    def __init__(self, path: str, reason: Reason, detail: str) -> None:
        super().__init__(f"{path}: {reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Source:
    """One file whose text is known to encode back to its bytes."""

    path: str
    data: bytes
    text: str
    """Decoded by the file's own coding cookie, newlines as they are, without a byte order mark."""
    encoding: str
    marked: bool
    """Whether the file starts with a UTF-8 byte order mark."""

    def encoded(self, text: str) -> bytes:
        """`text` as bytes of this file's kind."""
        return (codecs.BOM_UTF8 if self.marked else b"") + text.encode(self.encoding)


def read(path: str, data: bytes) -> Source:
    """The file at `path` (relative, with ``/``) with content `data`, which this Python compiles. Raises Unreadable."""
    if len(data) > LARGEST:
        raise Unreadable(path, "too_large", f"{len(data)} bytes, more than {LARGEST}")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        marked = data.startswith(codecs.BOM_UTF8)
        encoding = "utf-8" if marked else encoding
        source = Source(path, data, data[3 * marked :].decode(encoding), encoding, marked)
        same = source.encoded(source.text) == data
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise Unreadable(path, "encoding", str(error)) from error
    if not same:
        raise Unreadable(path, "encoding", f"as {encoding} it does not encode back to the same bytes")
    if _depth(syntax(path, data)) > DEEPEST:
        raise Unreadable(path, "too_deep", f"its syntax tree has more than {DEEPEST} levels")
    return source


@lru_cache(maxsize=16)
def syntax(path: str, data: bytes | str) -> ast.Module:
    """The syntax tree of code that compiles; warnings of the compiler are not shown. Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, path)
            compile(tree, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        raise Unreadable(path, "syntax", line + str(getattr(error, "msg", error))) from error
    except (RecursionError, MemoryError) as error:
        raise Unreadable(path, "too_deep", str(error) or "the parser's stack is full") from error
    return tree


def _depth(tree: ast.AST) -> int:
    """Levels of the tree, counted without recursion; counting ends past DEEPEST."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level and depth <= DEEPEST:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth
