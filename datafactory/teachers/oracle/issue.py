"""What a developer takes from an issue: its title, the names that it mentions, the scripts that show the problem."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import sys
from functools import lru_cache

_BLOCK = re.compile(r"^[ \t]*```(?:python|py|pycon)?[ \t]*\n(.*?)^[ \t]*```", re.M | re.S)
_SPAN = re.compile(r"`([A-Za-z_][\w.]*)(?:\([^`\n]*\))?`")
"""A name, or a call, alone in backticks."""
_NAME = re.compile(r"[A-Za-z_]\w+")
_MARKS = re.compile(r"^[#*\s]+|[*\s]+$")
_TELLING = re.compile(r"\b(?:[a-z]\w*_\w+|[A-Z]+[a-z]\w*[A-Z]\w*)\b")
"""Names that no word of English looks like."""
_FAULT = re.compile(r"(?:Error|Exception|Warning|Exit|Iteration)$")
_PROMPT = re.compile(r"^(?:>>>|\.\.\.) ?")
_COMMON = {*dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, "self", "cls", "args", "kwargs", "main"}

_METHODS = {name for kind in (str, bytes, list, dict, set) for name in dir(kind)}


def title(text: str) -> str:
    """The first line that says something, without marks of Markdown."""
    lines = [_MARKS.sub("", line) for line in text.splitlines()]
    return next((line for line in lines if line), "")


@lru_cache(maxsize=256)
def scripts(text: str) -> tuple[str, ...]:
    """Blocks of code that Python can parse, prompts and what they printed taken out, and a last bare value printed."""
    return tuple(made for block in _BLOCK.findall(text) if (made := _script(block)))


def _script(block: str) -> str:
    lines = block.rstrip().splitlines()
    if any(line.startswith(">>>") for line in lines):
        lines = [_PROMPT.sub("", line) for line in lines if _PROMPT.match(line)]
    code = "\n".join(lines).strip()
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    if not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree)):
        return ""  # nothing of the repository would be there
    last = tree.body[-1]
    if not isinstance(last, ast.Expr) or ast.unparse(last).startswith("print("):
        return code
    head = code.splitlines()[: last.lineno - 1]
    return "\n".join([*head, f"print({ast.unparse(last.value)})"])


def mentioned(text: str) -> list[str]:
    """Names that may be those of functions and classes, the likeliest first: what is in backticks in the title, what
    scripts import and call, what else is in backticks, what looks like nothing but a name."""
    head, _, rest = text.strip().partition("\n")
    found = [span.rpartition(".")[2] for span in _SPAN.findall(head)]
    own = modules(text)
    for script in scripts(text):
        nodes = list(ast.walk(ast.parse(script)))
        own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
        found += [
            name.name for node in nodes if isinstance(node, ast.ImportFrom) and _foreign(node) for name in node.names
        ]
        called = [node.func for node in nodes if isinstance(node, ast.Call)]
        found += [each.id for each in called if isinstance(each, ast.Name)]
        found += [each.attr for each in called if isinstance(each, ast.Attribute) and each.attr not in _METHODS]
    prose = _BLOCK.sub("", rest)
    found += [span.rpartition(".")[2] for span in _SPAN.findall(prose)]
    found += [name for name in _TELLING.findall(prose) if not _FAULT.search(name)]
    return [name for name in dict.fromkeys(found) if name not in _COMMON and name not in own and len(name) > 1]


def modules(text: str) -> set[str]:
    """Parts of the names of modules that the issue's scripts import, other than Python's own."""
    found: set[str] = set()
    for script in scripts(text):
        for node in ast.walk(ast.parse(script)):
            if isinstance(node, ast.Import):
                found |= {part for name in node.names for part in name.name.split(".")}
            elif isinstance(node, ast.ImportFrom) and _foreign(node):
                found |= set((node.module or "").split("."))
    return found - set(sys.stdlib_module_names)


def _foreign(node: ast.ImportFrom) -> bool:
    return (node.module or "").partition(".")[0] not in sys.stdlib_module_names


def words(text: str) -> set[str]:
    """All names in a text."""
    return set(_NAME.findall(text))
