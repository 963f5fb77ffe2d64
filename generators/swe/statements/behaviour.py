"""What went wrong, as a user would have met it: the code to run, what came of it and what should have."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, replace
from typing import Literal

from generators.swe.statements.failing import Failing
from generators.swe.statements.moment import compared, function_of, path_to, raised
from generators.swe.statements.names import bound, used
from generators.swe.statements.snippet import script
from generators.swe.statements.values import Wrong, side_of

Kind = Literal["value", "false", "raised", "silent", "hangs"]
LONGEST = 160
"""Characters of a value, a message or an expression in a sentence."""
_FOREIGN = frozenset(sys.stdlib_module_names) | {"pytest", "hypothesis", "mock", "numpy", "pandas", "six"}
_SILENT = re.compile(r"DID NOT (?:RAISE|WARN)\D*?(?:<class '(?:[\w.]*\.)?(\w+)'>)?", re.S)
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Behaviour:
    """One thing that is wrong."""

    kind: Kind
    subject: str
    """The function that a user would name."""
    got: str
    """The value, or the exception with its message."""
    expected: str = ""
    """The value or exception; empty: not known."""
    code: str = ""
    """Runs as it stands and shows it; empty: the test cannot be told apart from its fixtures."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Alike for two tests that meet the same thing."""
        return self.kind, self.subject, self.got.partition(":")[0] if self.kind == "raised" else ""


def behaviour_of(failing: Failing, name: str) -> Behaviour:
    """Of a failing test of the package `name`; where the test tells nothing, of the package itself."""
    function = function_of(failing)
    if function is None:
        return _untold(failing, name)
    path = path_to(failing, function)
    setting = _parsed(failing.setting)
    subject = _subject(path[-1:], setting, name) or _subject([*function.body], setting, name) or name
    wrong = _wrong(failing, path)
    known = replace(_untold(failing, subject), subject=subject)
    if wrong is not None:
        known = replace(known, kind=wrong.kind, got=short(wrong.got), expected=short(wrong.expected))
    code = script(setting, function, path, wrong.shown if wrong else None)
    if code and not path and known.kind == "false":
        known = replace(known, expected="", got=short(compared(failing)))
    hidden = function.name in code or re.search(r"\btest_\w+", known.got + known.expected)
    return replace(known, code="" if hidden else code)


def _untold(failing: Failing, subject: str) -> Behaviour:
    """From what pytest said alone."""
    silent = _SILENT.search(failing.message)
    if silent is not None:
        named = re.search(r"<class '(?:[\w.]*\.)?(\w+)'>", failing.message)
        return Behaviour("silent", subject, "", named[1] if named else "an exception")
    if failing.message.startswith("timeout"):
        return Behaviour("hangs", subject, "")
    error = raised(failing)
    if error is not None:
        return Behaviour("raised", subject, short(": ".join(part for part in error if part)))
    return Behaviour("false", subject, "")


def _wrong(failing: Failing, path: list[ast.stmt]) -> Wrong | None:
    """What the failed statement expected; None: it expected nothing in particular, or stands in a loop."""
    if not path:
        return None
    last, error = path[-1], raised(failing)
    for outer in path:
        if isinstance(outer, ast.With | ast.AsyncWith) and "raises" in ast.unparse(outer.items[0].context_expr):
            call = outer.items[0].context_expr
            wanted = ast.unparse(call.args[0]) if isinstance(call, ast.Call) and call.args else "an exception"
            shown = ast.Module(body=outer.body, type_ignores=[])
            if error is not None:
                return Wrong("raised", ": ".join(part for part in error if part), wanted, ast.unparse(shown))
            return Wrong("silent", "", wanted, ast.unparse(shown))
    side = side_of(last, compared(failing))
    if side is None:
        return None
    if error is not None:
        return Wrong("raised", ": ".join(part for part in error if part), side.expected, side.shown)
    return side if compared(failing) or side.got else None


def _subject(body: list[ast.stmt], setting: list[ast.stmt], name: str) -> str:
    """The first function of the package under test that is called."""
    package = name.rpartition("__")[2].lower().replace("-", "_")
    ours: set[str] = set()
    others: set[str] = set()
    modules: set[str] = set()
    for node in setting:
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                root = (getattr(node, "module", None) or alias.name).partition(".")[0]
                (ours if root.lower() == package else others if root not in _FOREIGN else set()).update(bound(node))
                modules |= bound(node) if isinstance(node, ast.Import) else set()
    for names in (ours, others):
        for part in (part for node in body for part in ast.walk(node)):
            if isinstance(part, ast.Call) and used(part.func) & names:
                said = ast.unparse(part.func)
                if re.fullmatch(r"[\w.]+", said) and said != "raises":
                    return said.rpartition(".")[2] if said.partition(".")[0] in modules else said
    for names in (ours, others):
        seen = [n.id for node in body for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in names - modules]
        if seen and seen[0] != "raises":
            return seen[0]
    return ""


def _parsed(setting: str) -> list[ast.stmt]:
    return ast.parse(setting).body


def short(text: str) -> str:
    """One line without addresses in memory, cut where it is long."""
    flat = _ADDRESS.sub("at 0x...", " ".join(text.split()))
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 3]}..."
