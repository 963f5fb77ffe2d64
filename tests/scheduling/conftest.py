"""Jobs of a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafactory.scheduling import Job
from datafactory.scheduling.job import read_job

PIPELINE = """\
name: powers
seed: 3
teacher: oracle
sandbox: namespace
stages:
  - use: synthesize
    generators: [{use: terminal_skills, count: 2}]
  - {use: rollout, attempts: 1}
  - verify
  - {use: select, filters: [solved, duplicate]}
  - {use: arrange, curriculum: mixed}
"""

Write = Callable[..., Job]


@pytest.fixture
def job(tmp_path: Path) -> Write:
    """Writes a job's file, beside a pipeline, and reads it."""
    (tmp_path / "powers.yaml").write_text(PIPELINE)
    (tmp_path / "jobs").mkdir()

    def write(name: str = "nightly", **keys: Any) -> Job:
        path = tmp_path / "jobs" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"pipeline": "../powers.yaml", "cron": "0 3 * * *", **keys}))
        return read_job(path)

    return write
