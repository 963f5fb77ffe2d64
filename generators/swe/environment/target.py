"""The Python of a box: what it calls itself, and which wheels it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from generators.swe.environment.record import SetUpFailed

PROBE = Path(__file__).parent / "inside" / "probe.py"

_LEGACY = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}
"""Older names of platforms and the glibc 2.x that they stand for (PEP 513, 571, 599, 600)."""
_FIRST_OTHER = 17
"""The glibc 2.x from which on there are wheels for other machines than x86 (PEP 599)."""


@dataclass(frozen=True)
class Target:
    """What wheels are chosen by."""

    markers: Mapping[str, str]
    """The environment of PEP 508, of the box."""
    glibc: tuple[int, int]

    @property
    def python(self) -> str:
        """Such as ``3.11.2``."""
        return self.markers["python_full_version"]

    def pip_flags(self) -> list[str]:
        """What tells another Python's pip to choose for this one."""
        short = "".join(self.markers["python_version"].split("."))
        flags = ["--python-version", self.python, "--implementation", "cp"]
        for abi in (f"cp{short}", "abi3", "none"):
            flags += ["--abi", abi]
        for platform in self.platforms():
            flags += ["--platform", platform]
        return flags

    def platforms(self) -> list[str]:
        """Tags of platforms whose wheels run here, newest first: pip takes each as it is and adds none."""
        machine = self.markers["platform_machine"]
        first = 5 if machine in ("x86_64", "i686") else _FIRST_OTHER
        minor = self.glibc[1]
        made = [f"manylinux_2_{number}_{machine}" for number in range(minor, first - 1, -1)]
        made += [f"{name}_{machine}" for name, needs in _LEGACY.items() if first <= needs <= minor]
        return [*made, f"linux_{machine}"]

    def wants(self, requirement: Requirement, extras: Iterable[str] = ()) -> bool:
        """Whether a requirement counts here, for a distribution of which `extras` were asked."""
        if requirement.marker is None:
            return True
        return any(requirement.marker.evaluate({**self.markers, "extra": extra}) for extra in (*extras, ""))


async def look(box: Box) -> Target:
    """Ask the box's ``python3``. Raises SetUpFailed where no wheels can be chosen for it."""
    said = await box.exec(["python3", "-c", PROBE.read_text()])
    if said.exit_code:
        raise SandboxError(f"the box's python3 does not run: {said.output[-500:]}")
    found = json.loads(said.stdout)
    kind, version = found["libc"]
    markers: dict[str, str] = found["markers"]
    if kind != "glibc" or markers["platform_python_implementation"] != "CPython":
        raise SetUpFailed("dependencies", "wheels are chosen for CPython on glibc; the image has another Python")
    major, minor = (int(part) for part in version.split(".")[:2])
    return Target(markers=markers, glibc=(major, minor))


def parse(text: str) -> Requirement | None:
    """A requirement as PEP 508 has it; None: it is something else (a path, an option of pip's)."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
