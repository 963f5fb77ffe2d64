"""What a task that a model wrote must hold to before a box is spent on it; the first breach is the reason."""

from __future__ import annotations

import ast
import math
import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generators.authored import WrittenCheck, WrittenTask
from generators.leaks import first_leak

MOST_CHECKS, MOST_FILES, LONGEST_TEXT = 12, 40, 20_000


@dataclass(frozen=True)
class Rules:
    """What differs between orders."""

    max_bytes: int = 262_144
    """Of all input files together."""
    packages: tuple[str, ...] = ()
    """Python packages of the image beside the standard library."""
    private: tuple[str, ...] = ()
    """Texts that the model was shown and the agent must not see: a seed's reference solution."""


@dataclass(frozen=True)
class Fault:
    """Why a written task is refused."""

    reason: str
    detail: str


_IDENTITY = re.compile(
    r"\b(?:(?:as|i am|i'm) an? (?:ai|artificial intelligence|(?:large )?language model|ai assistant)\b"
    r"|(?:i am|i'm|my name is) (?:chatgpt|gpt|claude|gemini|qwen|deepseek|llama|kimi|glm|mistral)"
    r"|(?:made|trained|developed|created) by (?:openai|anthropic|google|alibaba|deepseek|meta|moonshot|zhipu|mistral))",
    re.I,
)
_NETWORK = re.compile(
    r"\b(?:pip3?|uv|conda|npm|cargo|gem) install\b|\bapt(?:-get)? (?:-\S+ )*(?:install|update)\b"
    r"|\b(?:curl|wget)\s+(?:-\S+\s+)*['\"]?(?:https?|ftp):|\bgit (?:clone|fetch|pull)\s+['\"]?(?:https?|git|ssh)[:@]"
)
_FAILING = {"exit", "_exit", "check_call", "check_output"}
"""Calls that can end a program with a failure."""
_FINDING = {"main", "globals", "locals", "vars", "dir", "getmembers"}
"""Calls that may find tests by themselves."""
_HIDDEN = re.compile(r"(?<![\w./-])/(?:solution|oracle)\b|\bsolve\.sh\b|\breference[ _-]solution\b", re.I)


def first_fault(task: WrittenTask, rules: Rules) -> Fault | None:
    """The first breach; None: the task may be tried in a box."""
    parts: tuple[Callable[[WrittenTask, Rules], Iterator[Fault]], ...] = (_texts, _files, _checks, _solution, _leaks)
    for part in parts:
        for fault in part(task, rules):
            return fault
    return None


def _texts(task: WrittenTask, rules: Rules) -> Iterator[Fault]:
    if not task.instruction.strip():
        yield Fault("empty_instruction", "the instruction says nothing")
    for text in (task.title, task.instruction):
        if "\0" in text:
            yield Fault("not_text", "a NUL byte in title or instruction")
        if len(text) > LONGEST_TEXT:
            yield Fault("too_large", f"an instruction of {len(text):,} characters; {LONGEST_TEXT:,} at most")
        said = _IDENTITY.search(text)
        if said:
            yield Fault("identity", f"the author speaks of itself: {said[0]!r}")


def _files(task: WrittenTask, rules: Rules) -> Iterator[Fault]:
    seen: set[str] = set()
    for file in task.files:
        path = file.path
        if path.startswith(("/", "~")):
            yield Fault("absolute_path", f"{path!r}: input paths are relative to /app")
        if posixpath.normpath(path) in ("..", ".") or posixpath.normpath(path).startswith("../"):
            yield Fault("path_outside_app", f"{path!r} does not lie in /app")
        if not path or posixpath.normpath(path) != path or "\0" in path or len(path.encode()) > 200:
            yield Fault("bad_path", f"{path!r} is no plain relative path")
        if path in seen or any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in seen):
            yield Fault("duplicate_path", f"{path!r} comes twice, or is a file and a folder")
        seen.add(path)
    size = sum(len(file.content.encode()) for file in task.files)
    if size > rules.max_bytes or len(task.files) > MOST_FILES:
        yield Fault(
            "too_large", f"{len(task.files)} files of {size:,} bytes; {MOST_FILES} of {rules.max_bytes:,} at most"
        )


def _checks(task: WrittenTask, rules: Rules) -> Iterator[Fault]:
    if not task.checks:
        yield Fault("no_checks", "nothing judges the attempt")
    if len(task.checks) > MOST_CHECKS:
        yield Fault("too_large", f"{len(task.checks)} checks; {MOST_CHECKS} at most")
    names = [check.name for check in task.checks]
    for check in task.checks:
        if not check.name.strip() or names.count(check.name) > 1:
            yield Fault("duplicate_check", f"the name {check.name!r} is empty or comes twice")
        if not (math.isfinite(check.weight) and check.weight > 0):
            yield Fault("check_weight", f"{check.name}: a weight of {check.weight}")
        if len(check.program) > LONGEST_TEXT:
            yield Fault("too_large", f"{check.name}: {len(check.program):,} characters; {LONGEST_TEXT:,} at most")
        yield from _program(check, rules)


def _program(check: WrittenCheck, rules: Rules) -> Iterator[Fault]:
    try:
        tree = ast.parse(check.program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield Fault("check_syntax", f"{check.name}: {error}")
        return
    foreign = sorted(_imports(tree) - set(sys.stdlib_module_names) - set(rules.packages))
    if foreign:
        yield Fault("check_imports", f"{check.name}: the box has no {', '.join(foreign)}")
    if not any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(tree)) and not _calls(tree) & _FAILING:
        yield Fault("check_asserts_nothing", f"{check.name}: it can only pass")
    idle = [] if _calls(tree) & _FINDING else _idle_tests(tree)
    if idle:
        yield Fault("check_asserts_nothing", f"{check.name}: nothing calls {', '.join(idle)}")
    hidden = _HIDDEN.search(check.program)
    if hidden:
        yield Fault("checks_mention_solution", f"{check.name}: {hidden[0]!r}")


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("a relative import" if node.level else str(node.module).partition(".")[0])
    return found


def _calls(tree: ast.AST) -> set[str]:
    """Last names of what a program calls."""
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called}


def _idle_tests(tree: ast.Module) -> list[str]:
    """Test functions that nothing names again."""
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    tests = (n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test"))
    return [name for name in tests if name not in named]


def _solution(task: WrittenTask, rules: Rules) -> Iterator[Fault]:
    if not any(step.command.strip() for step in task.solution):
        yield Fault("empty_solution", "no step does anything")
    for step in task.solution:
        if "\0" in step.command:
            yield Fault("not_text", "a NUL byte in a command")
        if len(step.command) > LONGEST_TEXT:
            yield Fault("too_large", f"a command of {len(step.command):,} characters; {LONGEST_TEXT:,} at most")
        wanted = _NETWORK.search(step.command)
        if wanted:
            yield Fault("needs_network", f"the solution runs {wanted[0]!r}, and a box has no network")


def _leaks(task: WrittenTask, rules: Rules) -> Iterator[Fault]:
    leak = first_leak(
        instruction=task.instruction,
        files={file.path: file.content for file in task.files},
        commands=[step.command for step in task.solution],
        programs=[check.program for check in task.checks],
        private=rules.private,
    )
    if leak is not None:
        yield Fault(*leak)
