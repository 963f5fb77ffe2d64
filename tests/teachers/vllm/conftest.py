"""What tests of the vllm teacher share: a stand-in for the program, and a small model that the real one serves."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datafactory.teachers.vllm import command
from datafactory.teachers.vllm.process import Process, free_port
from datafactory.teachers.vllm.program import Program, find
from datafactory.teachers.vllm.teacher import VLLMTeacher

FAKE = Path(__file__).with_name("fake_vllm.py")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Logs and reports of a test go into its own folder, and nothing of this machine's setting leads it astray."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("DATAFACTORY_VLLM_URL", "CUDA_VISIBLE_DEVICES", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state" / "datafactory" / "vllm"


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., VLLMTeacher]:
    """A teacher whose program is the stand-in."""
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{FAKE.read_text(encoding='utf-8')}", encoding="utf-8")
    program.chmod(0o755)

    def teacher(**fields: Any) -> VLLMTeacher:
        return VLLMTeacher(**{"model": "fake-model", "program": str(program), "start_seconds": 30.0} | fields)

    return teacher


@pytest.fixture(scope="session")
def vllm() -> Program:
    """The real program; tests that ask for it are marked `vllm`."""
    found = find()
    assert found is not None, "the engine vllm is required, and there is no such program"
    return found


@pytest.fixture(scope="session")
def small_model(vllm: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was made on the spot."""
    folder = tmp_path_factory.mktemp("models") / "small-qwen3-instruct"
    texts = sorted(map(str, (Path(__file__).parents[3] / "docs").glob("*.md")))
    python = vllm.path.parent / "python"
    subprocess.run([python, Path(__file__).with_name("make_model.py"), folder, *texts], check=True)
    return folder


@pytest.fixture(scope="session")
def real_environment() -> Iterator[dict[str, str]]:
    """What the real program is given on a machine of any size."""
    given = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, os.environ.get(name, value))
        yield dict(os.environ)


@pytest.fixture(scope="session")
def served(
    vllm: Program, small_model: Path, real_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a server that is up for all tests, started with our own command line and ended by our keeper."""
    spec = VLLMTeacher(model=str(small_model), tuning={"enforce-eager": True})
    log, port = tmp_path_factory.mktemp("log") / "vllm.log", free_port()
    log.touch()
    environment = command.environment(vllm.path, None, real_environment)
    server = Process(command.argv(spec, vllm, port), environment, log)
    try:
        until = time.monotonic() + 300
        while not _ready(port):
            assert server.code is None, server.explanation()
            assert time.monotonic() < until, log.read_text()[-4000:]
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run(server.stop())


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
