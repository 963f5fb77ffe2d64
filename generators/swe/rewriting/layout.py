"""Gives lines of Python another indentation, and leaves what is inside of strings as it is."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence

_OPENS = {kind for name in ("FSTRING_START", "TSTRING_START") if (kind := getattr(tokenize, name, None)) is not None}
_CLOSES = {kind for name in ("FSTRING_END", "TSTRING_END") if (kind := getattr(tokenize, name, None)) is not None}
"""Python 3.12 and 3.14 take such strings apart."""


def laid_out(
    lines: Sequence[str], first: int, last: int, margin: str, margins: tuple[str, str], kept: Sequence[str]
) -> list[str]:
    """Lines `first` to `last` (from 1) of `lines`, a block indented by `margin`, as a block of a definition.

    `margins`: the indentations of the definition and of its body. Where the block's own steps are of another kind
    (tabs, another width), they become steps of the definition's. Lines inside of strings move where that makes them
    lines of `kept`, the block before: then the whole text was moved. A block in its place comes back unchanged.
    """
    outer, inner = margins
    if margin == inner:
        return list(lines[first - 1 : last])
    begun, inside = _logical(lines)
    step = inner[len(outer) :] if inner.startswith(outer) else inner
    own = _own_step(lines, begun, first, last, margin)
    known, moved = set(kept), inner.removesuffix(margin)
    steps = {margin: inner}
    stack, latest, made = [margin], margin, []
    for number in range(first, last + 1):
        line = lines[number - 1]
        blanks = _blanks(line)
        if number in inside or (number not in begun and moved + line in known):
            made.append(moved + line if moved + line in known else line)
            continue
        if number in begun:
            while len(stack) > 1 and not (blanks.startswith(stack[-1])):
                stack.pop()
            if blanks != stack[-1]:
                stack.append(blanks)
            deep = inner + blanks[len(margin) :] if own == step else inner + step * (len(stack) - 1)
            steps[blanks], latest = deep, blanks
        if not line.strip():
            made.append(line.strip(" \t"))
        elif blanks in steps:
            made.append(steps[blanks] + line[len(blanks) :])
        elif line.startswith(latest):
            made.append(steps[latest] + line[len(latest) :])
        else:
            made.append(inner + line.lstrip(" \t") if line.lstrip().startswith("#") else line)
    return made


def comments(lines: Sequence[str], first: int, last: int) -> list[str]:
    """What the comments on these lines (from 1) say, in their order. `lines`: of a file that compiles."""
    found = tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline)
    return [each.string for each in found if each.type == tokenize.COMMENT and first <= each.start[0] <= last]


def _logical(lines: Sequence[str]) -> tuple[frozenset[int], frozenset[int]]:
    """Lines with which a logical line begins, and lines that begin inside of a string."""
    begun: set[int] = set()
    inside: set[int] = set()
    opened: list[int] = []
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
        if token.type in _OPENS:
            opened.append(token.start[0])
        elif token.type in _CLOSES:
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
        elif token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        if token.type == tokenize.NEWLINE:
            fresh = True
        elif fresh and token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            begun.add(token.start[0])
            fresh = False
    return frozenset(begun), frozenset(inside)


def _own_step(lines: Sequence[str], begun: frozenset[int], first: int, last: int, margin: str) -> str:
    """What the block's first inner block is indented by; empty: it has none."""
    deeper = (_blanks(lines[number - 1]) for number in range(first, last + 1) if number in begun)
    return next((blanks[len(margin) :] for blanks in deeper if len(blanks) > len(margin)), "")


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]
