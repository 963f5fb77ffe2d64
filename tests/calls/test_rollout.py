"""The real rollout, in real boxes: a finished one that is repeated makes no call and gives the same rows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls import CALLS, spending
from datafactory.pipeline import Execution, load, set_aside
from datafactory.storage import rows

FILE = """
name: real
seed: 3
teacher: {{use: openai, model: served-model, base_url: '{url}'}}
sandbox: namespace
stages:
  - use: synthesize
    generators: [{{use: terminal_skills, count: 3}}]
  - {{use: rollout, attempts: 2, agent: tools, max_turns: 6}}
  - verify
"""


def called(server: Any, number: int, name: str, **arguments: str) -> Any:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    return server.completion(f"step {number}", tool_calls=[call], finish_reason="tool_calls", usage=usage)


@pytest.mark.namespace
async def test_a_rollout_that_is_made_anew_is_played_from_the_ledger(tmp_path: Path, server: Any) -> None:
    def answer(number: int) -> Any:
        turns = sum(message["role"] == "assistant" for message in served.bodies[number]["messages"])
        if turns == 3:
            return called(server, number, "submit")
        return called(server, number, "bash", command=f"echo {number} >> note.txt && cat note.txt")

    async with server.serving(answer) as served:
        (tmp_path / "real.yaml").write_text(FILE.format(url=served.url))
        pipeline, folder = load(tmp_path / "real.yaml"), tmp_path / "runs" / "real"

        async def made() -> dict[str, dict[str, Any]]:
            execution = Execution(pipeline, folder)
            await asyncio.wait_for(execution.run(), 120)
            assert execution.complete
            (path,) = folder.glob("3-verify-*/records.jsonl")
            kept = {f"{row['task_id']}/{row['attempt']}": row for row in rows(path)}
            return {key: {**row, "seconds": 0.0} for key, row in kept.items()}

        first = await made()
        sent = len(served.bodies)
        assert sent == 3 * 2 * 4
        set_aside(pipeline, folder, "rollout")
        assert await made() == first
        assert len(served.bodies) == sent
        assert spending(folder / CALLS).by("stage")["rollout"].calls == sent
        assert {row["stop"] for row in first.values()} == {"submitted"}
