"""Trajectories as ATIF documents (Harbor's RFC 0001, version 1.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datafactory import __version__
from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.types import Message, Task, Trajectory

SCHEMA = "ATIF-v1.7"
"""The oldest version that knows `llm_call_count`; 1.8 adds only audio."""


NO_MODEL = ("oracle", "scripted")
"""What teachers that ask no model call themselves in a reply: the embedded expert, and replayed answers."""


def to_atif(trajectory: Trajectory, task: Task) -> dict[str, Any]:
    """The trajectory as one ATIF document. Raises DataError for one without messages.

    What follows an agent's step, until it speaks again, is that step's observation, as Terminus 2 writes
    it. The format has no place for a verdict: reward, checks, stop reason and lineage lie under `extra`.
    Tokens are counted over the attempt, not by step, so there are `final_metrics` and no `metrics`.
    """
    if not trajectory.messages:
        raise DataError(f"trajectory {trajectory.id!r} has no messages: ATIF wants at least one step")
    steps = _steps(trajectory)
    usage = trajectory.usage
    agent = {
        "name": trajectory.agent,
        "version": trajectory.lineage.code_version or __version__,
        "model_name": None if _model_calls(trajectory) == 0 else trajectory.lineage.model or None,
        "tool_definitions": list(trajectory.tools) or None,
        "extra": {"teacher": trajectory.teacher},
    }
    return _without_none(
        {
            "schema_version": SCHEMA,
            "session_id": trajectory.lineage.run or None,
            "trajectory_id": trajectory.id,
            "agent": _without_none(agent),
            "steps": steps,
            "final_metrics": {
                "total_prompt_tokens": usage.prompt_tokens,
                "total_completion_tokens": usage.completion_tokens,
                "total_cached_tokens": usage.cached_tokens,
                "total_steps": len(steps),
            },
            "extra": _extra(trajectory, task),
        }
    )


def _steps(trajectory: Trajectory) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for place, message in enumerate(trajectory.messages):
        if message.role == "assistant":
            step = _agent_step(message, _model_calls(trajectory), saw_more=place < trajectory.compacted)
        elif message.role != "system" and steps and steps[-1]["source"] == "agent":
            results = steps[-1].setdefault("observation", {"results": []})["results"]
            results.append(_result(message, steps[-1]))
            continue
        else:
            step = {"source": "system" if message.role == "system" else "user", "message": message.content}
        steps.append({"step_id": len(steps) + 1, **step})
    return steps


def _agent_step(message: Message, model_calls: int | None, *, saw_more: bool) -> dict[str, Any]:
    extra: dict[str, Any] = {"fault": message.fault} if message.fault else {}
    if saw_more:  # what it answered was shortened later
        extra["saw_more"] = True
    thought = message.reasoning_content
    if thought is not None and model_calls == 0:  # the format forbids reasoning where no model was asked
        extra["reasoning_content"], thought = thought, None
    calls = [
        {"tool_call_id": call.id, "function_name": call.name, "arguments": call.arguments}
        for call in message.tool_calls
    ]
    return _without_none(
        {
            "source": "agent",
            "message": message.content,
            "reasoning_content": thought,
            "tool_calls": calls or None,
            "llm_call_count": model_calls,
            "extra": extra or None,
        }
    )


def _model_calls(trajectory: Trajectory) -> int | None:
    """Calls of a model behind one step; 0 is the format's "deterministic dispatch". None: not known."""
    if (trajectory.lineage.model or trajectory.teacher) in NO_MODEL:
        return 0
    return 1 if trajectory.lineage.model else None


def _result(message: Message, step: Mapping[str, Any]) -> dict[str, Any]:
    known = {call["tool_call_id"] for call in step.get("tool_calls", ())}
    source = message.tool_call_id if message.tool_call_id in known else None
    return _without_none({"source_call_id": source, "content": message.content})


def _extra(trajectory: Trajectory, task: Task) -> dict[str, Any]:
    verdict, asked = trajectory.verdict, task.question
    return _without_none(
        {
            "task_id": task.id,
            "task_digest": task.digest,
            "instruction": task.prompt,
            "attempt": trajectory.attempt,
            "stop": trajectory.stop,
            "corpus": asked and asked.corpus,
            "answer": trajectory.answer,
            "answers": asked and list(asked.answers),
            "evidence": asked and list(asked.evidence),
            "found": list(trajectory.found) if asked else None,
            "visited": list(trajectory.visited) if asked else None,
            "seconds": trajectory.seconds,
            "student_tokens": trajectory.student_tokens,
            "reward": None if verdict is None else verdict.reward,
            "checks": None if verdict is None else [c.model_dump(mode="json", exclude={"log"}) for c in verdict.checks],
            "lineage": trajectory.lineage.model_dump(mode="json"),
        }
    )


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def validate(document: Mapping[str, Any]) -> None:
    """Raise DataError, with every place named, where `document` is not ATIF 1.7."""
    from pydantic import ValidationError

    from datafactory.formats.atif_schema import AtifTrajectory

    try:
        AtifTrajectory.model_validate(document)
    except ValidationError as error:
        found = (f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
        raise DataError("not ATIF: " + "; ".join(found)) from error


def export(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `atif.jsonl`, one document a line, each validated, and say how many."""

    def documents() -> Iterable[dict[str, Any]]:
        for trajectory, task in pairs:
            document = to_atif(trajectory, task)
            validate(document)
            yield document

    return jsonl.write(documents(), folder / "atif.jsonl")
