"""SWE tasks as instance rows of SWE-bench and of SWE-smith."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.swe_facts import SweFacts, swe_facts
from datafactory.types import Task

SWESMITH = "swesmith/"
"""Before a repository in rows whose `patch` makes the bug."""


def to_swe_bench(task: Task, facts: SweFacts) -> dict[str, Any]:
    """The instance columns of SWE-bench, and `bug_patch`.

    `patch` is the fix. What an attempt starts from is `base_commit` with `bug_patch`, which is empty where the commit
    itself has the bug, as it has in SWE-bench's own rows; who leaves it out finds that `patch` does not apply.
    """
    return {
        "repo": facts.repo.replace("__", "/", 1),
        "instance_id": facts.instance_id,
        "base_commit": facts.base_commit,
        "patch": facts.fix,
        "test_patch": facts.test_patch,
        "problem_statement": facts.problem_statement or task.prompt,
        "hints_text": facts.hints_text,
        "created_at": facts.created_at,
        "version": facts.version,
        "FAIL_TO_PASS": json.dumps(facts.fail_to_pass),
        "PASS_TO_PASS": json.dumps(facts.pass_to_pass),
        "environment_setup_commit": facts.base_commit,
        "bug_patch": facts.patch,
    }


def to_swe_smith(task: Task, facts: SweFacts) -> dict[str, Any]:
    """The columns of SWE-smith, where `patch` makes the bug and lists are lists.

    `repo` is the name that SWE-smith's profiles have, `swesmith/<owner>__<repo>.<commit8>`; nobody keeps a mirror of
    that name. `image_name` is the layer's, which is on the machine that made the task.
    """
    return {
        "instance_id": facts.instance_id,
        "repo": SWESMITH + (facts.instance_id.rpartition(".")[0] or facts.repo),
        "patch": facts.patch,
        "FAIL_TO_PASS": list(facts.fail_to_pass),
        "PASS_TO_PASS": list(facts.pass_to_pass),
        "created_at": facts.created_at,
        "image_name": task.image,
        "base_commit": facts.base_commit,
        "problem_statement": facts.problem_statement or task.prompt,
    }


def write_swe_bench(tasks: Iterable[Task], folder: Path) -> int:
    """Write `swe-bench.jsonl`, a row for each SWE task, and say how many. Raises DataError where there is none."""
    return jsonl.write((to_swe_bench(task, facts) for task, facts in _swe(tasks)), folder / "swe-bench.jsonl")


def write_swe_smith(tasks: Iterable[Task], folder: Path) -> int:
    """Write `swe-smith.jsonl`, a row for each SWE task with a patch that makes its bug, and say how many. Raises
    DataError where there is no SWE task."""
    rows = (to_swe_smith(task, facts) for task, facts in _swe(tasks) if facts.patch)
    return jsonl.write(rows, folder / "swe-smith.jsonl")


def _swe(tasks: Iterable[Task]) -> Iterator[tuple[Task, SweFacts]]:
    none = True
    for task in tasks:
        if (facts := swe_facts(task)) is not None:
            none = False
            yield task, facts
    if none:
        raise DataError("there is no SWE task among them: none whose source's facts name an `instance_id`")
