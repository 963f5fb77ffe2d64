"""Judges an exported task inside Harbor: copied to `tests/`, where it runs every check and leaves the reward.

Needs Python 3.8 and nothing else. A check that breaks leaves no reward: Harbor then reports an error, which is
what a broken check is, and not an attempt that scored 0.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Optional, Tuple  # noqa: UP035  boxes may have an old Python

HERE = Path(__file__).parent
GENUINE = ("AssertionError", "OSError", "FileNotFoundError", "IsADirectoryError", "NotADirectoryError", "Failed")


def place(files: Dict[str, Dict[str, str]]) -> None:  # noqa: UP006
    """Put what a check brings along where it wants it."""
    for path, file in files.items():
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.exists():
            target.unlink()
        if "link" in file:
            target.symlink_to(file["link"])
        else:
            target.write_bytes((HERE / file["from"]).read_bytes())
            target.chmod(int(file["mode"], 8))


def run(check: Dict[str, Any], workdir: str) -> Tuple[str, float]:  # noqa: UP006
    """Outcome (passed, failed, crashed, timeout) and score of one check."""
    place(check["files"])
    reward = check["reward_file"]
    if reward:
        Path(reward).parent.mkdir(parents=True, exist_ok=True)
        if Path(reward).exists():
            Path(reward).unlink()
    process = subprocess.Popen(
        check["argv"], cwd=workdir, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _, errors = process.communicate(timeout=check["timeout"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "timeout", 0.0
    sys.stderr.write(errors.decode(errors="replace"))
    if reward:
        score = number(Path(reward))
        return ("crashed", 0.0) if score is None else ("passed" if score == 1.0 else "failed", score)
    if process.returncode == 0:
        return "passed", 1.0
    broke = process.returncode != 1 or exception(errors.decode(errors="replace"))
    return "crashed" if broke else "failed", 0.0


def number(path: Path) -> Optional[float]:  # noqa: UP045
    """The score in a reward file, from 0 to 1; None: there is none."""
    try:
        value = json.loads(path.read_text())
        if isinstance(value, dict):
            value = value["reward"] if "reward" in value else sum(value.values()) / len(value)
        score = float(value)
    except (OSError, ValueError, TypeError, KeyError, ZeroDivisionError):
        return None
    return score if 0.0 <= score <= 1.0 else None


def exception(errors: str) -> bool:
    """Whether a traceback ends in an exception that is no verdict."""
    if "Traceback (most recent call last)" not in errors:
        return False
    heads = [line for line in errors.rpartition("Traceback")[2].splitlines()[1:] if line[:1].strip()]
    return bool(heads) and heads[0].partition(":")[0].rpartition(".")[2] not in GENUINE


def main(logs: Path) -> int:
    """Run every check; leave `reward.txt` (their weighted mean) and `checks.json` in `logs`."""
    plan = json.loads((HERE / "checks.json").read_text())
    results = []
    for check in plan["checks"]:
        outcome, score = run(check, plan["workdir"])
        print(f"{check['name']}: {outcome} ({score:g})", flush=True)
        results.append({"name": check["name"], "outcome": outcome, "score": score, "weight": check["weight"]})
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "checks.json").write_text(json.dumps(results, indent=1))
    if any(result["outcome"] == "crashed" for result in results):
        return 2
    earned = sum(result["score"] * result["weight"] for result in results)
    reward = earned / sum(result["weight"] for result in results)
    passed = all(result["score"] == 1.0 for result in results)
    (logs / "reward.txt").write_text("1.0\n" if passed else f"{min(reward, 0.999999):.6f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
