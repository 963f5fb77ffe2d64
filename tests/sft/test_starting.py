"""The program that trains is told all of its recipe, and what it says at its end is read."""

from __future__ import annotations

import json
import sys
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
