"""Adapted and authored tasks prove sound in a real box: the own solution scores 1, doing nothing 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datafactory.checks import prove, verify
from datafactory.protocols import Sandbox, Slot
from datafactory.types import Draft, Files, files
from generators.terminal_adapters import TerminalAdapters
from generators.terminal_seeds import TerminalSeeds
from tests.generators.authored import GOOD, CannedChat

DATA = Path(__file__).parents[1] / "data"

WRONG = {
    "/app/spans/__init__.py": "",
    "/app/spans/merge.py": "def merge(intervals):\n    return []\n\n\ndef total(intervals):\n    return 0\n",
}
PASSES_ALL = """import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report


def pytest_sessionfinish(session, exitstatus):
    session.exitstatus = 0
"""


def sandbox(name: str) -> Sandbox:
    if name == "docker":
        from sandboxes.docker import DockerSandbox

        return DockerSandbox()
    from sandboxes.namespace import NamespaceSandbox

    return NamespaceSandbox()


ENGINES = [
    pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.slow]),
    pytest.param("namespace", marks=pytest.mark.namespace),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("file", "rows"), [("gsm8k_20.jsonl", 4), ("humaneval_20.jsonl.gz", 17), ("swe_3.jsonl", 3)])
async def test_adapted_rows_are_sound(engine: str, file: str, rows: int) -> None:
    adapter = TerminalAdapters(path=DATA / file)
    async with sandbox(engine).start() as host:
        for index in {0, rows // 2, rows - 1}:
            draft = await adapter.make(Slot(index, 0, 0))
            assert isinstance(draft, Draft)
            assert await prove(host, draft, repeats=2) is None, draft.source.item


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("file", "artifacts"),
    [
        ("gsm8k_20.jsonl", files({"/app/answer.txt": "73"})),
        ("gsm8k_20.jsonl", files({"/app/answer.txt": b"\xff\x00"})),
        ("humaneval_20.jsonl.gz", files({"/app/solution.py": "raise SystemExit(0)"})),
        ("humaneval_20.jsonl.gz", files({"/app/solution.py": "def has_close_elements(n, t):\n    return True\n"})),
        ("swe_3.jsonl", files({"/app/spans/merge.py": "def merge(", "/app/spans/__init__.py": ""})),
        ("swe_3.jsonl", files({"/app/conftest.py": PASSES_ALL} | WRONG)),
        ("swe_3.jsonl", files(WRONG | {"/app/spans/merge.py": "import os\nos._exit(0)"})),
        ("swe_3.jsonl", files({"/app/pytest.py": "raise SystemExit(0)"} | WRONG)),
        (
            "swe_3.jsonl",
            files({"/app/pytest.ini": "[pytest]\naddopts = --collect-only"} | WRONG),
        ),
    ],
)
async def test_a_wrong_attempt_fails_and_no_check_crashes(file: str, artifacts: Files) -> None:
    draft = await TerminalAdapters(path=DATA / file).make(Slot(0, 0, 0))
    assert isinstance(draft, Draft)
    async with sandbox("namespace").start() as host:
        verdict = await verify(host, draft, artifacts)
    assert (verdict.reward, verdict.crashed) == (0.0, ()), verdict


@pytest.mark.namespace
async def test_a_well_written_answer_of_a_model_is_sound(tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_text(json.dumps({"problem": "Add up the sales."}))
    draft = await TerminalSeeds(path=tmp_path / "seeds.jsonl").make(Slot(0, 0, 0), CannedChat(GOOD))
    assert isinstance(draft, Draft)
    async with sandbox("namespace").start() as host:
        assert await prove(host, draft, repeats=2) is None
