"""What an SWE task knows of its repository and its bug, as its generator left it in the facts of its source."""

from __future__ import annotations

from pydantic import ConfigDict, ValidationError

from datafactory.errors import DataError
from datafactory.types import Record, Task, Trajectory

PATCH = "/run/model.patch"
"""The artifact of an SWE task: what an attempt changed, as `git diff` shows it."""


class SweFacts(Record):
    """The repository, the bug, and the tests that tell whether it is mended."""

    model_config = ConfigDict(extra="ignore")

    instance_id: str
    """Of SWE-smith's form: `<owner>__<repo>.<8 digits of the commit>.<kind of bug>__<hash>`."""
    repo: str
    """`toolz`, or `owner__name`."""
    version: str = ""
    base_commit: str = ""
    """Full id of the commit that `patch` breaks; empty: the repository has none."""
    bug_kind: str = ""
    patch: str = ""
    """Unified diff that makes the bug; empty: the commit itself has it."""
    fix: str = ""
    """Unified diff that mends it."""
    test_patch: str = ""
    fail_to_pass: tuple[str, ...] = ()
    """Ids of tests that fail with the bug and pass without."""
    pass_to_pass: tuple[str, ...] = ()
    """Ids of tests that pass with and without."""
    held_out: tuple[str, ...] = ()
    """Test files that judge an attempt, relative to the repository."""
    problem_statement: str = ""
    """The issue alone; empty: the task's prompt is all there is."""
    hints_text: str = ""
    created_at: str = ""
    """When the bug was reported or mended, as its record says it; empty: no record does."""


def swe_facts(task: Task) -> SweFacts | None:
    """None: it is no SWE task (its facts name no `instance_id`). Raises DataError for facts that are not as they
    should be, with their names."""
    if "instance_id" not in task.source.facts:
        return None
    try:
        return SweFacts.model_validate(task.source.facts)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DataError(f"task {task.id!r}: facts of its source: {wrong}") from error


def model_patch(trajectory: Trajectory, task: Task) -> str | None:
    """What the attempt changed; empty: nothing, or nothing was left; None: the task asks for no patch.

    Bytes that are no UTF-8 are replaced, so that a patch of such lines does not apply.
    """
    if PATCH not in task.artifacts:
        return None
    left = trajectory.artifacts.get(PATCH)
    return "" if left is None else left.text
