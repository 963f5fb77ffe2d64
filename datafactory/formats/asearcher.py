"""Questions as rows of ASearcher: how each was synthesised, and what a trainer reads (arXiv 2508.07976)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.types import Edit, Question, Task

ACTIONS = {"fuzz": "FUZZ", "inject": "SELECT"}
"""What ASearcher's synthesis agent calls the edits (its repository, `qa_synthesis`); what began a question is none."""


def to_synthesis(task: Task, question: Question) -> dict[str, Any]:
    """The five columns that ASearcher's synthesis agent writes, and four that say whose row it is.

    `relevant` has the pages that support the answer, each with what was read there as `information_points`; a page's
    `name` is its url, and `summary` and `relevant_links`, which nobody wrote down, are empty. `edit_history` has the
    actions, `qa_history` the question after each, where `direct_gen_acc` is the share of answers without a search that
    were right (null: not asked).
    """
    told: dict[str, list[str]] = {url: [] for url in question.evidence}
    for hop in question.hops:
        told[hop.url].append(hop.statement)
    return {
        "qa": {"question": question.text, "answer": question.answer},
        "relevant": [_page(url, statements) for url, statements in told.items()],
        "statements": [hop.statement for hop in question.hops],
        "edit_history": [_action(edit) for edit in question.history if edit.action in ACTIONS],
        "qa_history": [_version(edit) for edit in question.history],
        "uid": task.id,
        "corpus": question.corpus,
        "source": task.source.generator,
        "model": task.source.model,
    }


def _page(url: str, told: list[str]) -> dict[str, Any]:
    return {"name": url, "url": url, "summary": "", "information_points": told, "relevant_links": []}


def _action(edit: Edit) -> dict[str, str]:
    if edit.action == "inject":
        return {"action": "SELECT", "target": edit.url, "note": edit.note}
    return {"action": ACTIONS[edit.action], "question": edit.question, "note": edit.note}


def _version(edit: Edit) -> dict[str, Any]:
    right = None if edit.correct is None or not edit.samples else edit.correct / edit.samples
    return {
        "question": edit.question,
        "answer": edit.answer,
        "statement": edit.statement,
        "url": edit.url,
        "action": edit.action,
        "note": edit.note,
        "direct_gen_acc": right,
    }


def to_train(task: Task, question: Question) -> dict[str, Any]:
    """The columns of ASearcher-Base-35k, where `answer` is a list, and `id`, by which its trainer for reasoning
    models finds a row. The answer of a question that has none in its corpus is `unanswerable`."""
    return {
        "question": question.text,
        "answer": [question.answer],
        "aug_answer": list(question.answers[1:]),
        "source": task.source.generator,
        "id": task.id,
        "idx": task.id,
    }


def write_asearcher(tasks: Iterable[Task], folder: Path) -> int:
    """Write `synthesis.jsonl` and `train.jsonl`, a row in each for every question, and say how many. Raises DataError
    where there is none."""
    count = 0
    with jsonl.writing(folder / "synthesis.jsonl") as synthesis, jsonl.writing(folder / "train.jsonl") as train:
        for task, question in _questions(tasks):
            synthesis(to_synthesis(task, question))
            train(to_train(task, question))
            count += 1
    return count


def _questions(tasks: Iterable[Task]) -> Iterator[tuple[Task, Question]]:
    none = True
    for task in tasks:
        if task.question is not None:
            none = False
            yield task, task.question
    if none:
        raise DataError("there is no question among the tasks: none that is answered from a corpus")
