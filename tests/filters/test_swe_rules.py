"""What the rules of SWE-ZERO drop, on rows as `select` sees them."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory import registry
from datafactory.agent.openhands import OpenHands
from datafactory.formats.diff_paths import diff_paths
from datafactory.protocols import Filter
from datafactory.stages.select import Select
from datafactory.table import row, scan, write_parquet
from datafactory.types import Check, Message, Source, Task, ToolCall, Trajectory, Violation, files

RULES = (
    "forbidden_execution",
    "step_limit",
    "empty_patch",
    "held_out_edits",
    "call_cardinality",
    "editor_errors",
    "looks_for_answer",
)
PATCH = "/run/model.patch"
DIFF = "diff --git a/toolz/core.py b/toolz/core.py\n--- a/toolz/core.py\n+++ b/toolz/core.py\n@@ -1 +1 @@\n-a\n+b\n"
FACTS = {"repo": "toolz", "instance_id": "toolz__toolz.12345678.op__ab", "held_out": ["tests/test_core.py"]}


def task(**fields: Any) -> Task:
    """An SWE task."""
    made: dict[str, Any] = {
        "id": "swe-1",
        "digest": "d" * 16,
        "prompt": "Mend it.",
        "checks": (Check(name="c", argv=("true",)),),
        "artifacts": (PATCH,),
        "source": Source(generator="swe_mutations", facts=FACTS),
    }
    return Task(**{**made, **fields})


def call(name: str = "execute_bash", id: str = "c1", **arguments: Any) -> ToolCall:
    return ToolCall(id=id, name=name, arguments=arguments or {"command": "ls"})


def turn(*calls: ToolCall, fault: str | None = None, seen: str = "ok") -> tuple[Message, ...]:
    """An answer and what its calls gave."""
    results = (Message(role="tool", content=seen, tool_call_id=c.id, name=c.name) for c in calls)
    return (Message(role="assistant", tool_calls=calls, fault=fault), *results)


def attempt(*turns: tuple[Message, ...], patch: str | None = DIFF, **fields: Any) -> Trajectory:
    made: dict[str, Any] = {
        "task_id": "swe-1",
        "attempt": 0,
        "teacher": "vllm",
        "agent": "openhands",
        "tools": OpenHands.tools,
        "messages": (Message(role="user", content="Mend it."), *(m for made in turns or (turn(call()),) for m in made)),
        "artifacts": {} if patch is None else files({PATCH: patch}),
        "stop": "submitted",
    }
    return Trajectory(**{**made, **fields})


@pytest.fixture
def why(tmp_path: Path):
    """The reason that a filter, by its name in the pipeline file, gives for an attempt; it goes through Parquet."""

    def reason(rule: str, made: Trajectory, of: Task | None = None, **fields: Any) -> str | None:
        path = tmp_path / "rows.parquet"
        write_parquet([row(made, of or task())], path)
        chosen = registry.build("filter", {"use": rule, **fields}, (), problems := [])
        assert isinstance(chosen, Filter), problems
        rows = scan(path)
        return rows.select(why=chosen.reject(rows).cast(pl.String)).collect()["why"].item()

    return reason


@pytest.mark.parametrize("rule", RULES)
def test_an_honest_attempt_stays(why, rule):
    assert why(rule, attempt(turn(call()), turn(call("finish", message="done")))) is None


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "step_limit"])
def test_an_attempt_at_a_terminal_task_stays(why, rule):
    plain = task(source=Source(generator="skills"), artifacts=("/app/",))
    text = (Message(role="assistant", content="no JSON", fault="no JSON"),)
    assert why(rule, attempt(text, patch=None, tools=(), agent="terminus-2"), plain) is None


def test_a_select_stage_with_all_rules_has_no_complaint_before_it_runs():
    stage = registry.build("stage", {"use": "select", "filters": list(RULES)}, (), problems := [])
    assert isinstance(stage, Select), problems
    assert list(stage.problems()) == []


def test_a_refused_command_drops_an_attempt_and_says_why(why):
    refused = Violation(command="python t.py", reason="`python` may not be run here")
    made = attempt(violations=(refused, refused))
    said = "forbidden_execution: 2 refused, first: `python` may not be run here"
    assert why("forbidden_execution", made) == said
    assert why("forbidden_execution", made, max_refused=2) is None


@pytest.mark.parametrize(
    ("seen", "dropped"),
    [
        ("not run: no such thing\n[exit code 126]", True),
        ("exit code: 126\nnot run: no such thing", True),
        ("not run: it is a file's first line\n[exit code 0]", False),
        ("x\nnot run: no such thing\n[exit code 126]", False),
    ],
)
def test_a_refusal_that_was_not_recorded_is_known_by_its_answer(why, seen, dropped):
    found = why("forbidden_execution", attempt(turn(call(), seen=seen)))
    assert found == ("forbidden_execution: 1 refused" if dropped else None)


def test_an_attempt_that_ran_out_of_turns_goes(why):
    assert why("step_limit", attempt(stop="turn_limit")) == "step_limit: not done after 1 turns"
    assert why("step_limit", attempt(stop="time_limit")) is None


@pytest.mark.parametrize("patch", [None, "", "\n"])
def test_an_attempt_without_a_patch_goes(why, patch):
    assert why("empty_patch", attempt(patch=patch)) == "empty_patch: nothing was changed"


def test_an_edit_of_a_held_out_test_is_found(why):
    touched = DIFF + DIFF.replace("toolz/core.py", "tests/test_core.py")
    assert why("held_out_edits", attempt(patch=touched)) == "held_out_edits: tests/test_core.py"
    assert why("held_out_edits", attempt(patch=DIFF.replace("toolz/core.py", "tests/test_new.py"))) is None
    content = DIFF.replace("-a\n", "--- a/tests/test_core.py\n")
    assert why("held_out_edits", attempt(patch=content)) is None


@pytest.mark.parametrize(
    ("diff", "paths"),
    [
        ("diff --git a/my file.bin b/my file.bin\nindex 1..2 100644\nBinary files differ\n", {"my file.bin"}),
        ("diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n", {"x", "y"}),
        ('diff --git "a/t\\303\\251\\t.py" "b/t\\303\\251\\t.py"\nnew file mode 100644\n', {"té\t.py"}),
        ("--- a/old.py\t2024\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n--- a/no.py\n", {"old.py"}),
        ("--- tests/a.py\n+++ tests/a.py\n@@ -1 +1 @@\n-x\n+y\n", {"tests/a.py"}),
        ("no diff at all", set()),
        ("", set()),
    ],
)
def test_the_paths_of_a_diff_are_read_from_its_heads(diff, paths):
    assert diff_paths(diff) == paths


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (turn(call(id="a"), call(id="b")), "1 turns with more than 1 calls"),
        (turn(fault="no tool was called"), "1 turns without a call"),
        (turn(call("fly", x=1), fault="there is no tool `fly`"), "1 malformed turns"),
    ],
)
def test_a_turn_makes_one_call_that_holds(why, made, reason):
    assert why("call_cardinality", attempt(turn(call()), made)) == f"call_cardinality: {reason}"
    assert why("call_cardinality", attempt(made), max_calls=2, silent=True, malformed=True) is None


def test_three_errors_of_the_editor_are_too_many(why):
    editor = call("str_replace_editor", command="view", path="/x")
    bad = turn(editor, seen="ERROR: there is no file /x")
    shell = turn(call(), seen="ERROR: of a program")
    assert why("editor_errors", attempt(bad, bad, shell)) is None
    assert why("editor_errors", attempt(bad, bad, turn(editor), bad)) == "editor_errors: 3 errors >= 3"
    assert why("editor_errors", attempt(bad), limit=1) == "editor_errors: 1 errors >= 1"
