"""Questions through the stages: no sandbox is started, answers are judged, and wrong pairs are told apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError
from datafactory.pipeline import Execution, load
from datafactory.storage import Shelf
from datafactory.types import UNANSWERABLE, Task, Trajectory

PAGES = [{"url": "ada", "title": "Ada", "contents": "Ada Lovelace wrote the notes."}]

LOCKED = {"use": "tests.stages.odd_questions:Locked"}


def called(name: str, **given: Any) -> dict[str, Any]:
    return {"tool_calls": [{"id": "c", "name": name, "arguments": given}]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a line of questions; gives its stations."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("DATAFACTORY_SEARCH_URL", raising=False)
    (tmp_path / "pages.jsonl").write_text("\n".join(map(json.dumps, PAGES)))

    async def ran(
        *replies: Any,
        generator: str = "Asking",
        count: int = 2,
        agent: str = "search",
        sandbox: Any = LOCKED,
        **verify: Any,
    ) -> Any:
        corpus = {"use": "jsonl", "files": [str(tmp_path / "pages.jsonl")], "name": "few"}
        made = {"use": f"tests.stages.odd_questions:{generator}", "count": count, "corpus": corpus}
        pipeline = {
            "name": "questions",
            "sandbox": sandbox,
            "teacher": {"use": "scripted", "replies": list(replies)},
            "stages": [
                {"use": "synthesize", "generators": [made], "tries": 1},
                {"use": "rollout", "agent": agent, "attempts": 1},
                {"use": "verify", **verify},
            ],
        }
        path = tmp_path / "questions.yaml"
        path.write_text(json.dumps(pipeline))
        execution = Execution(load(path), tmp_path / "run")
        await execution.run()
        return [station.shelf for station in execution.stations]

    return ran


def rows(shelf: Shelf[Any]) -> list[Any]:
    return sorted(shelf, key=lambda row: row.id)


LOOKS = (called("search", query=["notes"]), called("visit", url=["ada"]))


async def test_questions_are_asked_answered_and_judged_and_no_sandbox_is_started(run: Any) -> None:
    tasks, _, judged = await run(*LOOKS, called("answer", answer="Lovelace"))
    assert all(isinstance(task, Task) and task.question for task in rows(tasks))
    one, none = rows(judged)
    assert isinstance(one, Trajectory)
    assert (one.answer, one.found, one.visited, one.agent) == ("Lovelace", ("ada",), ("ada",), "search")
    assert (one.lineage.image, one.lineage.sandbox) == (rows(tasks)[0].question.corpus, "")
    assert len(one.lineage.image_digest) == 16
    scores = {check.name: check.score for check in one.verdict.checks}
    assert scores["token_f1"] == pytest.approx(2 / 3)
    assert scores["evidence_visited"] == 1.0
    assert none.verdict.reward == 0.0


async def test_saying_that_there_is_no_answer_is_right_where_there_is_none(run: Any) -> None:
    *_, judged = await run(called("answer", answer="", unanswerable=True))
    assert [(row.answer, row.verdict.reward) for row in rows(judged)] == [(UNANSWERABLE, 0.0), (UNANSWERABLE, 1.0)]


async def test_a_judge_has_the_last_word_where_words_differ(run: Any) -> None:
    says = json.dumps({"reasoning": "the same person", "correct": True})
    judge = {"use": "scripted", "replies": [says]}
    *_, judged = await run(called("answer", answer="Lovelace"), count=1, judge=judge)
    assert [row.verdict.checks[0].name for row in rows(judged)] == ["judge"]
    assert [row.verdict.solved for row in rows(judged)] == [True]


async def test_an_answer_that_says_nothing_makes_no_task(run: Any) -> None:
    tasks, *_ = await run(called("answer", answer="x"), count=3)
    assert tasks.kept == 2
    reject, given_up = (json.loads(line) for line in (tasks.folder / "rejects.jsonl").read_text().splitlines())
    assert (reject["reason"], reject["generator"]) == ("noop_scores", "Asking")
    assert given_up["reason"] == "slot_given_up"


@pytest.mark.namespace
async def test_an_agent_without_a_library_is_refused_a_question(run: Any) -> None:
    with pytest.raises(ConfigError, match=r"'tools' cannot look up: put agent: search or search-tags into the stage"):
        await run(called("submit"), agent="tools", sandbox="namespace")


async def test_a_generator_that_says_it_opens_no_box_gets_none(run: Any) -> None:
    tasks, *_ = await run(called("answer", answer="x"), generator="Opening", count=1)
    (lost,) = (json.loads(line) for line in (tasks.folder / "failures.jsonl").read_text().splitlines())
    assert "says `boxes = False` opens a box of 'base'" in lost["error"]
