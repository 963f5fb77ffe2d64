"""Who owns a container: labels that tell it, and the search for those whose owner is dead."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from pathlib import Path

RUN = "datafactory.run"
OWNER = "datafactory.owner"
HOST = "datafactory.host"
BOOT = "datafactory.boot"


def labels(run: str) -> dict[str, str]:
    """What a box of this process carries. `run`: one word for each `start()`."""
    return {RUN: run, OWNER: f"{os.getpid()}-{born(os.getpid())}", HOST: place(), BOOT: boot()}


def new_run() -> str:
    """A word that no other run has."""
    return uuid.uuid4().hex[:12]


def is_orphan(carried: dict[str, str]) -> bool:
    """Whether these labels name a process of this very place that is dead. Another place's are none of our business:
    a process number means nothing there."""
    if carried.get(HOST) != place():
        return False
    if carried.get(BOOT) != boot():
        return True
    pid, _, birth = carried.get(OWNER, "").partition("-")
    return pid.isdigit() and born(int(pid)) != birth


def place() -> str:
    """Where a process number means the same: this machine's name and this process number space."""
    space = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{space.stat().st_ino if space.exists() else 0}"


def boot() -> str:
    """What changes when the machine starts anew."""
    mark = Path("/proc/sys/kernel/random/boot_id")
    return mark.read_text().strip() if mark.exists() else ""


def born(pid: int) -> str:
    """When process `pid` started, in the system's own terms; empty: there is no such process, or only its zombie."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        # After the name, which may hold spaces and brackets, come state (field 3) and the start time (field 22).
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return ""
        asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return "".join(asked.stdout.split())
    return "" if fields[0] in "ZX" else fields[19]
