"""Statements on frozen failures: what they say, and that they never give the fix away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Reject, files
from generators.swe.statements import Failing, ask, failing_of, leak, write

PACKAGE = "def clamp(value, low, high):\n    return min(max(value, low), high) if value > low else low + 1\n"
TESTS = """
import pytest
from box import clamp
from box import clamp as other

LIMIT = 10

@pytest.mark.parametrize("low, high", [(1, 5), (2, 6)])
def test_low(low, high):
    noise = other(1, 2, 3)
    value = low - 1
    assert noise
    assert clamp(value, low, high) == 2
    assert clamp(7, low, high) == high

def test_refused():
    with pytest.raises(ValueError):
        clamp(1, 9, LIMIT)

def test_folder(tmp_path):
    assert clamp(tmp_path, 1, 2) == 3
"""
FIX = """diff --git a/box/core.py b/box/core.py
--- a/box/core.py
+++ b/box/core.py
@@ -10,3 +10,3 @@
 def clamp(value, low, high):
-    return min(max(value, high), low) if value > low else low + 1
+    return min(max(value, low), high) if value >= low else low
"""
EPISODE = Episode(id="swe-00000#0", seed=1)


def failing(test: str, message: str, trace: str = "") -> Failing:
    result = SimpleNamespace(id=f"tests/test_box.py::{test}", outcome="failed", message=message, trace=trace)
    return failing_of([result], files({"tests/test_box.py": TESTS}))[0]


def low() -> Failing:
    return failing("test_low[1-5]", "assert 1 == 2", "tests/test_box.py:13: AssertionError")


def why(statement: str) -> str | None:
    return leak(statement, FIX, ["box/core.py"], ["clamp", "_inner"], changes=["> → >="])


def test_a_test_is_cut_out_with_what_it_needs_and_its_parameters() -> None:
    found = low()
    assert found.source.startswith("@pytest.mark.parametrize") and found.source.rstrip().endswith("== high")
    assert "low = 1\nhigh = 5" in found.setting and "LIMIT" not in found.setting
    assert found.line == 8


def test_what_passed_is_no_failure_and_a_missing_file_is_no_error() -> None:
    passed = SimpleNamespace(id="a.py::test", outcome="passed", message="", trace="")
    lost = SimpleNamespace(id="a.py::test", outcome="failed", message="KeyError: 1", trace="")
    found = failing_of([passed, lost], {})
    assert [(each.message, each.source) for each in found] == [("KeyError: 1", "")]


@pytest.mark.parametrize("seed", range(12))
def test_a_statement_shows_a_script_that_runs_and_the_two_values(seed: int, tmp_path: Path) -> None:
    statement = write([low()], "box", Random(seed))
    assert statement is not None and "test_" not in statement and "`2`" in statement and "`1`" in statement
    script = statement.split("```python\n")[1].split("```")[0]
    assert "noise" not in script and "assert" not in script
    if seed == 0:
        (tmp_path / "box.py").write_text(PACKAGE)
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout == "2\n", done.stderr


def test_statements_differ_by_seed_and_are_alike_for_one() -> None:
    made = [write([low()], "box", Random(seed)) for seed in range(30)]
    assert len(set(made)) > 15
    assert made[3] == write([low()], "box", Random(3))


def test_an_exception_that_is_missing_is_said() -> None:
    silent = failing("test_refused", "Failed: DID NOT RAISE <class 'ValueError'>", "tests/test_box.py:17: Failed")
    statement = write([silent], "box", Random(1))
    assert statement is not None and "`ValueError`" in statement and "clamp(1, 9, LIMIT)" in statement
    assert "LIMIT = 10" in statement and "pytest" not in statement


def test_a_fixture_leaves_no_script_but_the_error() -> None:
    opaque = failing("test_folder", "TypeError: no order", "box/core.py:11: TypeError")
    statement = write([opaque], "box", Random(1))
    assert statement is not None and "```" not in statement and "TypeError" in statement and "`clamp`" in statement


def test_nothing_to_say_is_no_statement() -> None:
    assert write([], "box", Random(1)) is None
    assert write([low()], "box", Random(1), lambda text: "all of it") is None
    assert write([failing("test_gone", "assert False")], "box", Random(1)) is None


def test_what_leaks_is_left_out() -> None:
    raised = failing("test_folder", "KeyError: 'secret'")
    statement = write([low(), raised], "box", Random(2), lambda text: "no" if "clamp(value" in text else None)
    assert statement is not None and "KeyError" in statement and "clamp(value" not in statement


@pytest.mark.parametrize(
    "statement",
    [
        "Use `return min(max(value, low), high) if value >= low else low`",
        "min(max(value, low),\n      high)\n  if value >= low\n  else low",
        "> return   min( max(value,low), high ) if value>=low else low",
        ">>> min(max(value, low), high) if value >= low else low",
        "It says min(max(value, high), low) if value > low else low + 1 now",
        "```\nreturn min(max(x, a), b) if x >= a else a\n```",
        "so it has max(value, low), high) if value >= low else something",
        "```diff\n@@ -10,3 +10,3 @@\n```",
        "The culprit is box/core.py",
        "see core.py",
        "from box.core import clamp",
        "look at line 11",
        "`_inner` returns None",
        "there is `>` where `>=` belongs",
        "changed > → >= there",
        "the fix would be to compare otherwise",
    ],
)
def test_a_leak_is_seen_however_it_is_laid_out(statement: str) -> None:
    assert why(statement) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "`clamp` gives 1 instead of 2\n\n```python\nfrom box import clamp\nprint(clamp(0, 1, 5))\n```",
        "clamp(5, 1, 9) is 1, and I expected 5. It returns the low end.",
        "I would expect `True` here, as values > 3 are allowed.",
    ],
)
def test_an_honest_report_is_no_leak(statement: str) -> None:
    assert why(statement) is None


def test_what_the_tests_say_may_be_said() -> None:
    line = "min(max(value, low), high) if value >= low else low"
    assert leak(line, FIX, [], [], shown=[f"expected = {line}"]) is None


def issue(body: str) -> str:
    return json.dumps({"title": "clamp is wrong", "body": body})


GOOD = "Calling `clamp(0, 1, 5)` gives 1 though 2 is expected, every single time that I try it with small values."


async def test_a_teacher_is_asked_again_until_nothing_leaks() -> None:
    teacher = ScriptedTeacher(replies=("no json", issue(GOOD + " It is in box/core.py."), issue(GOOD)))
    async with teacher.open() as chat:
        made = await ask(chat, [low()], FIX, "box", leaks=why, episode=EPISODE)
    assert made == f"clamp is wrong\n\n{GOOD}\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (issue(GOOD + " It is in box/core.py."), "statement_leaks"),
        (issue(GOOD + " Seen in test_low."), "statement_names_test"),
        (issue("short"), "statement_length"),
        ('{"title": 1}', "schema"),
        ("", "not_json"),
    ],
)
async def test_what_a_teacher_gets_wrong_to_the_end_is_a_reject(answer: str, reason: str) -> None:
    async with ScriptedTeacher(replies=({"content": answer},) * 3).open() as chat:
        made = await ask(chat, [low()], FIX, "box", leaks=why, episode=EPISODE)
    assert isinstance(made, Reject) and made.reason == reason
