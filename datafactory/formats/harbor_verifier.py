"""Judges an exported task inside Harbor: copied to `tests/`, where it runs every check and leaves the reward.

Needs Python 3.8 and `ruling.py` beside it. A check that breaks leaves no reward: Harbor then reports an error, which
is what a broken check is, and not an attempt that scored 0. It runs in the box that the agent worked in.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from ruling import read_score, rule  # type: ignore[import-not-found]  # lies beside this file in an exported task

HERE = Path(__file__).resolve().parent
READ = 1 << 20
"""Bytes from the end of what a check printed that are looked at."""


def clear(path: Path) -> None:
    """Take away what stands at `path`, whatever an attempt put there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()


def folder(path: Path) -> None:
    """Make a folder, in place of any file or dangling link on the way."""
    for place in (*reversed(path.parents), path):
        if not place.is_dir():
            clear(place)
            place.mkdir()


def place(files: dict[str, dict[str, str]]) -> None:
    """Put what a check brings along where it wants it."""
    for path, file in files.items():
        target = Path(path)
        folder(target.parent)
        clear(target)
        if "link" in file:
            target.symlink_to(file["link"])
        else:
            target.write_bytes((HERE / file["from"]).read_bytes())
            target.chmod(int(file["mode"], 8))


def run(check: dict[str, Any], workdir: Path) -> tuple[str, float]:
    """Outcome (passed, failed, crashed, timeout) and score of one check."""
    folder(workdir)
    place(check["files"])
    reward = Path(check["reward_file"]) if check["reward_file"] else None
    if reward:
        folder(reward.parent)
        clear(reward)
    # Files: what an attempt's program leaves running would hold anything else open.
    with TemporaryFile() as out, TemporaryFile() as err:
        status = wait(check, workdir, out, err)
        stdout, stderr = end(out), end(err)
    for stream, data in ((sys.stdout, stdout), (sys.stderr, stderr)):
        stream.buffer.write(data)
        stream.flush()
    if status is None:
        return "timeout", 0.0
    if reward:
        outcome, score, said = read_score(str(reward), reward.read_bytes() if reward.is_file() else None)
        print(said.strip(), file=sys.stderr)
        return outcome, score
    outcome = rule(status, stdout, stderr, {*check["files"], *check["argv"]})
    return outcome, float(outcome == "passed")


def wait(check: dict[str, Any], workdir: Path, out: IO[bytes], err: IO[bytes]) -> int | None:
    """The check's exit status, 127 where there is no such program; None: it ran past its time and was killed."""
    try:
        process = subprocess.Popen(
            check["argv"], cwd=workdir, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    except OSError as error:
        err.write(f"{check['argv'][0]}: {error}\n".encode())
        return 127
    try:
        return process.wait(check["timeout"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def end(file: IO[bytes]) -> bytes:
    """The last `READ` bytes of a file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - READ))
    return file.read()


def main(logs: Path) -> int:
    """Run every check; leave `reward.txt` (their weighted mean) and `checks.json` in `logs`."""
    plan = json.loads((HERE / "checks.json").read_text(encoding="utf-8"))
    results = []
    for check in plan["checks"]:
        outcome, score = run(check, Path(plan["workdir"]))
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
