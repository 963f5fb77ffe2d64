"""Finds what an agent must not be shown: lines of the solution, and expected values."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

LINE = 24
"""Characters from which a line of a solution tells something; below are `cd /app`, `sort out.txt` and their like."""
GRAM = 8
SHARE = 0.3
"""Of a solution's runs of GRAM tokens: found in the instruction, it tells the solution however its lines are broken."""
LITERAL = 80
"""Characters from which a constant of a check, found in the instruction, is an expected value and no format."""

_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_DECLARATION = re.compile(r"(?:def|class|import|from|async def|return|@|#|fi|done|else)\b|[#@]")
_CODE = re.compile(r"[|><=(){}$;&\\]|(?:^|\s)-\w")
_GIVEN_AWAY = re.compile(
    r"(?:^|[_\-.])(?:expected|solution|solutions|answer|answers|oracle|golden|ground_?truth|solve)(?:$|[_\-.])", re.I
)


def first_leak(
    *,
    instruction: str,
    files: Mapping[str, str],
    commands: Sequence[str],
    programs: Sequence[str],
    private: Sequence[str] = (),
) -> tuple[str, str] | None:
    """Reason and detail of the first leak, or None.

    The instruction may hold no telling line of the solution nor much of its token runs; an input file may not hold
    all of the solution's telling lines, nor all of a step's where it has three or more (a program to be mended shares
    most lines with its mended form, but not all); nothing may be called what only an answer is called.
    """
    texts = [*commands, *private]
    told = _flat(instruction)
    for line in _telling(texts):
        if line in told:
            return "solution_leak", f"the instruction holds a line of the solution: {line[:200]!r}"
    grams = _grams("\n".join(texts))
    shared = len(grams & _grams(instruction))
    if len(grams) >= 10 and shared > SHARE * len(grams):
        return "solution_leak", f"the instruction holds {shared} of {len(grams)} runs of {GRAM} tokens of the solution"
    for path, content in files.items():
        if _GIVEN_AWAY.search(posixpath.splitext(posixpath.basename(path))[0]):
            return "expected_values_leak", f"an input file is called {path!r}"
        if _holds(content, texts):
            return "solution_leak", f"the input file {path!r} holds the solution"
    for constant in _constants(programs):
        if constant in told:
            return "expected_values_leak", f"the instruction holds an expected value of a check: {constant[:200]!r}"
    return None


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _telling(texts: Iterable[str]) -> list[str]:
    """Lines of code, flattened, that are long enough and no mere declaration (a signature may be part of the task)."""
    lines = [_flat(line) for text in texts for line in text.splitlines()]
    return [line for line in lines if len(line) >= LINE and _CODE.search(line) and not _DECLARATION.match(line)]


def _grams(text: str) -> set[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return {tuple(tokens[n : n + GRAM]) for n in range(len(tokens) - GRAM + 1)}


def _holds(content: str, texts: Sequence[str]) -> bool:
    flat = _flat(content)
    groups = [_telling(texts), *(lines for lines in (_telling([text]) for text in texts) if len(lines) >= 3)]
    return any(lines and all(line in flat for line in lines) for lines in groups)


def _constants(programs: Iterable[str]) -> list[str]:
    """Long texts that a check compares with: no docstring, no message of an assertion."""
    found = []
    for program in programs:
        tree = ast.parse(program)
        spoken = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        spoken += [node.msg for node in ast.walk(tree) if isinstance(node, ast.Assert) and node.msg is not None]
        apart = {id(node) for expression in spoken for node in ast.walk(expression)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
                found.append(_flat(node.value))
    return [constant for constant in found if len(constant) >= LITERAL]
