"""Word problems with a number for an answer become terminal tasks: work it out, write it to a file."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from datafactory.types import Check, Draft, Reject, Source, Step, files
from generators.prompts import render

ANSWER = "/app/answer.txt"
CHECK = "/tests/number_check.py"

_NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)")
_ANNOTATION = re.compile(r"<<([^<>=]+)=[^<>]*>>")
_TOLERANCE = 1e-6
"""As `number_check.py` has it."""
_OPERATIONS: Mapping[type[ast.AST], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def is_math(row: Mapping[str, Any]) -> bool:
    """Whether a row has GSM8K's fields."""
    return isinstance(row.get("question"), str) and isinstance(row.get("answer"), str | int | float)


def math_draft(row: Mapping[str, Any], source: Source) -> Draft | Reject:
    """A task from ``question`` and ``answer`` (GSM8K: working, then ``#### 42``; a bare number will do).

    The reference solution does the arithmetic that the answer's calculator annotations (``<<48/2=24>>``) spell out;
    where these do not arrive at the answer it only writes it, and ``source.facts["worked"]`` is false.
    """
    working, _, final = str(row["answer"]).rpartition("####")
    answer = final.strip().replace(",", "").lstrip("$€£")
    if not _NUMBER.fullmatch(answer):
        return Reject(reason="no_number", detail=f"the answer is no number: {final.strip()[:80]!r}")
    steps = _worked(working, float(answer))
    program = Path(__file__).with_name("number_check.py").read_text()
    return Draft(
        prompt=render("adapter_math", question=str(row["question"]).strip(), path=ANSWER),
        checks=(Check(name="answer", argv=("python3", CHECK, ANSWER, answer), files=files({CHECK: program})),),
        artifacts=(ANSWER,),
        solution=steps or (Step(thought="The answer is known.", command=f"echo {answer} > {ANSWER}"),),
        skills=("arithmetic word problem",),
        domain="scientific_computing",
        difficulty=_difficulty(len(steps)),
        source=source.but(facts={**source.facts, "kind": "math", "worked": bool(steps)}),
    )


def _worked(working: str, answer: float) -> tuple[Step, ...]:
    """One step for each line of working that computes, the one that arrives at `answer` last; else none."""
    lines = [(_ANNOTATION.sub("", line).strip(), _ANNOTATION.findall(line)) for line in working.splitlines()]
    steps: list[Step] = []
    said: list[str] = []
    last = 0
    for text, expressions in lines:
        said.append(text)
        values = [(expression.strip(), _value(expression.strip())) for expression in expressions]
        computed = [expression for expression, value in values if value is not None]
        if not computed:
            continue
        arrives = values[-1][1] is not None and _same(values[-1][1], answer)
        shown = [f"python3 -c 'print({expression})'" for expression in computed]
        if arrives:
            last = len(steps) + 1
        steps.append(Step(thought=" ".join(filter(None, said)), command="\n".join(shown)))
        said = []
    if not last:
        return ()
    *_, final = steps[last - 1].command.splitlines()
    written = re.sub(r"print\((.*)\)'$", r"""print(f"{\1:.12g}")' > """ + ANSWER, final)
    body = steps[last - 1].command.removesuffix(final) + written + f"\ncat {ANSWER}"
    return (*steps[: last - 1], steps[last - 1].but(command=body))


def _value(expression: str) -> float | None:
    """What plain arithmetic comes to; None where it is anything else."""
    try:
        return float(_reckon(ast.parse(expression, mode="eval").body))
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError, OverflowError, RecursionError):
        return None


def _reckon(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        return float(_OPERATIONS[type(node.op)](_reckon(node.left), _reckon(node.right)))
    if isinstance(node, ast.UnaryOp):
        return float(_OPERATIONS[type(node.op)](_reckon(node.operand)))
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    raise ValueError("no plain arithmetic")


def _same(value: float | None, answer: float) -> bool:
    return value is not None and abs(value - answer) <= _TOLERANCE * max(1.0, abs(answer))


def _difficulty(steps: int) -> Literal["easy", "medium", "hard"]:
    # GSM8K's problems take 2 to 8 steps (arXiv 2110.14168, section 2).
    return "easy" if steps <= 2 else "medium" if steps <= 5 else "hard"
