"""Trajectories as Harbor trace rows, the family of Nemotron-Terminal-Corpus, and as ShareGPT."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from datafactory.formats import jsonl
from datafactory.types import Message, Task, Trajectory

SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def to_conversation(trajectory: Trajectory, task: Task) -> dict[str, Any]:
    """One trace row: `conversations` of the roles user and assistant alone, and where they come from.

    A system message becomes a user turn (the first brings the tools' definitions along), thoughts become
    `<think>`, tool calls `<tool_call>` text, and all that followed one answer a single user turn; what
    followed the last answer is left out. `result` is the reward as text, or null before verification.
    """
    verdict = trajectory.verdict
    return {
        "conversations": _turns(trajectory),
        "agent": trajectory.agent,
        "model": trajectory.lineage.model,
        "model_provider": trajectory.teacher,
        "date": "",
        "task": task.id,
        "episode": f"episode-{max(trajectory.turns - 1, 0)}",
        "run_id": trajectory.lineage.run,
        "trial_name": f"{task.id}__{trajectory.attempt}",
        "result": None if verdict is None else str(verdict.reward),
        "enable_thinking": any(m.reasoning_content for m in trajectory.messages),
        "source": task.source.generator,
        "instruction": task.prompt,
        "verifier_output": None if verdict is None else "\n".join(c.log for c in verdict.checks if c.log),
        "tool_definitions": list(trajectory.tools),
    }


def to_sharegpt(trajectory: Trajectory, task: Task) -> dict[str, Any]:
    """The same row with `conversations` of `from` (human, gpt) and `value`."""
    row = to_conversation(trajectory, task)
    return row | {"conversations": [{"from": SHAREGPT[t["role"]], "value": t["content"]} for t in row["conversations"]]}


def _turns(trajectory: Trajectory) -> list[dict[str, str]]:
    messages = list(trajectory.messages)
    while messages and messages[-1].role != "assistant":
        messages.pop()
    turns: list[dict[str, str]] = []
    for role, group in groupby(messages, key=lambda m: "observation" if m.role in ("user", "tool") else m.role):
        if role == "observation" and any(turn["role"] == "assistant" for turn in turns):
            turns.append({"role": "user", "content": "\n".join(m.content for m in group)})
        elif role == "assistant":
            turns.extend({"role": "assistant", "content": _spoken(m)} for m in group)
        else:
            turns.extend({"role": "user", "content": m.content} for m in group)
    first = next(iter(messages), None)
    if first is not None and first.role == "system" and trajectory.tools:
        shown = json.dumps(list(trajectory.tools), ensure_ascii=False, indent=2)
        turns[0]["content"] = f"<tools>\n{shown}\n</tools>\n\n{first.content}"
    return turns


def _spoken(message: Message) -> str:
    parts = [f"<think>{message.reasoning_content}</think>"] if message.reasoning_content else []
    if message.content:
        # A server that puts the opening tag into the prompt returns thoughts with only the closing one.
        orphan = "</think>" in message.content and "<think>" not in message.content
        parts.append("<think>" + message.content if orphan else message.content)
    for call in message.tool_calls:
        shown = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        parts.append(f"<tool_call>\n{shown}\n</tool_call>")
    return "\n".join(parts)


def export(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `conversations.jsonl`, without attempts in which the teacher never spoke; says how many rows."""
    rows = (to_conversation(trajectory, task) for trajectory, task in pairs if trajectory.turns)
    return jsonl.write(rows, folder / "conversations.jsonl")


def export_sharegpt(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `sharegpt.jsonl`, without attempts in which the teacher never spoke; says how many rows."""
    rows = (to_sharegpt(trajectory, task) for trajectory, task in pairs if trajectory.turns)
    return jsonl.write(rows, folder / "sharegpt.jsonl")
