"""`kill -9` of the server, and then of the factory, in the middle of 2,000 calls to a real vLLM.

    python benchmarks/kills.py [--calls 2000] [--model FOLDER] [--flag max-num-seqs=16 ...]

A pipeline of one stage runs by the command line, with a `vllm` teacher that starts and owns its server. At a third of
the calls the server's processes are killed, at two thirds the factory is; then the same command is run again. The
calls are counted inside the server (kills_count.py). Prints one object of JSON:

    lost        questions without an answer on the shelf
    doubled     answers that are there twice, on the shelf or in the ledger
    sent        calls that a server read, in all
    resent      of them, those that it had read before
    in_flight   for each kill: calls that a server had read and whose answers were not on disk once it was over
    unexplained calls that were sent again and were not in flight at a kill
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datafactory.calls import CALLS, spending
from datafactory.storage import rows
from datafactory.teachers.vllm import program
from datafactory.teachers.vllm.keeper import descendants

HERE = Path(__file__).resolve().parent
PATIENCE = 900.0
"""Seconds until something that is waited for must have happened."""
MIDST = 4
"""Calls at the server, at least, when something is killed: those that began together end together."""
SETTLED = 1.0
"""Seconds in which a factory has put down all that a server said before it was killed; a new server takes longer."""
WRAPPER = """#!{python}
import os
import sys
os.environ["PYTHONPATH"] = {here!r}
sys.path.insert(0, {here!r})
from vllm.entrypoints.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass
class Trial:
    """A folder with the pipeline, its runs, and the log of the server's calls."""

    folder: Path
    model: Path
    calls: int
    flags: dict[str, Any]
    asking: dict[str, Any]
    """More of the teacher's fields."""

    def __post_init__(self) -> None:
        self.log = self.folder / "calls.log"
        self.log.touch()
        self.run = self.folder / "runs" / "kills"
        flags = {"middleware": "kills_count.Count", "enforce-eager": True, "load-format": "dummy", **self.flags}
        teacher = {
            "use": "vllm",
            "model": str(self.model),
            "flags": flags,
            "program": str(self.wrap()),
            **self.asking,
        }
        stages = [{"use": "kills_stage:Ask", "count": self.calls}]
        text = yaml.safe_dump({"name": "kills", "teacher": teacher, "stages": stages})
        (self.folder / "kills.yaml").write_text(text)

    def wrap(self) -> Path:
        """A `vllm` that finds the middleware: the factory keeps its own PYTHONPATH from the server."""
        found = program.find()
        if found is None:
            raise SystemExit(f"kills: no vllm; {program.GET}")
        made = self.folder / "vllm"
        made.write_text(WRAPPER.format(python=found.path.parent / "python3", here=str(HERE)))
        made.chmod(0o755)
        return made

    def start(self) -> subprocess.Popen[str]:
        """The factory."""
        more = {"PYTHONPATH": f"{HERE.parent}:{HERE}", "KILLS_LOG": str(self.log), "HF_HUB_OFFLINE": "1"}
        env = {"VLLM_CPU_KVCACHE_SPACE": "1", **os.environ, **more, "XDG_STATE_HOME": str(self.folder / "state")}
        command = [sys.executable, "-m", "datafactory", "run", "kills.yaml"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)

    def read(self) -> Counter[str]:
        """How often a server read each question."""
        return Counter(line.split()[1] for line in self.log.read_text().splitlines() if line.startswith("r "))

    def kept(self) -> set[str]:
        """Questions whose answers are on disk."""
        with closing(sqlite3.connect(f"file:{self.run / CALLS}?mode=ro", uri=True)) as ledger:
            return {scope.partition(":")[2] for (scope,) in ledger.execute("SELECT scope FROM calls")}

    def unsaved(self) -> set[str]:
        """Questions that a server read, and whose answers are not on disk."""
        return set(self.read()) - self.kept()

    def servers(self) -> list[int]:
        """Processes of live servers, engines included; their keeper is left out."""
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._serves(entry)]
        return [pid for each in found for pid in (each, *descendants(each))]

    def _serves(self, entry: Path) -> bool:
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return False
        return "serve" in words and str(self.model) in words and not any(word.endswith("keeper.py") for word in words)

    def until(self, factory: subprocess.Popen[str], calls: int) -> None:
        """Wait for so many answers on disk, and for calls at the server. Raises SystemExit where they do not come."""
        self.wait(lambda: spending(self.run / CALLS).total.calls >= calls, f"{calls} answers", factory)
        self.wait(lambda: len(self.unsaved()) >= MIDST, f"{MIDST} calls at the server", factory)

    def wait(self, there: Callable[[], bool], what: str, factory: subprocess.Popen[str] | None = None) -> None:
        """Wait for something. Raises SystemExit where it does not come."""
        until = time.monotonic() + PATIENCE
        while not there():
            if factory is not None and factory.poll() is not None:
                raise SystemExit(f"kills: the factory ended before {what}: {factory.communicate()[1][-4000:]}")
            if time.monotonic() > until:
                raise SystemExit(f"kills: no {what} in {PATIENCE:.0f} s")
            time.sleep(0.005)


