"""What a teacher is shown of a file around one function or class."""

from __future__ import annotations

import ast

from generators.swe.outline import Outline, Part
from generators.swe.rewriting.body import cut

MOST = 24_000
"""Characters of a file, about 6,000 tokens: what lies nearest to the function is shown, and what it imports."""


def definition(outline: Outline, part: Part) -> str:
    """The function or class as it stands there, indentation and all."""
    return "\n".join(outline.lines[part.first - 1 : part.last])


def imports(outline: Outline) -> str:
    """What the file imports at its top level, also where that is tried or depends on something."""
    tops = (ast.Import, ast.ImportFrom)
    found = [
        node
        for node in outline.tree.body
        if isinstance(node, tops)
        or (isinstance(node, ast.If | ast.Try) and any(isinstance(inner, tops) for inner in ast.walk(node)))
    ]
    lines = [line for node in found for line in outline.lines[node.lineno - 1 : node.end_lineno]]
    return "\n".join(lines)[:MOST]


def heads(outline: Outline, part: Part) -> str:
    """The classes around it: their first lines, each up to the end of its docstring."""
    if part.within is None:
        return ""
    around = part.within
    parted = cut(outline.lines, around.node)
    last = parted.head if parted else around.node.lineno
    own = "\n".join(outline.lines[around.first - 1 : last])
    return "\n".join(text for text in (heads(outline, around), own) if text)[:MOST]


def without_body(outline: Outline, part: Part, hole: str) -> str:
    """The file with a line `hole` in the place of the body; of a long one its imports and what lies nearest."""
    parted = cut(outline.lines, part.node)
    head, last = (parted.head, parted.last) if parted else (part.last, part.last)
    margin = outline.lines[head][: outline.indentation(head + 1)] if head < len(outline.lines) else ""
    before, after = outline.lines[:head], outline.lines[last:]
    near_before, near_after = _near(before[::-1], MOST // 2)[::-1], _near(after, MOST // 2)
    parts = [imports(outline).split("\n"), ["..."]] if len(near_before) < len(before) else []
    parts += [near_before, [margin + hole], near_after]
    parts += [["..."]] if len(near_after) < len(after) else []
    return "\n".join(line for lines in parts for line in lines)


def _near(lines: list[str], most: int) -> list[str]:
    """As many of the first lines as fit into `most` characters."""
    kept: list[str] = []
    for line in lines:
        most -= len(line) + 1
        if most < 0:
            break
        kept.append(line)
    return kept
