"""`kill -9` of a real vLLM server, and then of the factory, in the middle of calls: the benchmark at a small scale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.vllm, pytest.mark.train, pytest.mark.slow]

KILLS = Path(__file__).parents[2] / "benchmarks" / "kills.py"
CALLS = 200


def test_what_is_killed_in_mid_run_loses_nothing_and_sends_again_what_was_in_flight_alone() -> None:
    command = [sys.executable, str(KILLS), "--calls", str(CALLS), "--at-once", "24", "--tokens", "96"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    said = json.loads(done.stdout)
    assert (said["calls"], said["lost"], said["doubled"], said["unexplained"]) == (CALLS, 0, 0, 0), said
    assert said["sent"] == CALLS + said["resent"]
    for killed in ("server", "factory"):
        assert 0 < said["in_flight"][killed] < CALLS, "it was not killed in the middle of calls"
        assert said["resent_after"][killed] <= said["in_flight"][killed], said
