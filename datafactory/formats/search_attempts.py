"""Attempts at questions as rows of search trajectories, with the columns that OpenSeeker and OpenResearcher share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.formats.wire import wire
from datafactory.types import Message, Question, Task, Trajectory, Verdict

SUBMITS = "answer"
"""The tool by which an attempt ends: it looks for nothing, so it is no tool call in the sense of the public rows."""
_TAGGED = re.compile(r"<(search|access)>.*</\1>", re.DOTALL)


def to_search(trajectory: Trajectory, task: Task, question: Question) -> dict[str, Any]:
    """One attempt: question, conversation, and how it went.

    `number of tool calls` and `trajectory correctness` (`Correct`, `Incorrect`; null: not judged) have the names that
    OpenSeeker-v1-Data gave them. `answer` is the right one, in its usual form, and `answers` all that count (none: the
    corpus has no answer); `predicted_answer` is null where nothing was answered. Tool arguments are JSON text.
    """
    verdict = trajectory.verdict
    return {
        "question": question.text,
        "answer": question.answer,
        "answers": list(question.answers),
        "predicted_answer": trajectory.answer,
        "messages": [wire(message) for message in trajectory.messages],
        "tools": list(trajectory.tools),
        "number of tool calls": sum(map(_calls, trajectory.messages)),
        "trajectory correctness": None if verdict is None else "Correct" if verdict.solved else "Incorrect",
        "reward": None if verdict is None else verdict.reward,
        "exact_match": _score(verdict, "exact_match"),
        "token_f1": _score(verdict, "token_f1"),
        "evidence_found": _score(verdict, "evidence_found"),
        "evidence_visited": _score(verdict, "evidence_visited"),
        "evidence": list(question.evidence),
        "found": list(trajectory.found),
        "visited": list(trajectory.visited),
        "corpus": question.corpus,
        "id": trajectory.id,
        "qid": task.id,
        "source": task.source.generator,
        "agent": trajectory.agent,
        "teacher": trajectory.teacher,
        "model": trajectory.lineage.model,
        "stop": trajectory.stop,
    }


def _calls(message: Message) -> int:
    """Searches and visits that a message asks for, in either dialect."""
    if message.role != "assistant":
        return 0
    named = sum(call.name != SUBMITS for call in message.tool_calls)
    return named or len(_TAGGED.findall(message.content))


def _score(verdict: Verdict | None, name: str) -> float | None:
    return next((check.score for check in verdict.checks if check.name == name), None) if verdict else None


def export(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `searches.jsonl`, a row for each attempt at a question, and say how many. Raises DataError where there is
    none."""
    rows = (to_search(trajectory, task, question) for trajectory, task, question in _searches(pairs))
    return jsonl.write(rows, folder / "searches.jsonl")


def _searches(pairs: Iterable[tuple[Trajectory, Task]]) -> Iterator[tuple[Trajectory, Task, Question]]:
    none = True
    for trajectory, task in pairs:
        if task.question is not None:
            none = False
            yield trajectory, task, task.question
    if none:
        raise DataError("there is no attempt at a question: none whose task is answered from a corpus")
