"""Questions and attempts at them as rows of ASearcher and of public search trajectories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import DataError
from datafactory.formats.asearcher import write_asearcher
from datafactory.formats.atif import to_atif, validate
from datafactory.formats.harbor import write_task, write_tasks
from datafactory.formats.search_attempts import export
from datafactory.types import (
    MALFORMED,
    Check,
    CheckResult,
    Edit,
    Hop,
    Lineage,
    Message,
    Question,
    Source,
    Task,
    ToolCall,
    Trajectory,
    Verdict,
)
from tests.formats.swe_columns import wrong

SYNTHESIS = {"qa": dict, "relevant": list, "statements": list, "edit_history": list, "qa_history": list}
"""What ASearcher's synthesis agent writes."""
OURS = dict.fromkeys(("uid", "corpus", "source", "model"), str)
TRAIN = {"question": str, "answer": list, "aug_answer": list, "source": str, "id": str, "idx": str}
"""ASearcher-Base-35k, with the `id` of ASearcher-LRM-35k."""


def task(id: str = "search_agent-00000", **changes: Any) -> Task:
    fields: dict[str, Any] = {
        "corpus": "corpus/c-0123456789ab",
        "text": "Où naquit-elle?",
        "answers": ("Oran", "Wahrān"),
        "hops": (
            Hop(url="a", statement="She wrote B.", finds="B"),
            Hop(url="b", statement="B is of 1950."),
            Hop(url="a", statement="She was born in Oran.", finds="Oran"),
        ),
        "history": (
            Edit(action="base", question="Where was A born?", answer="Oran", correct=6, samples=8),
            Edit(action="inject", question="Where was who wrote B born?", answer="Oran", url="b", note="B for A"),
            Edit(action="fuzz", question="Où naquit-elle?", answer="Oran", note="nothing named", correct=0, samples=8),
        ),
    }
    asked = Question(**{**fields, **changes})
    return Task(
        id=id, digest="d", prompt=asked.text, question=asked, source=Source(generator="search_agent", model="m")
    )


def attempt(*messages: Message, **changes: Any) -> Trajectory:
    made: dict[str, Any] = {
        "task_id": "search_agent-00000",
        "attempt": 0,
        "teacher": "vllm",
        "agent": "search",
        "messages": (Message(role="user", content="Où?"), *messages),
        "answer": "Oran",
        "found": ("a", "z"),
        "visited": ("a",),
        "stop": "submitted",
        "lineage": Lineage(model="m-1"),
    }
    return Trajectory(**{**made, **changes})


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


PLAIN = Task(
    id="t", digest="d", prompt="p", checks=(Check(name="c", argv=("true",)),), source=Source(generator="terminal")
)


def test_a_question_becomes_a_row_of_synthesis_and_one_to_train_on(tmp_path: Path) -> None:
    assert write_asearcher([PLAIN, task()], tmp_path) == 1
    (made,) = rows(tmp_path / "synthesis.jsonl")
    assert wrong(made, SYNTHESIS | OURS) == []
    assert made["qa"] == {"question": "Où naquit-elle?", "answer": "Oran"}
    assert [(page["url"], page["information_points"]) for page in made["relevant"]] == [
        ("a", ["She wrote B.", "She was born in Oran."]),
        ("b", ["B is of 1950."]),
    ]
    assert made["statements"] == ["She wrote B.", "B is of 1950.", "She was born in Oran."]
    assert made["edit_history"] == [
        {"action": "SELECT", "target": "b", "note": "B for A"},
        {"action": "FUZZ", "question": "Où naquit-elle?", "note": "nothing named"},
    ]
    assert [version["direct_gen_acc"] for version in made["qa_history"]] == [0.75, None, 0.0]
    (train,) = rows(tmp_path / "train.jsonl")
    assert wrong(train, TRAIN) == []
    assert (train["answer"], train["aug_answer"]) == (["Oran"], ["Wahrān"])


