"""Limits of a box: control groups where we may make them, else a watch over its processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_PREFIX = "datafactory-box-"
SPARE = 8
"""Processes that the box's own work takes, such as carrying files."""
_GLANCE = 0.1
"""Seconds between two looks of the watch."""


@dataclass(frozen=True)
class Limits:
    """What a box may use."""

    memory: int
    """Bytes, the box's files included."""
    pids: int
    cpus: float


class Cage:
    """The control groups of one box. They carry the factory's process id and birth, so that a later run can tell
    the groups of a dead one."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders

    @property
    def doors(self) -> list[str]:
        """Files into which a process writes ``0`` to enter."""
        return [str(folder / "cgroup.procs") for folder in self._folders]

    def crowded(self, pids: int) -> bool:
        """Whether there is hardly a process left of `pids`."""
        for folder in self._folders:
            with contextlib.suppress(OSError, ValueError):
                return int((folder / "pids.current").read_text()) > pids - SPARE
        return False

    async def remove(self) -> None:
        """Kill what is left inside, and remove the groups."""
        for wait in (0.001,) * 20 + (0.01,) * 200:
            self._folders = [folder for folder in self._folders if not _emptied(folder)]
            if not self._folders:
                return
            await asyncio.sleep(wait)


def cage(limits: Limits, number: int) -> Cage | None:
    """Control groups with `limits`; None: this machine does not let us make them."""
    name = f"{_PREFIX}{os.getpid()}-{_birth(os.getpid())}-{number}"
    for parents, settings in ((_second(), _settings_of_second(limits)), (_first(), _settings_of_first(limits))):
        made: list[Path] = []
        try:
            for controller, parent in parents.items():
                folder = parent / name
                folder.mkdir(exist_ok=True)
                if folder not in made:
                    made.append(folder)
                for file, value in settings[controller]:
                    (folder / file).write_text(value)
        except OSError:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            continue
        if {"memory", "pids"} <= parents.keys():
            return Cage(made)
    return None


def remove_orphans() -> int:
    """Remove groups of factories that are dead, and kill what is left in them; how many there were."""
    removed = 0
    for parent in {*_first().values(), *_second().values()}:
        for folder in parent.glob(f"{_PREFIX}*"):
            pid, _, birth = folder.name.removeprefix(_PREFIX).rpartition("-")[0].partition("-")
            if pid.isdigit() and _birth(int(pid)) != birth:
                removed += 1
                for _ in range(100):
                    if _emptied(folder):
                        break
                    time.sleep(0.01)
    return removed


def _emptied(folder: Path) -> bool:
    try:
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _birth(pid: int) -> str:
    """Start time in clock ticks since boot (proc(5), stat, field 22); empty: there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _own_groups() -> Iterator[tuple[list[str], str]]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            yield controllers.split(","), path.lstrip("/")


def _first() -> dict[str, Path]:
    """Where groups of version 1 go, by controller: below the factory's own, so that its limits hold too."""
    found: dict[str, Path] = {}
    for controllers, path in _own_groups():
        for controller in {"memory", "pids", "cpu"} & set(controllers):
            for mount in (_MOUNT / ",".join(controllers), _MOUNT / controller):
                if os.access(mount / path, os.W_OK):
                    found[controller] = mount / path
    return found


def _second() -> dict[str, Path]:
    """Where groups of version 2 go: the nearest group above the factory's own that hands its controllers down."""
    for controllers, path in _own_groups():
        if controllers == [""] and (_MOUNT / "cgroup.controllers").exists():
            for parent in (folder := _MOUNT / path, *folder.parents):
                with contextlib.suppress(OSError):
                    handed = set((parent / "cgroup.subtree_control").read_text().split())
                    if {"memory", "pids"} <= handed and os.access(parent, os.W_OK):
                        return dict.fromkeys(handed & {"memory", "pids", "cpu"}, parent)
                if parent == _MOUNT:
                    break
    return {}


def _settings_of_first(limits: Limits) -> dict[str, list[tuple[str, str]]]:
    return {
        "memory": [("memory.limit_in_bytes", str(limits.memory))],
        "pids": [("pids.max", str(limits.pids))],
        "cpu": [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", str(int(limits.cpus * 100_000)))],
    }


def _settings_of_second(limits: Limits) -> dict[str, list[tuple[str, str]]]:
    return {
        "memory": [("memory.max", str(limits.memory)), ("memory.swap.max", "0")],
        "pids": [("pids.max", str(limits.pids))],
        "cpu": [("cpu.max", f"{int(limits.cpus * 100_000)} 100000")],
    }


def crowded(first: int, pids: int) -> bool:
    """As a cage knows, where there is none."""
    return sum(1 for _ in _below(first)) > pids - SPARE


async def watch(first: int, limits: Limits) -> None:
    """Where there is no control group: look at the memory of the processes below `first` (the box's process 1, and
    its parent outside) again and again, and end the largest while they hold too much. The kernel itself counts their
    number (RLIMIT_NPROC)."""
    while True:
        await asyncio.sleep(_GLANCE)
        sizes = dict(_below(first))
        ends = list(sizes)[1:]
        if sum(sizes.values()) > limits.memory and ends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(max(ends, key=sizes.__getitem__), signal.SIGKILL)


def _below(pid: int) -> Iterator[tuple[int, int]]:
    """Processes below `pid`, parents first, and the bytes that each holds alone (resident less shared)."""
    page = os.sysconf("SC_PAGE_SIZE")
    waiting = [pid]
    while waiting:
        at = waiting.pop(0)
        with contextlib.suppress(OSError, ValueError):
            if at != pid:
                _, resident, shared, *_ = Path(f"/proc/{at}/statm").read_text().split()
                yield at, (int(resident) - int(shared)) * page
            for task in Path(f"/proc/{at}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
