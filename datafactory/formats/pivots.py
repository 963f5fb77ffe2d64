"""Pivots as rows for reinforcement learning: those of NeMo-Gym's `swe_pivot` and `terminus_judge`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.formats.responses import function, items
from datafactory.swe_facts import swe_facts
from datafactory.types import Message, Pivot, Task

CALLS, ANSWERS = "swe_pivot.jsonl", "terminus_judge.jsonl"
"""Files for turns of tool calls and of tags, and for turns at a terminal."""
AGENTS = {CALLS: "swe_pivot_tool_simulation_agent", ANSWERS: "terminus_judge_simple_agent"}
"""Agents that NeMo-Gym's configurations of these servers name."""
THRESHOLD = 0.95
"""Of string similarity, from which on `terminus_judge` asks no judge (its `string_similarity_threshold`)."""


def to_row(pivot: Pivot, task: Task) -> tuple[str, dict[str, Any]] | None:
    """The file that a pivot belongs to, and its row; None: a row has no place for its turn, which makes several calls,
    or is no whole JSON object."""
    file = ANSWERS if pivot.agent == "terminus-2" else CALLS
    expected = _typed(pivot) if file == ANSWERS else _expected(pivot, task)
    if expected is None:
        return None
    asked: dict[str, Any] = {"input": items(pivot.messages)}
    if pivot.tools:
        tools = [function(tool) for tool in pivot.tools]
        asked |= {"tools": tools, "parallel_tool_calls": False, "tool_choice": "auto"}
    return file, {
        "uuid": pivot.id,
        "responses_create_params": asked,
        **expected,
        "agent_ref": {"type": "responses_api_agents", "name": AGENTS[file]},
        "pass_rate": pivot.mean,
        "pass_rate_total": pivot.total,
        "pass_rate_passed": pivot.passed,
        "dataset": pivot.lineage.run,
        "metadata": _metadata(pivot),
    }


def _expected(pivot: Pivot, task: Task) -> dict[str, Any] | None:
    calls = [call for call in pivot.expected.tool_calls if call.name != "think"] or list(pivot.expected.tool_calls)
    if len(calls) > 1:
        return None
    if calls:
        text = json.dumps(calls[0].arguments, ensure_ascii=False)
        action = {"type": "function_call", "name": calls[0].name, "arguments": text}
    else:
        action = {"type": "message", "content": pivot.expected.content}
    facts = swe_facts(task)
    patch = {} if facts is None else {"ref_patch": facts.fix}
    return {"expected_action": action, **patch, "pivot_tags": []}


def _typed(pivot: Pivot) -> dict[str, Any] | None:
    answer = _answer(pivot.expected)
    return None if answer is None else {"expected_answer": answer, "threshold": THRESHOLD}


def _answer(expected: Message) -> str | None:
    """The turn as one JSON object, without what stood around it; None: it has to be mended before it is one."""
    text = expected.content
    try:
        whole = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except ValueError:
        return None
    return json.dumps(whole, ensure_ascii=False)


def _metadata(pivot: Pivot) -> dict[str, Any]:
    return {
        "harness": "terminus_2" if pivot.agent == "terminus-2" else pivot.agent,
        "category": "first_round" if pivot.turn == 0 else "others",
        "task": pivot.task_id,
        "domain": pivot.domain,
        "source_trajectory_uid": f"{pivot.task_id}/{pivot.attempt}",
        "pivot_agent_turn_index": pivot.turn,
        "total_source_agent_turns": pivot.turns,
        "teacher_model": pivot.expert_model,
        "profiled_model": pivot.lineage.model,
        "source_reward": pivot.reward,
        "verifier": pivot.verifier,
    }


def export(pairs: Iterable[tuple[Pivot, Task]], folder: Path) -> int:
    """Write `swe_pivot.jsonl` and `terminus_judge.jsonl`, each where there are rows for it; says how many rows. Raises
    DataError where there is none."""
    count = 0
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for pivot, task in pairs:
            made = to_row(pivot, task)
            if made is None:
                continue
            if made[0] not in files:
                files[made[0]] = stack.enter_context(jsonl.writing(folder / made[0]))
            files[made[0]](made[1])
            count += 1
    if not count:
        raise DataError("these rows have no place for any of the pivots: turns of several calls, or of broken JSON")
    return count
