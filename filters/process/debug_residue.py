"""Drops attempts at repositories whose patch leaves behind what was put in to find the bug."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import orjson
from pydantic import Field

from datafactory.spec import Spec
from filters.process.patches import FilePatch, files_of, is_prose, is_test
from filters.spoken import judged

if TYPE_CHECKING:
    import polars as pl

Residue = Literal["print", "debugger", "todo", "scratch"]

_LINES: dict[Residue, str] = {
    "print": r"(?:#\s*|//\s*)?(?:p?print\(|console\.(?:log|debug)\(|System\.out\.print|fmt\.Print|dbg!\(|puts "
    r"|var_dump\()",
    "debugger": r"(?:(?:import|from) (?:i?pdb|pudb)\b|(?:i?pdb|pudb)\.set_trace\(|breakpoint\(\)|debugger;"
    r"|binding\.pry|.*;\s*(?:i?pdb\.set_trace|breakpoint)\()",
    "todo": r".*(?:#|//|/\*|<!--).*\b(?:TODO|FIXME|XXX|HACK)\b",
}
"""How a line goes on after the blanks before it."""
_FILES = re.compile(
    r"(?:^|/)(?:repro\w*|reproduce\w*|debug\w*|scratch\w*|tmp\w*|temp\w*|verify_fix\w*|test_fix\w*|issue_test\w*)\.\w+$"
    r"|\.(?:orig|rej|bak|swp|pyc|log)$|~$|(?:^|/)(?:__pycache__|\.pytest_cache|nohup\.out)"
)
"""Files that an agent makes to look into a bug, or that tools leave."""
_SPEAKING = re.compile(
    r"(?:^|/)(?:cli|__main__|main|setup|manage|examples?|scripts?|bin|benchmarks?|docs?)(?:/|\.\w+$)|_cli\.\w+$"
)
"""Files that may print because that is what they are for."""
_WORDS: dict[Residue, str] = {
    "print": r"\bprint|console\.log|\bstdout\b",
    "debugger": r"\bi?pdb\b|breakpoint|\bdebugger\b",
    "todo": r"\bTODO|FIXME",
    "scratch": r"(?!)",
}
"""What an issue says that is about such lines; code that shows the bug is left out before."""
_CODE = re.compile(r"```.*?(?:```|\Z)|^(?: {4}|\t|>>> ).*$", re.DOTALL | re.MULTILINE)
_SHOWN = 100


class DebugResidue(Spec):
    """Drops attempts at SWE tasks whose patch adds prints, debuggers, marks of unfinished work, or scratch files.

    Not in tests, documents, examples and programs for the command line; not where the file prints (or has such marks)
    anyway, as far as the patch shows it, where the line was only moved, or where the task or its reference fix is about
    them."""

    use_name: ClassVar[str] = "debug_residue"
    rowwise: ClassVar[bool] = True

    kinds: tuple[Residue, ...] = Field(default=get_args(Residue), min_length=1)
    """`print`: lines that print or log to a console; `debugger`: breakpoints; `todo`: TODO, FIXME, XXX and HACK in
    comments; `scratch`: new files such as `reproduce.py`, `core.py.orig`."""
    max_lines: int = Field(default=0, ge=0)
    """Largest number of such lines and files that stays."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `repo`, `model_patch`, `instruction` and `task`."""
        import polars as pl

        asked = pl.col("repo").fill_null("") != ""
        shapes = [rf"^\+\s*(?:{_LINES[kind]})" for kind in self.kinds if kind in _LINES]
        if "scratch" in self.kinds:
            shapes.append("^(?:--- /dev/null|new file mode)")
        suspect = pl.col("model_patch").str.contains("(?m)" + "|".join(shapes))
        return judged(asked & suspect, self._reason, "model_patch", "instruction", "task")

    def _reason(self, patch: str, instruction: str | None, task: str | None) -> str | None:
        found = list(self._residue(patch))
        if len(found) <= self.max_lines:
            return None
        about = _about(instruction or "", task)
        found = [(kind, where, line) for kind, where, line in found if not about[kind]]
        if len(found) <= self.max_lines:
            return None
        kind, where, line = found[0]
        shown = f"{where}: {line.strip()[:_SHOWN]}" if line else where
        over = f" > {self.max_lines}" if self.max_lines else ""
        return f"debug_residue: {len(found)} left{over}, first: {kind} in {shown}"

    def _residue(self, patch: str) -> Iterator[tuple[Residue, str, str]]:
        for file in files_of(patch):
            if file.new and "scratch" in self.kinds and _FILES.search(file.path):
                yield "scratch", file.path, ""
            elif not is_test(file.path) and not is_prose(file.path):
                for kind in self.kinds:
                    yield from ((kind, file.path, line) for line in _left(file, kind))


def _left(file: FilePatch, kind: Residue) -> Iterator[str]:
    """Added lines of a kind that are new to the file."""
    if kind == "scratch" or (kind == "print" and _SPEAKING.search(file.path)):
        return
    shape = re.compile(rf"\s*(?:{_LINES[kind]})")
    if any(map(shape.match, (*file.around, *file.removed))):
        return
    yield from filter(shape.match, file.added)


def _about(instruction: str, task: str | None) -> dict[Residue, bool]:
    """For each kind, whether the issue or the reference fix is about it."""
    said = _CODE.sub("", instruction)
    fix = ""
    if task:
        found = orjson.loads(task)
        facts = (found.get("source") or {}).get("facts") or {} if isinstance(found, dict) else {}
        fix = str(facts.get("fix") or "")
    added = [line for file in files_of(fix) for line in file.added] if fix else []
    return {
        kind: re.search(words, said) is not None
        or (kind in _LINES and any(re.match(rf"\s*(?:{_LINES[kind]})", line) for line in added))
        for kind, words in _WORDS.items()
    }
