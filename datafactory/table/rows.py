"""One attempt as one flat row, and back as a training example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from datafactory.errors import DataError
from datafactory.swe_facts import model_patch, swe_facts
from datafactory.table.text import json_text
from datafactory.types import Example, Message, Task, ToolCall, Trajectory, digest_of


def row(trajectory: Trajectory, task: Task) -> dict[str, Any]:
    """The attempt with its task, one value for each of `COLUMNS`. Raises DataError if they do not belong together.

    The superset of public trajectory rows: Open-SWE-Traces' `messages`, `tools` and `resolved`,
    Nemotron's `train_turns`, a verdict with partial credit, and lineage.
    """
    if trajectory.task_id != task.id:
        raise DataError(f"trajectory {trajectory.id!r} is an attempt at another task than {task.id!r}")
    verdict, messages, facts, asked = trajectory.verdict, trajectory.messages, swe_facts(task), task.question
    return {
        "id": trajectory.id,
        "task_id": task.id,
        "attempt": trajectory.attempt,
        "instruction": task.prompt,
        "domain": task.domain,
        "skills": list(task.skills),
        "difficulty": task.difficulty,
        "generator": task.source.generator,
        "teacher": trajectory.teacher,
        "agent": trajectory.agent,
        "model": trajectory.lineage.model,
        "license": task.source.license,
        "repo": facts.repo if facts else "",
        "instance_id": facts.instance_id if facts else "",
        "messages": [message.wire() for message in messages],
        "tools": list(trajectory.tools),
        "train_turns": _train_turns(trajectory),
        "masked": [],
        "stop": trajectory.stop,
        "reward": None if verdict is None else verdict.reward,
        "solved": None if verdict is None else verdict.solved,
        "resolved": -1 if verdict is None else int(verdict.solved),
        "checks": [] if verdict is None else [c.model_dump(exclude={"log"}) for c in verdict.checks],
        "violations": [violation.model_dump() for violation in trajectory.violations],
        "model_patch": model_patch(trajectory, task),
        "held_out": list(facts.held_out) if facts else [],
        "corpus": asked.corpus if asked else "",
        "answer": trajectory.answer,
        "answers": list(asked.answers) if asked else [],
        "evidence": list(asked.evidence) if asked else [],
        "found": list(trajectory.found),
        "visited": list(trajectory.visited),
        "scores": [score.model_dump() for score in (*task.scores, *trajectory.scores)],
        "cluster": None,
        "topic": None,
        "n_turns": trajectory.turns,
        "n_messages": len(messages),
        "n_faults": sum(message.fault is not None for message in messages if message.role == "assistant"),
        "n_chars": n_chars(messages),
        "prompt_tokens": trajectory.usage.prompt_tokens,
        "completion_tokens": trajectory.usage.completion_tokens,
        "student_tokens": trajectory.student_tokens,
        "seconds": trajectory.seconds,
        "content_hash": content_hash(messages),
        "task": json_text(task.model_dump(mode="json")),
        "task_digest": task.digest,
        "origin": "",
        "lineage": trajectory.lineage.model_dump(mode="json"),
    }


def _train_turns(trajectory: Trajectory) -> list[bool]:
    """For each message, whether it is an answer without a fault, to just what the row shows before it."""
    return [
        message.role == "assistant" and message.fault is None and place >= trajectory.compacted
        for place, message in enumerate(trajectory.messages)
    ]


def row_key(made: Mapping[str, Any]) -> tuple[str, int]:
    """What rows are sorted by: the task, then the attempt."""
    return (made["task_id"], made["attempt"])


def content_hash(messages: tuple[Message, ...]) -> str:
    """Digest (32 hex digits) of what was said; ids of tool calls, which servers draw at random, do not count."""
    return digest_of([_said(message) for message in messages], length=32)


def _said(message: Message) -> list[Any]:
    calls = [[call.name, call.arguments] for call in message.tool_calls]
    return [message.role, message.content, message.reasoning_content, message.name, calls]


def n_chars(messages: tuple[Message, ...]) -> int:
    """Characters of content, reasoning and tool arguments."""
    return sum(_chars(message) for message in messages)


def _chars(message: Message) -> int:
    calls = sum(len(json.dumps(call.arguments, ensure_ascii=False)) for call in message.tool_calls)
    return len(message.content) + len(message.reasoning_content or "") + calls


def example(made: Mapping[str, Any]) -> Example:
    """The training example in a row that has a `rank`, as `datasets` yields it (JSON columns decoded)."""
    return Example(
        rank=made["rank"],
        phase=made.get("phase"),
        task_id=made["task_id"],
        attempt=made["attempt"],
        messages=tuple(_message(wire) for wire in made["messages"]),
        tools=tuple(made["tools"]),
        train_turns=tuple(made["train_turns"]),
    )


def _message(wire: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"])
        for call in wire.get("tool_calls", ())
    )
    return Message(**{**wire, "tool_calls": calls})
