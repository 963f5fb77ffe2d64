"""SWE tasks and attempts as public rows, and instances of others read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from datafactory import agent
from datafactory.errors import DataError
from datafactory.formats import wire
from datafactory.formats.instances import read_instances
from datafactory.formats.swe_attempts import export_openhands, export_predictions
from datafactory.formats.swe_instances import write_swe_bench, write_swe_smith
from datafactory.types import Check, Lineage, Message, Source, Task, ToolCall, Trajectory, Verdict, files
from tests.formats.swe_columns import OPENHANDS, OUTCOME, PREDICTION, SWE_BENCH, SWE_SMITH, wrong

BUG = "--- a/toolz/é.py\n+++ b/toolz/é.py\n@@ -1 +1 @@\n-a\n+b\n"
FIX = "--- a/toolz/é.py\n+++ b/toolz/é.py\n@@ -1 +1 @@\n-b\n+a\n"
FACTS: dict[str, Any] = {
    "repo": "pytoolz__toolz",
    "version": "1.1.0",
    "base_commit": "12345678" * 5,
    "instance_id": "pytoolz__toolz.12345678.constant_change__ab12",
    "bug_kind": "constant_change",
    "patch": BUG,
    "fix": FIX,
    "test_patch": "",
    "fail_to_pass": ['t.py::test_a["x"]', "t.py::test_b"],
    "pass_to_pass": ["t.py::test_c"],
    "held_out": ["t.py"],
    "another": {"fact": 1},
}


def task(id: str = "swe-1", **facts: Any) -> Task:
    """An SWE task."""
    return Task(
        id=id,
        digest="d" * 16,
        prompt="partition drops the last item.",
        image="layer/toolz-12345678-0123456789ab",
        checks=(Check(name="c", argv=("true",)),),
        artifacts=("/run/model.patch",),
        source=Source(generator="swe_mutations", license="BSD-3-Clause", facts={**FACTS, **facts}),
    )


def attempt(number: int = 0, reward: float | None = 1.0, of: str = "swe-1", **fields: Any) -> Trajectory:
    calls = (
        ToolCall(id="c1", name="execute_bash", arguments={"command": "ls é"}),
        ToolCall(id="c2", name="finish", arguments={agent.MALFORMED: "{not JSON"}),
    )
    made: dict[str, Any] = {
        "task_id": of,
        "attempt": number,
        "teacher": "vllm",
        "agent": "openhands",
        "tools": ({"type": "function", "function": {"name": "execute_bash", "parameters": {}}},),
        "messages": (
            Message(role="system", content="You work."),
            Message(role="user", content="Mend it."),
            Message(role="assistant", content="", reasoning_content="hm", tool_calls=calls),
            Message(role="tool", content="x", tool_call_id="c1", name="execute_bash"),
        ),
        "artifacts": files({"/run/model.patch": FIX}),
        "stop": "submitted",
        "verdict": None if reward is None else Verdict(reward=reward),
        "lineage": Lineage(model="m-1"),
    }
    return Trajectory(**{**made, **fields})


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_swe_bench_rows_have_its_columns_and_what_makes_the_bug(tmp_path):
    assert write_swe_bench([task()], tmp_path) == 1
    (made,) = rows(tmp_path / "swe-bench.jsonl")
    assert wrong(made, {**SWE_BENCH, "bug_patch": str}) == []
    assert (made["repo"], made["patch"], made["bug_patch"]) == ("pytoolz/toolz", FIX, BUG)
    assert json.loads(made["FAIL_TO_PASS"]) == FACTS["fail_to_pass"]
    assert made["created_at"] == made["hints_text"] == ""


def test_swe_smith_rows_have_its_columns(tmp_path):
    assert write_swe_smith([task(), task("swe-2", patch="")], tmp_path) == 1
    (made,) = rows(tmp_path / "swe-smith.jsonl")
    assert wrong(made, SWE_SMITH) == []
    assert (made["repo"], made["patch"]) == ("swesmith/pytoolz__toolz.12345678", BUG)


def test_rows_of_openhands_have_the_columns_of_public_ones(tmp_path):
    pairs = [(attempt(n, reward), task()) for n, reward in enumerate((1.0, 0.5, None))]
    assert export_openhands(pairs, tmp_path) == 3
    made = rows(tmp_path / "openhands.jsonl")
    assert [wrong(row, OPENHANDS | OUTCOME) for row in made] == [[], [], []]
    assert [row["resolved"] for row in made] == [1, 0, -1]
    assert [row["trajectory_id"] for row in made] == ["swe-1/0", "swe-1/1", "swe-1/2"]
    answer, result = made[0]["trajectory"][2:]
    assert [call["function"] for call in answer["tool_calls"]] == [
        {"name": "execute_bash", "arguments": '{"command": "ls é"}'},
        {"name": "finish", "arguments": "{not JSON"},
    ]
    assert result == {"role": "tool", "content": "x", "tool_call_id": "c1", "name": "execute_bash"}
    assert (made[0]["license"], made[0]["model_patch"]) == ("BSD-3-Clause", FIX)


def test_the_mark_of_malformed_arguments_is_the_agents():
    assert wire.MALFORMED == agent.MALFORMED


def test_predictions_have_a_file_for_each_attempt(tmp_path):
    other = task("swe-2", instance_id="o__n.12345678.x__y")
    pairs = [(attempt(0), task()), (attempt(1, artifacts={}), task()), (attempt(0, of="swe-2"), other)]
    assert export_predictions(pairs, tmp_path) == 3
    first, second = rows(tmp_path / "predictions-0.jsonl"), rows(tmp_path / "predictions-1.jsonl")
    assert [wrong(row, PREDICTION) for row in first + second] == [[], [], []]
    assert [row["instance_id"] for row in first] == [FACTS["instance_id"], "o__n.12345678.x__y"]
    assert (first[0]["model_name_or_path"], first[0]["model_patch"], second[0]["model_patch"]) == ("m-1", FIX, "")


def test_two_tasks_with_one_instance_id_cannot_be_predicted_for(tmp_path):
    with pytest.raises(DataError, match="'swe-1' and 'swe-2' are both the instance"):
        export_predictions([(attempt(), task()), (attempt(of="swe-2"), task("swe-2"))], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_facts_that_are_wrong_are_named(tmp_path):
    with pytest.raises(DataError, match=r"task 'swe-1'.*fail_to_pass"):
        write_swe_bench([task(fail_to_pass=3)], tmp_path)


def test_the_same_tasks_make_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_swe_bench([task()], tmp_path / name)
    assert (tmp_path / "a" / "swe-bench.jsonl").read_bytes() == (tmp_path / "b" / "swe-bench.jsonl").read_bytes()


def test_what_is_written_as_swe_bench_is_read_again(tmp_path):
    write_swe_bench([task(created_at="2024-01-01T00:00:00Z", problem_statement="It drops.")], tmp_path)
    (made,) = read_instances(tmp_path / "swe-bench.jsonl")
    assert made.model_dump() == {
        "instance_id": FACTS["instance_id"],
        "repo": "pytoolz/toolz",
        "base_commit": FACTS["base_commit"],
        "version": "1.1.0",
        "problem_statement": "It drops.",
        "patch": FIX,
        "patch_makes_bug": False,
        "bug_patch": BUG,
        "test_patch": "",
        "fail_to_pass": tuple(FACTS["fail_to_pass"]),
        "pass_to_pass": tuple(FACTS["pass_to_pass"]),
        "image_name": "",
        "license": "",
        "hints_text": "",
        "created_at": "2024-01-01T00:00:00Z",
    }


def test_what_is_written_as_swe_smith_is_read_again(tmp_path):
    write_swe_smith([task()], tmp_path)
    (made,) = read_instances(tmp_path / "swe-smith.jsonl")
    assert (made.patch, made.patch_makes_bug, made.image_name) == (BUG, True, "layer/toolz-12345678-0123456789ab")
    assert (made.origin, made.commit) == ("pytoolz/toolz", FACTS["base_commit"])
    assert made.fail_to_pass == tuple(FACTS["fail_to_pass"])
    assert made.problem_statement == "partition drops the last item."
