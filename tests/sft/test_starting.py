"""The program that trains is told all of its recipe, and what it says at its end is read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datafactory.errors import RunError
from sft.on_policy import OnPolicy
from sft.starting import trained, whole_recipe
from sft.trl import Trl

ECHO = "import sys, pathlib; job = pathlib.Path(sys.argv[1]); (job.parent / 'result.json').write_text(job.read_text())"


async def test_knobs_that_move_no_digest_reach_the_program(tmp_path: Path) -> None:
    spec = Trl(student="s", devices=4, batch=8, packs_at_once=2, save_every=7, accelerate=Path("fsdp.yaml"))
    told = (await trained(spec, tmp_path / "rows.parquet", tmp_path / "out", [sys.executable, "-c", ECHO]))["spec"]
    assert Trl.model_validate(told) == spec and told["save_every"] == 7 and "save_every" not in spec.describe()
    inner = OnPolicy.model_validate(
        {"student": "s", "teachers": {"a": {"model": "t", "base_url": "http://here:1/v1", "at_once": 3}}}
    )
    assert OnPolicy.model_validate(json.loads(json.dumps(whole_recipe(inner)))) == inner
    assert "base_url" not in inner.describe()["teachers"]["a"], "where a teacher is served shapes nothing"


async def test_a_finished_training_is_not_run_again_and_a_failed_one_is_told_of(tmp_path: Path) -> None:
    spec = Trl(student="s")
    (tmp_path / "result.json").write_text('{"rows": 3}')
    assert await trained(spec, tmp_path, tmp_path, ["/no/such/program"]) == {"rows": 3}
    with pytest.raises(RunError, match=r"(?s)status 3; .*training.log:\nno memory"):
        await trained(
            spec, tmp_path, tmp_path / "out", [sys.executable, "-c", "raise SystemExit(print('no memory') or 3)"]
        )


async def test_the_program_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    program = "import os, sys, time, pathlib; from sft.starting import end_with_starter; end_with_starter(); "
    program += "pathlib.Path(sys.argv[1]).with_name('pid').write_text(str(os.getpid())); time.sleep(60)"
    starter = (
        "import asyncio, sys; from pathlib import Path; from sft.starting import trained; from sft.trl import Trl; "
    )
    starter += "here = Path(sys.argv[1]); asyncio.run(trained(Trl(student='s'), here, here, sys.argv[2:]))"
    command = [sys.executable, "-c", starter, str(tmp_path), sys.executable, "-c", program]
    started = subprocess.Popen(command)
    while not (said := tmp_path / "pid").exists() or not said.read_text():
        assert started.poll() is None
        await asyncio.sleep(0.02)
    assert Path(f"/proc/{said.read_text()}").exists()
    started.send_signal(signal.SIGKILL)
    started.wait()
    until = time.monotonic() + 20
    while _lives(int(said.read_text())):
        assert time.monotonic() < until, "it goes on without the one that started it"
        await asyncio.sleep(0.02)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return "(zombie)" not in Path(f"/proc/{number}/status").read_text()
