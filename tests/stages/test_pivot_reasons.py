"""What the stage pivot says of each turn, by a policy whose answers are written down: no model, and mostly no box."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datafactory.agent import dialect, tools
from datafactory.calls import Account, Ledger
from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.pivot import FindPivots
from datafactory.storage import Shelf
from datafactory.types import Message, Pivot, Reject, Reply, Task, ToolCall, Trajectory, Verdict
from tests.judging.attempts import a_task

EXPERT = ("echo hi > out.txt", "cat out.txt")


def call(command: str) -> dict[str, Any]:
    return {"tool_calls": [{"id": "c", "name": "bash", "arguments": {"command": command}}]}


def an_attempt(*seen: Sequence[Message], reward: float | None = 1.0) -> Trajectory:
    """The expert's two commands and what was `seen` after each."""
    messages = [Message(role="user", content="Write hi to out.txt.")]
    for number, command in enumerate(EXPERT):
        made = ToolCall(id=f"c{number}", name="bash", arguments={"command": command})
        messages.append(Message(role="assistant", content="", tool_calls=(made,)))
        messages += seen[number] if seen else [Message(role="tool", content="x", tool_call_id=made.id)]
    return Trajectory(
        task_id="count-1",
        attempt=0,
        teacher="expert",
        agent="tools",
        tools=tools.Tools.tools,
        messages=tuple(messages),
        stop="submitted",
        verdict=None if reward is None else Verdict(reward=reward),
    )


def script(folder: Path, *turns: Sequence[Any], teacher: str = "scripted") -> dict[str, Any]:
    """A policy that gives the answers at each turn, one to each rollout."""
    made = [
        {"episode": f"count-1/0/{turn}/{number}", "replies": ["(not asked)"] * turn + [answer]}
        for turn, answers in enumerate(turns)
        for number, answer in enumerate(answers)
    ]
    path = folder / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, made)))
    return {"use": teacher, "path": str(path)}


def a_stage(**keys: Any) -> FindPivots:
    problems: list[Any] = []
    made = build("stage", {"use": "pivot", **keys}, (), problems)
    assert isinstance(made, FindPivots), problems
    return made


async def found(
    folder: Path, stage: FindPivots, attempt: Trajectory, account: Account | None = None
) -> list[Pivot | Reject]:
    """Run the stage on the attempt; gives what came of each turn."""
    async with Shelf(folder / "tasks", Task) as tasks, Shelf(folder / "before", Trajectory) as before:
        await tasks.keep("count-1", a_task())
        await before.keep(attempt.id, attempt)
        before.seal({"kept": 1, "rejected": {}})
        before.ended.set()
        async with Shelf(folder / "pivots", Pivot) as shelf:
            run = Run(shelf, name="r", seed=7, shelves=[tasks, before], account=account)
            async with run.commons:
                await stage.run(before, run)
            path = folder / "pivots" / "rejects.jsonl"
            lines = path.read_text().splitlines() if path.exists() else []
            return [*sorted(shelf, key=lambda row: row.id), *map(Reject.model_validate_json, lines)]


RIGHT, WRONG = call(EXPERT[0]), call("ls")


@pytest.mark.parametrize(
    ("answers", "reason", "detail"),
    [
        ((WRONG, call("pwd"), "no call", WRONG), "never_right", "0 of 4 answers do what the expert did"),
        ((RIGHT,) * 4, "always_right", "4 of 4 answers do what the expert did"),
        ((RIGHT, RIGHT, RIGHT, WRONG), "too_easy", "3 of 4 answers do what the expert did: 0.75 >= 0.75"),
    ],
)
async def test_a_turn_of_which_nothing_can_be_learnt_says_why(
    tmp_path: Path, answers: Sequence[Any], reason: str, detail: str
) -> None:
    stage = a_stage(teacher=script(tmp_path, answers), turns=1, rollouts=4)
    [reject] = await found(tmp_path, stage, an_attempt())
    assert isinstance(reject, Reject)
    assert (reject.key, reject.reason, reject.detail) == ("count-1/0/0", reason, detail)
    assert reject.what is not None
    assert [rollout["score"] for rollout in reject.what["rollouts"]] == [float(each == RIGHT) for each in answers]


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (an_attempt(reward=None), "not_verified"),
        (an_attempt(reward=0.5), "not_solved"),
        (an_attempt().but(messages=(Message(role="user", content="Go."),)), "no_turns"),
    ],
)
async def test_an_attempt_that_is_no_experts_asks_nobody(tmp_path: Path, attempt: Trajectory, reason: str) -> None:
    [reject] = await found(tmp_path, a_stage(teacher={"use": "scripted", "replies": ["x"]}), attempt)
    assert isinstance(reject, Reject)
    assert (reject.key, reject.reason) == ("count-1/0", reason)


