"""The check of a task: applies the attempt's patch, puts the held-out tests back, runs them and rules."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from .protect import Protected
from .rebuild import rebuild, sources
from .start import fresh
from .supervise import adopt_orphans, run

_CANARY = "import unittest\n\n\nclass Test{name}(unittest.TestCase):\n    def test_{name}(self):\n        self.fail()\n"
"""A test that must fail: where it passes, results are made up."""


def main(home: str) -> None:
    """Rule by ``home/tests.json``: exit status 0 where each test passed, else 1."""
    given = Path(home, "tests.json")
    order = json.loads(given.read_bytes())
    held_out = {name: (Path(home, "held_out", name).read_bytes(), mode) for name, mode in order["held_out"].items()}
    given.unlink()  # what is tested shall not read what it must come to
    shutil.rmtree(Path(home, "held_out"), ignore_errors=True)
    adopt_orphans()
    counts = _judge(order, held_out, home)
    solved = all(passed == total for passed, total in counts.values())
    print(json.dumps(counts), flush=True)
    if order["reward_file"]:
        product = 1.0
        for passed, total in counts.values():
            product *= passed / total if total else 1.0
        Path(order["reward_file"]).write_text(repr(product))
    sys.exit(0 if solved else 1)


def _judge(order: dict[str, Any], held_out: dict[str, tuple[bytes, int]], home: str) -> dict[str, list[int]]:
    folder = Path(order["folder"])
    wanted = {"f2p": order["fail_to_pass"], "p2p": order["pass_to_pass"]}
    tests = [test for group in wanted.values() for test in group]
    builds = ["setup.py"] if order["rebuild"] else []
    protected = Protected(folder, [*held_out, *(test.split("::", 1)[0] for test in tests), *builds])
    before = sources(folder) if order["rebuild"] else {}
    problem = apply(Path(order["patch"]), folder)
    if problem:
        print(f">>>>> Patch Apply Failed\n{problem}")
        return {name: [0, len(group)] for name, group in wanted.items()}
    print(">>>>> Applied Patch")
    protected.restore()
    protected.write(held_out)
    for name in order["gone"]:
        Path(folder, name).unlink(missing_ok=True)
    for cache in list(folder.rglob("__pycache__")):  # may be of another text, or of another's making
        shutil.rmtree(cache, ignore_errors=True)
    if order["rebuild"] and sources(folder) != before:
        problem, seconds = rebuild(order["rebuild"], order["python"], home, order["timeout"])
        order["timeout"] = max(1.0, order["timeout"] - seconds)
        if problem:
            print(f">>>>> Build Failed\n{problem}")
            return {name: [0, len(group)] for name, group in wanted.items()}
        print(">>>>> Built Extension Modules")
    results = _run(order, tests)
    print(">>>>> Start Test Output")
    for test in sorted(tests, key=lambda test: (results[test]["outcome"] != "passed", test)):
        word = "PASSED" if results[test]["outcome"] == "passed" else "FAILED"
        # A summary of pytest's own would be taken for a check that broke: see datafactory/ruling.py.
        said = results[test].get("message", "").replace(" FAILURES ", " failures ")
        print(f"{word} {test}{' - ' if said else ''}{said}"[:500])
    print(">>>>> End Test Output")
    return {
        name: [sum(results[test]["outcome"] == "passed" for test in group), len(group)]
        for name, group in wanted.items()
    }


def _run(order: dict[str, Any], tests: list[str]) -> dict[str, Any]:
    name = secrets.token_hex(6)
    canary = Path(order["folder"], f"test_{name}.py")
    canary.write_text(_CANARY.format(name=name))
    decoy = f"{canary.name}::Test{name}::test_{name}"
    request = {
        "folder": order["folder"],
        "arguments": order["arguments"],
        "tests": [*tests, decoy],
        "timeout": order["timeout"],
        "each": order["each"],
    }
    try:
        results: dict[str, Any] = run(request, partial(fresh, order["python"]))["results"]
    finally:
        canary.unlink(missing_ok=True)
    if results[decoy]["outcome"] in ("passed", "xpassed"):
        print("a test that must fail passed: the code under test makes results up")
        return {test: {"outcome": "failed", "message": "made up"} for test in tests}
    return results


def apply(patch: Path, folder: Path) -> str:
    """Apply a patch, by git or else by patch(1); empty, or why it could not be done. No patch: nothing to do."""
    if not patch.is_file() or not patch.read_bytes().strip():
        return ""
    environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    said = ""
    for argv in (
        ["git", "-c", "safe.directory=*", "apply", "--whitespace=nowarn", str(patch)],
        ["patch", "--batch", "--forward", "--dry-run", "-p1", "-i", str(patch)],
    ):
        try:
            done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
        except FileNotFoundError:
            said += f"{argv[0]}: not installed\n"
            continue
        if done.returncode == 0 and "--dry-run" in argv:
            argv.remove("--dry-run")
            done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return ""
        said += done.stdout + done.stderr
    return said.strip()[-1000:] or "the patch does not apply"
