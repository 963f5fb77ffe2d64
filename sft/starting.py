"""Runs a training as a program of its own, so that its memory and its threads end with it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from datafactory.errors import RunError

LIFELINE = "DATAFACTORY_LIFELINE"
"""Set for a program whose standard input ends when the one that started it does."""
_TOLD = 2000
"""Characters of the end of a failed program's words that are shown."""


async def trained(spec: BaseModel, table: Path, folder: Path, command: Sequence[str]) -> dict[str, Any]:
    """What the program `command` says of its training in `folder/result.json`; it is not run where that is there.

    The program is given `folder/job.json`: the table, and every field of the recipe. Raises RunError with the end of
    what the program said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "result.json"
    if not done.exists():
        job = folder / "job.json"
        job.write_text(json.dumps({"table": str(table.resolve()), "spec": whole_recipe(spec)}, indent=1))
        await _run([*command, str(job)], folder / "training.log")
    facts: dict[str, Any] = json.loads(done.read_bytes())
    return facts


def end_with_starter() -> None:
    """For the program: end at once when the one that started it is gone, however that ended. The same command starts
    another, and two would write in one folder."""
    if os.environ.get(LIFELINE):
        threading.Thread(target=_until_gone, daemon=True).start()


def _until_gone() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def whole_recipe(spec: BaseModel) -> dict[str, Any]:
    """Every field as JSON, those too that are left out of digests: `model_dump` drops them."""
    return {name: _plain(getattr(spec, name)) for name in type(spec).model_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return whole_recipe(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


async def _run(command: Sequence[str], log: Path) -> None:
    with log.open("ab") as words:
        program = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=words, stderr=words, env={**os.environ, LIFELINE: "1"}
        )
        try:
            status = await program.wait()
        finally:
            if program.returncode is None:
                program.terminate()
                await program.wait()
    if status:
        end = log.read_text(errors="replace")[-_TOLD:]
        raise RunError(f"training ended with status {status}; the end of {log}:\n{end}")
