"""What it costs to take one commit out of a repository with a long and heavy history.

``python benchmarks/swe_history.py [--megabytes 2048] [--folder PLACE]`` makes a git repository whose old commits hold
so many megabytes of random bytes, and fetches its last commit, by address and by path. Prints seconds, the peak of
memory over what the process had before, git's included, and bytes in the cache.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from generators.swe.sources import Repository, fetch

BLOB = 16 << 20
"""Bytes of one old file."""
FILES = {"pkg/__init__.py": b"", "pkg/core.py": b"def double(x):\n    return 2 * x\n", "README.md": b"Small.\n"}


@dataclass(frozen=True)
class Cost:
    """What one fetch took."""

    seconds: float
    memory: int
    """Bytes: the largest process of all that it started, or what this one grew by, whichever is more."""
    disk: int
    """Bytes in the cache."""
    files: int


def make(folder: Path, megabytes: int) -> str:
    """A bare repository whose old commits hold random bytes and whose last one holds `FILES`; that commit."""
    git = ["git", "-C", str(folder), "-c", "core.compression=0", "-c", "core.bigFileThreshold=1m"]
    folder.mkdir(parents=True)
    subprocess.run([*git, "init", "-q", "--bare", "-b", "main"], check=True)
    taking = subprocess.Popen([*git, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert taking.stdin is not None
    who = b"committer a <a@example.org> 1577836800 +0000\ndata 1\nx\n"
    for number in range(max(1, (megabytes << 20) // BLOB)):
        taking.stdin.write(b"commit refs/heads/main\n" + who)
        taking.stdin.write(b"M 100644 inline data/%d.bin\ndata %d\n" % (number, BLOB) + os.urandom(BLOB) + b"\n")
    taking.stdin.write(b"commit refs/heads/main\n" + who + b"deleteall\n")
    for path, data in FILES.items():
        taking.stdin.write(b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(data)) + data + b"\n")
    taking.stdin.close()
    assert taking.wait() == 0
    said = subprocess.run([*git, "rev-parse", "main"], check=True, capture_output=True, text=True)
    return said.stdout.strip()


def cost(at: str, cache: Path) -> Cost:
    """What fetching `at` into an empty cache takes, measured in a process of its own."""
    code = "import sys; from benchmarks.swe_history import fetched; fetched(*sys.argv[1:])"
    said = subprocess.run([sys.executable, "-c", code, at, str(cache)], check=True, capture_output=True, text=True)
    seconds, memory, files = said.stdout.split()
    disk = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    return Cost(float(seconds), int(memory), disk, int(files))


def fetched(at: str, cache: str) -> None:
    """Fetch, and print what it took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    got = fetch(Repository(at=at), Path(cache))
    seconds = time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    memory = max(grown, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) << 10
    print(f"{seconds:.2f} {memory} {len(got.files)}")


def main(megabytes: int, place: str | None) -> None:
    """Make it, and fetch it in each way."""
    top = Path(tempfile.mkdtemp(dir=place))
    try:
        commit = make(top / "heavy.git", megabytes)
        size = sum(path.stat().st_size for path in (top / "heavy.git").rglob("*") if path.is_file())
        print(f"the repository: {size / 1e9:.2f} GB")
        for way, at in {
            "by address, the commit": f"{(top / 'heavy.git').as_uri()}@{commit}",
            "by address, the branch": f"{(top / 'heavy.git').as_uri()}@main",
            "by path": f"{top / 'heavy.git'}@{commit}",
        }.items():
            took = cost(at, top / "cache" / way.replace(" ", "-"))
            print(f"| {way} | {took.seconds:.2f} s | {took.memory / 1e6:.0f} MB | {took.disk / 1e3:.0f} kB |")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--folder")
    given = parser.parse_args()
    main(given.megabytes, given.folder)