async def test_all_attempts_may_be_experts(tmp_path: Path) -> None:
    stage = a_stage(teacher=script(tmp_path, (RIGHT, WRONG)), turns=1, rollouts=2, attempts="all")
    [pivot] = await found(tmp_path, stage, an_attempt(reward=None))
    assert isinstance(pivot, Pivot)
    assert (pivot.passed, pivot.total, pivot.mean, pivot.variance, pivot.reward) == (1, 2, 0.5, 0.25, None)
    assert [rollout.rung for rollout in pivot.rollouts] == ["text", None]
    assert pivot.rollouts[1].note == "another action"


async def test_the_judge_has_the_last_word_and_one_that_cannot_be_read_counts_as_no(tmp_path: Path) -> None:
    """The same action is judged once: two words are asked for three answers, the second of them twice."""
    other = call("printf 'hi\\n' > out.txt")
    answers = script(tmp_path, (other, other, WRONG))
    word = json.dumps({"reasoning": "Both write it.", "same": True})
    judge = {"use": "scripted", "replies": [word, "Hm.", "Hm."]}
    [pivot] = await found(tmp_path, a_stage(teacher=answers, turns=1, rollouts=3, judge=judge), an_attempt())
    assert isinstance(pivot, Pivot)
    assert pivot.verifier == "action+judge"
    assert [(rollout.score, rollout.rung) for rollout in pivot.rollouts] == [(1, "judge"), (1, "judge"), (0, None)]
    assert pivot.rollouts[0].note == "another action; judge: Both write it."
    assert pivot.rollouts[2].note == "another action; the judge said nothing that can be read"


async def test_a_run_that_begins_again_pays_for_no_answer_twice(tmp_path: Path) -> None:
    """The shelf is gone and the policy knows nothing any more: all answers come from the ledger."""
    teacher = script(tmp_path, (RIGHT, WRONG), teacher="tests.stages.odd_judges:Dear")
    stage = a_stage(teacher=teacher, turns=1, rollouts=2)
    made = []
    for number in range(2):
        async with Ledger(tmp_path / "calls.sqlite") as ledger:
            account = Account(ledger)
            [pivot] = await found(tmp_path / str(number), stage, an_attempt(), account)
            made.append((pivot, account.spent.calls, account.found))
        Path(teacher["path"]).write_text(json.dumps({"replies": ["nobody should ask"]}))
    assert made[0][0] == made[1][0]
    assert [rest for _, *rest in made] == [[2, 0], [2, 2]]


async def in_a_box(stage: FindPivots) -> Trajectory:
    """The expert's attempt, with what is really seen."""
    assert stage.sandbox is not None
    task = a_task()
    seen = []
    async with stage.sandbox.start() as host, host.open(task.image, task.files, workdir=task.workdir) as box:
        conversation = dialect("tools")(task, box)
        for message in an_attempt().messages:
            if message.role == "assistant":
                turn = await conversation.take(Reply(message=message), seconds=10, left=10)
                seen.append(turn.seen)
    return an_attempt(*seen)


@pytest.mark.namespace
async def test_an_answer_is_right_where_the_same_comes_of_it_in_a_restored_box(tmp_path: Path) -> None:
    tried = {
        "cat < out.txt": "",
        "cat out.txt; touch new": "files differ: none for the expert, /app/new, ./new here",
        "cat out.txt; cd /": "the shell differs: line 1: '/app' and '/'",
        "ls": "what is seen differs: line 2: 'hi' and 'out.txt'",
        "exit 3": "what is seen differs: line 1: 'exit code: 0' and 'exit code: 3'",
        "for i in $(seq 16000); do : > $i; done; cat out.txt": "files differ: ",
    }
    policy = script(tmp_path, (RIGHT,) * len(tried), [call(command) for command in tried])
    stage = a_stage(teacher=policy, sandbox="namespace", execute=True, rollouts=len(tried))
    pivot, reject = await found(tmp_path, stage, await in_a_box(stage))
    assert isinstance(reject, Reject) and reject.reason == "always_right"
    assert isinstance(pivot, Pivot) and (pivot.turn, pivot.verifier) == (1, "action+outcome")
    assert [rollout.rung for rollout in pivot.rollouts] == ["outcome", *[None] * 5]
    for rollout, note in zip(pivot.rollouts, tried.values(), strict=True):
        assert rollout.note.startswith(note)


@pytest.mark.namespace
async def test_a_turn_whose_box_does_not_come_back_is_no_pivot(tmp_path: Path) -> None:
    policy = script(tmp_path, (RIGHT, RIGHT), (WRONG, call(EXPERT[1])))
    stage = a_stage(teacher=policy, sandbox="namespace", execute=True, rollouts=2)
    attempt = await in_a_box(stage)
    *messages, last = attempt.messages
    changed = attempt.but(messages=(*messages, last.but(content=last.content.replace("hi", "ho"))))
    reject = next(
        each for each in await found(tmp_path, stage, changed) if isinstance(each, Reject) and each.key.endswith("/1")
    )
    assert reject.reason == "replay_differs"
    assert reject.detail == "after turn 1, then and now: line 2: 'ho' and 'hi'"