def trial(folder: Path, model: Path, calls: int, flags: dict[str, Any], asking: dict[str, Any]) -> dict[str, Any]:
    """Kill, kill, go on, count."""
    desk, began = Trial(folder, model, calls, flags, asking), time.monotonic()
    factory = desk.start()
    desk.until(factory, calls // 3)
    for pid in desk.servers():
        os.kill(pid, signal.SIGKILL)
    time.sleep(SETTLED)
    at_server = desk.unsaved()
    desk.until(factory, 2 * calls // 3)
    resent_before = _again(desk.read())
    factory.kill()
    factory.communicate()
    desk.wait(lambda: not desk.servers(), "end of the server of a killed factory")
    at_factory = desk.unsaved()
    factory = desk.start()
    _, err = factory.communicate(timeout=PATIENCE)
    if factory.returncode != 0:
        raise SystemExit(f"kills: the run did not come to its end: {err[-4000:]}")
    read, resent = desk.read(), _again(desk.read())
    (journal,) = desk.run.glob("1-*/records.jsonl")
    shelf = Counter(str(row["id"]) for row in rows(journal))
    return {
        "calls": calls,
        "lost": calls - len(shelf),
        "doubled": sum(shelf.values()) - len(shelf) + spending(desk.run / CALLS).total.calls - len(desk.kept()),
        "sent": sum(read.values()),
        "resent": sum(resent.values()),
        "resent_after": {"server": sum(resent_before.values()), "factory": sum((resent - resent_before).values())},
        "in_flight": {"server": len(at_server), "factory": len(at_factory)},
        "unexplained": len(set(resent_before) - at_server) + len(set(resent - resent_before) - at_factory),
        "seconds": round(time.monotonic() - began, 1),
    }


def _again(read: Counter[str]) -> Counter[str]:
    """How often each question was read after the first time."""
    return Counter({number: count - 1 for number, count in read.items() if count > 1})


def main() -> None:
    """Read the arguments, make a model where none is named, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--model", type=Path, help="a folder; left out: a tiny one without weights is made")
    parser.add_argument("--flag", action="append", default=[], help="of vllm serve, as name=value")
    parser.add_argument("--tokens", type=int, default=8, help="of an answer")
    parser.add_argument(
        "--at-once", type=int, default=1024, help="calls in flight at most, so that few make many rounds"
    )
    asked = parser.parse_args()
    flags = {name: yaml.safe_load(value) for name, _, value in (flag.partition("=") for flag in asked.flag)}
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        model = asked.model.resolve() if asked.model else _tiny(Path(folder) / "tiny")
        asking = {"max_tokens": asked.tokens, "at_once": asked.at_once, "extra": {"ignore_eos": True}}
        print(json.dumps(trial(Path(folder), model, asked.calls, flags, asking)))


def _tiny(folder: Path) -> Path:
    from teacher_model import write_model

    return write_model(folder, "tiny")


if __name__ == "__main__":
    main()