def test_a_question_without_an_answer_says_so_where_a_trainer_looks(tmp_path: Path) -> None:
    write_asearcher([task(answers=(), hops=(), history=())], tmp_path)
    (train,), (made,) = rows(tmp_path / "train.jsonl"), rows(tmp_path / "synthesis.jsonl")
    assert (train["answer"], train["aug_answer"]) == (["unanswerable"], [])
    assert (made["relevant"], made["statements"], made["qa_history"]) == ([], [], [])


def test_tasks_without_a_question_among_them_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no question"):
        write_asearcher([PLAIN], tmp_path)
    with pytest.raises(DataError, match="no attempt at a question"):
        export([(attempt(task_id="t"), PLAIN)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_in_tool_calls_tells_how_it_went(tmp_path: Path) -> None:
    calls = (
        ToolCall(id="1", name="search", arguments={"query": ["a", "b"]}),
        ToolCall(id="2", name="visit", arguments={MALFORMED: "{no"}),
    )
    end = Message(role="assistant", tool_calls=(ToolCall(id="3", name="answer", arguments={"answer": "Oran"}),))
    checks = [
        CheckResult(name=name, outcome="passed", score=score)
        for name, score in (("token_f1", 1.0), ("exact_match", 1.0), ("evidence_visited", 0.5))
    ]
    said = attempt(Message(role="assistant", tool_calls=calls), end, verdict=Verdict(reward=1.0, checks=tuple(checks)))
    assert export([(attempt(task_id="t"), PLAIN), (said, task()), (attempt(answer=None), task())], tmp_path) == 2
    judged, other = rows(tmp_path / "searches.jsonl")
    assert (judged["number of tool calls"], judged["trajectory correctness"]) == (2, "Correct")
    assert (judged["exact_match"], judged["token_f1"], judged["evidence_visited"]) == (1.0, 1.0, 0.5)
    assert (judged["answer"], judged["predicted_answer"], judged["evidence"]) == ("Oran", "Oran", ["a", "b"])
    given = [call["function"]["arguments"] for call in judged["messages"][1]["tool_calls"]]
    assert given == ['{"query": ["a", "b"]}', "{no"]
    assert judged.keys() == other.keys()
    assert (other["predicted_answer"], other["trajectory correctness"], other["reward"]) == (None, None, None)
    assert other["number of tool calls"] == 0


def test_an_attempt_in_tags_counts_what_it_asked_for(tmp_path: Path) -> None:
    said = (
        "<think>Who?</think><search>who wrote B</search>",
        "<access>a</access>",
        "I would <search> no more.",
        "<answer>Oran</answer>",
    )
    export([(attempt(*(Message(role="assistant", content=text) for text in said)), task())], tmp_path)
    assert rows(tmp_path / "searches.jsonl")[0]["number of tool calls"] == 2


def test_rows_of_both_kinds_load_as_a_dataset(tmp_path: Path) -> None:
    from datasets import load_dataset

    asked = [task(), task("search_agent-00001", answers=(), hops=(), history=())]
    write_asearcher(asked, tmp_path)
    called = ToolCall(id="1", name="search", arguments={"query": ["a"]})
    export([(attempt(Message(role="assistant", tool_calls=(called,))), asked[0]), (attempt(), asked[0])], tmp_path)
    for name in ("synthesis", "train", "searches"):
        loaded = load_dataset(
            "json", data_files=str(tmp_path / f"{name}.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert len(loaded) == 2


def test_atif_keeps_the_answer_and_harbor_has_no_place_for_a_question(tmp_path: Path) -> None:
    document = to_atif(attempt(Message(role="assistant", content="<answer>Oran</answer>")), task())
    validate(document)
    extra = document["extra"]
    assert (extra["answer"], extra["answers"], extra["corpus"]) == ("Oran", ["Oran", "Wahrān"], "corpus/c-0123456789ab")
    assert (extra["evidence"], extra["found"], extra["visited"]) == (["a", "b"], ["a", "z"], ["a"])
    with pytest.raises(DataError, match="has no box"):
        write_task(task(), tmp_path / "one")
    with pytest.raises(DataError, match="no task for Harbor"):
        write_tasks([task()], tmp_path)
    assert [path.name for path in write_tasks([task(), PLAIN], tmp_path)] == ["t"]
