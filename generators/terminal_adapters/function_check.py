"""Runs in a box: calls a function that an agent wrote the way a dataset's test does, in a process of its own.

Arguments: the module, the function's name, the stub that the task showed, the dataset's test, seconds.
Exit status 0: passed; 1: the module or the function is wrong; 3: the test itself is broken.
The child proves that it came to the end by a number it was told; leaving early with status 0 passes nothing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LONGEST = 4000


def load(path: str) -> types.ModuleType:
    """The agent's module; what it imports from beside it comes after the standard library."""
    sys.path.append(str(Path(path).parent))
    spec = importlib.util.spec_from_file_location("solution", path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise FileNotFoundError(f"there is no {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["solution"] = module
    spec.loader.exec_module(module)
    return module


def tried(work: Callable[[], Any]) -> tuple[Any, str]:
    """What `work` gives, or the exception in one line."""
    try:
        return work(), ""
    except BaseException as error:  # noqa: BLE001  foreign code: whatever it raises, SystemExit too, is a finding
        return None, f"{type(error).__name__}: {error}"[:LONGEST]


def ready(stub: str, test: str) -> dict[str, Any]:
    """Names of the stub and of the test, its `check` among them."""
    scope: dict[str, Any] = {"__name__": "dataset_test"}
    for file in (stub, test):
        exec(compile(Path(file).read_text(), file, "exec"), scope)
    return scope if callable(scope["check"]) else {}


def examine(path: str, name: str, stub: str, test: str) -> tuple[int, str]:
    """Status and reason. The test may use what the stub defines, whatever the agent made of it."""
    scope, wrong = tried(lambda: ready(stub, test))
    if wrong or not scope:
        return 3, f"the test is broken: {wrong}"
    scope[name], wrong = tried(lambda: getattr(load(path), name))
    if wrong:
        return 1, f"cannot import {name} from {path}: {wrong}"
    _, wrong = tried(lambda: scope["check"](scope[name]))
    return (1, f"{name} is wrong: {wrong}") if wrong else (0, "passed")


def child(descriptor: int, arguments: Sequence[str]) -> None:
    """Examine, and report over the pipe."""
    proof = sys.stdin.readline().strip()
    path, name, stub, test = arguments
    status, reason = examine(path, name, stub, test)
    os.write(descriptor, json.dumps([proof, status, reason]).encode())
    os._exit(0)


def judge(arguments: Sequence[str], seconds: float) -> tuple[int, str]:
    """Run the child and read its report."""
    proof = secrets.token_hex(16)
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", __file__, "--child", str(writing), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(writing,),
        start_new_session=True,
    )
    os.close(writing)
    try:
        process.communicate(f"{proof}\n".encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        return 1, f"not done after {seconds:g} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    try:
        given, status, reason = json.loads(os.read(reading, 16 * LONGEST))
    except ValueError:
        return 1, f"the module ended the process before the test was done (status {process.returncode})"
    return (int(status), str(reason)) if given == proof else (1, "the report is forged")


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(int(sys.argv[2]), sys.argv[3:])
    outcome, why = judge(sys.argv[1:5], float(sys.argv[5]))
    print(why)
    sys.exit(outcome)
