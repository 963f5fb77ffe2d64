"""The terminal line of work with a real model on a real engine: a small Qwen3, taught by the oracle, served by vLLM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls.spending import Spent, spending

pytestmark = [pytest.mark.vllm, pytest.mark.train, pytest.mark.namespace, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MAKER = ROOT / "tests" / "models" / "small_model.py"
TASKS = 4
PATIENCE = 300.0
"""Seconds for one command on a busy machine; alone, the longest takes a fifth of it."""

PIPELINE = """
# Solutions of single lines: how a here-document looks on a screen depends on how busy the machine is.
name: {name}
seed: 3
teacher: {teacher}
sandbox: namespace
stages:
  - use: synthesize
    repeats: 1
    generators:
      - use: terminal_skills
        count: {tasks}
        skills_min: 1
        skills_max: 1
        only: [strip_comments, count_degrees, sort_unique, audit_modes]
        domains: [scientific_computing, data_querying, data_processing, security]
  - {{use: rollout, agent: {agent}, attempts: {attempts}, max_turns: 12, at_once: {at_once}}}
  - verify
  - {{use: select, filters: [solved, format]}}
  - {{use: arrange, curriculum: mixed}}
"""


class Works:
    """A folder in which pipelines run by the command line, with their servers' logs beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "small-model"

    def write(self, name: str, *, teacher: str, agent: str, attempts: int, at_once: int = 8) -> None:
        text = PIPELINE.format(name=name, teacher=teacher, agent=agent, attempts=attempts, at_once=at_once, tasks=TASKS)
        (self.folder / f"{name}.yaml").write_text(text)

    def on_vllm(self, name: str, **fields: Any) -> None:
        tuning = "{enforce-eager: true}"
        teacher = f"{{use: vllm, model: '{self.model}', temperature: 0, dtype: float32, tuning: {tuning}}}"
        self.write(name, teacher=teacher, **fields)

    def start(self, name: str) -> subprocess.Popen[str]:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "HF_HUB_OFFLINE": "1",
        }
        command = [sys.executable, "-c", "from datafactory.cli import main; main()", "run", f"{name}.yaml", "--json"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)

    def run(self, name: str) -> dict[str, Any]:
        process = self.start(name)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err[-4000:]
        said: dict[str, Any] = json.loads(out)
        return said

    def journal(self, name: str, stage: str) -> Path:
        (path,) = (self.folder / "runs" / name).glob(f"?-{stage}-*/records.jsonl")
        return path

    def rows(self, name: str, stage: str) -> list[dict[str, Any]]:
        whole = self.journal(name, stage).read_text().rpartition("\n")[0]  # a line may be being written
        return [json.loads(line) for line in whole.splitlines()]

    def spent(self, name: str) -> Spent:
        return spending(self.folder / "runs" / name / "calls.sqlite").total

    def logs(self) -> list[Path]:
        return sorted((self.folder / "state").glob("datafactory/vllm/*.log"))

    def servers(self) -> list[str]:
        """Command lines of live processes that serve the model; the workers of an engine end with its server."""
        lines = [_command_line(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [line for line in lines if f"serve {self.model}" in line]


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Works:
    """The model, taught what the oracle did on the very tasks that it will get."""
    made = Works(tmp_path_factory.mktemp("works"))
    agents = {"oracle-terminus": "terminus-2", "oracle-tools": "tools"}
    for name, agent in agents.items():
        made.write(name, teacher="{use: oracle, slip: 0}", agent=agent, attempts=1)
        made.run(name)
    journals = [str(made.journal(name, "rollout")) for name in agents]
    command = [sys.executable, str(MAKER), str(made.model), *journals]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return made


def test_a_model_on_vllm_types_into_terminals_and_its_solved_attempts_become_a_dataset(works: Works) -> None:
    works.on_vllm("terminus", agent="terminus-2", attempts=2)
    said = works.run("terminus")
    assert said["complete"] is True
    attempts = works.rows("terminus", "verify")
    assert len(attempts) == 2 * TASKS
    solved = {row["task_id"] for row in attempts if row["verdict"]["reward"] == 1.0}
    assert len(solved) >= TASKS / 2, [(row["stop"], row["verdict"]["reward"]) for row in attempts]
    for row in attempts:
        assert (row["teacher"], row["lineage"]["model"]) == ("vllm", str(works.model))
        assert row["usage"]["completion_tokens"] > 0
        assert row["usage"]["prompt_tokens"] > row["usage"]["cached_tokens"] > 0, "histories only grow"
    assert _table(works, "terminus") == solved
    assert works.servers() == []


def _table(works: Works, name: str) -> set[str]:
    """The tasks whose attempts are in the table that the run ends with, as `datasets` loads it."""
    from datasets import load_dataset

    (path,) = (works.folder / "runs" / name).glob("?-arrange-*/records.parquet")
    table = load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(works.folder / "cache"))
    for row in table:
        assert (row["teacher"], row["model"], row["solved"]) == ("vllm", str(works.model), True)
        assert [message["role"] for message in row["messages"]][:2] == ["user", "assistant"]
    return set(table["task_id"])


def test_a_run_that_is_over_starts_no_server_and_makes_no_call(works: Works) -> None:
    before, logs = works.spent("terminus"), works.logs()
    assert before.calls > 0
    works.run("terminus")
    assert works.spent("terminus") == before
    assert works.logs() == logs


def test_a_factory_killed_in_mid_rollout_leaves_no_server_and_pays_for_no_finished_attempt_twice(works: Works) -> None:
    works.on_vllm("tools", agent="tools", attempts=2, at_once=1)
    process = works.start("tools")
    until = time.monotonic() + PATIENCE
    while not _begun(works):
        assert process.poll() is None, process.communicate()[1][-4000:]
        assert time.monotonic() < until, "no attempt came to an end"
        time.sleep(0.05)
    process.kill()
    process.communicate()
    finished, paid = works.journal("tools", "rollout").read_bytes(), works.spent("tools")
    assert 0 < finished.count(b"\n") < 2 * TASKS
    begun = paid.calls - _turns(works.rows("tools", "rollout"))
    while works.servers():
        assert time.monotonic() < until, "a server outlived its factory"
        time.sleep(0.05)
    works.run("tools")
    assert works.journal("tools", "rollout").read_bytes().startswith(finished[: finished.rfind(b"\n") + 1])
    attempts = works.rows("tools", "verify")
    assert len({(row["task_id"], row["attempt"]) for row in attempts}) == len(attempts) == 2 * TASKS
    # The attempt in the middle is acted out again, and sees what `ls -l` says in another minute.
    assert 0 <= works.spent("tools").calls - _turns(attempts) <= begun, "a finished attempt was paid for twice"
    assert sum(row["verdict"]["reward"] == 1.0 for row in attempts) >= TASKS
    assert any(message.get("tool_calls") for row in attempts for message in row["messages"])


def _begun(works: Works) -> bool:
    """Whether an attempt is over and the one after it has been answered."""
    if not list((works.folder / "runs" / "tools").glob("?-rollout-*/records.jsonl")):
        return False
    rows = works.rows("tools", "rollout")
    return bool(rows) and works.spent("tools").calls > _turns(rows)


def _turns(rows: list[dict[str, Any]]) -> int:
    """How often the model spoke."""
    return sum(message["role"] == "assistant" for row in rows for message in row["messages"])
