"""A file's concrete syntax tree, with the place of every node in the text."""

from __future__ import annotations

from types import TracebackType
from typing import Any, cast

import libcst as cst
from libcst._nodes.internal import CodegenState

from generators.swe.mutations.site import NEWLINE
from generators.swe.mutations.source import Source, Unreadable

Span = tuple[int, int]


class _Span:
    """Notes where a node's own code begins and ends, its whitespace and parentheses left out."""

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(self, state: _Places, node: cst.CSTNode, first: cst.CSTNode | None, last: cst.CSTNode | None) -> None:
        self.state, self.node, self.start_node, self.end_node = state, node, first, last

    def __enter__(self) -> None:
        self.start = self.state.position

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        inner = self.state.inner
        start = self.start if self.start_node is None else inner[self.start_node][0]
        end = self.state.position if self.end_node is None else inner[self.end_node][1]
        inner[self.node] = (start, end)


class _Places(CodegenState):
    """Writes the code of a tree, and notes the places of nodes in characters as it goes."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.position = 0
        self.inner: dict[cst.CSTNode, Span] = {}
        self.outer: dict[cst.CSTNode, Span] = {}
        self._starts: list[int] = []

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        for token in self.indent_tokens:
            self.position += len(token)

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.position += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        span = (self._starts.pop(), self.position)
        self.outer[node] = span
        self.inner.setdefault(node, span)

    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Any:
        return _Span(self, node, start_node, end_node)


def _without_blank_end(text: str) -> str:
    """The text up to the end of its last line that is not blank: libcst forgets blanks in the lines behind it."""
    newline = NEWLINE.search(text, len(text.rstrip()))
    return text[: newline.end()] if newline else text


class Tree:
    """`module`, and for each node its span as (start, end) in characters.

    `inner`: the node's code alone; `outer`: with its own parentheses (expressions), or with the whitespace and
    comments that libcst hangs on it (everything else).
    """

    def __init__(self, source: Source) -> None:
        """Raises Unreadable where libcst cannot parse the file or would not give it back unchanged; RecursionError."""
        self.source, self.text = source, source.text
        try:
            code = _without_blank_end(source.text)
            self.module = cst.parse_module(code)
            places = _Places(self.module)
            cast(Any, self.module)._codegen(places)
        except cst.ParserSyntaxError as error:
            raise Unreadable(source.path, "syntax", f"libcst: {error.message}") from error
        if "".join(places.tokens) != code:
            raise Unreadable(source.path, "round_trip", "libcst does not give the same text back")
        self.inner, self.outer = places.inner, places.outer

    def code(self, node: cst.CSTNode) -> str:
        """The node as it is written, its own parentheses included for expressions."""
        start, end = (self.outer if isinstance(node, cst.BaseExpression) else self.inner)[node]
        return self.text[start:end]
