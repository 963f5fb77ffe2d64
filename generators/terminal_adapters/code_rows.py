"""Functions to complete become terminal tasks: write a module, judged by the dataset's own test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datafactory.types import Check, Draft, Reject, Source, Step, files
from generators.prompts import render
from generators.terminal_adapters.heredoc import written

SOLUTION = "/app/solution.py"
SECONDS = 30
"""For all calls of one test; HumanEval's own harness allows 3 on an idle core (github.com/openai/human-eval)."""

_PROGRAM, _STUB, _TEST = "/tests/function_check.py", "/tests/stub.py", "/tests/dataset_test.py"
_FIELDS = ("prompt", "entry_point", "canonical_solution", "test")


def is_code(row: Mapping[str, Any]) -> bool:
    """Whether a row has HumanEval's fields."""
    return all(isinstance(row.get(field), str) for field in _FIELDS)


def code_draft(row: Mapping[str, Any], source: Source) -> Draft | Reject:
    """A task from ``prompt``, ``entry_point``, ``canonical_solution`` and ``test`` (HumanEval, arXiv 2107.03374).

    The test runs in a process of its own; it may use helpers that the stub defines, whatever the agent made of them.
    """
    stub, entry_point = str(row["prompt"]), str(row["entry_point"])
    for name, code in (
        ("prompt", stub),
        ("canonical_solution", stub + row["canonical_solution"]),
        ("test", row["test"]),
    ):
        try:
            compile(code, name, "exec")
        except (SyntaxError, ValueError) as error:
            return Reject(reason="no_python", detail=f"{name} is no Python: {error}")
    if not entry_point.isidentifier():
        return Reject(reason="no_python", detail=f"entry_point is no name: {entry_point!r}")
    program = Path(__file__).with_name("function_check.py").read_text()
    placed = files({_PROGRAM: program, _STUB: stub, _TEST: str(row["test"])})
    argv = ("python3", _PROGRAM, SOLUTION, entry_point, _STUB, _TEST, str(SECONDS))
    module = stub + str(row["canonical_solution"])
    return Draft(
        prompt=render("adapter_code", stub=stub.strip(), path=SOLUTION, entry_point=entry_point, seconds=SECONDS),
        checks=(Check(name="calls", argv=argv, files=placed, timeout=2.0 * SECONDS),),
        solution=(
            Step(thought="Write the whole module.", command=written(SOLUTION, module)),
            Step(
                thought="See that it can be imported.",
                command=f"python3 -B -c 'from solution import {entry_point}; print({entry_point})'",
            ),
        ),
        skills=("python function",),
        domain="software_engineering",
        source=source.but(facts={**source.facts, "kind": "code", "entry_point": entry_point}),
    )
