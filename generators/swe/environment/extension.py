"""Extension modules of a repository: how they are compiled anew in its box once their sources have changed."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass

from datafactory.protocols import Box
from datafactory.types import Files
from generators.swe.environment.build import LIMIT, PATIENCE, versions_told
from generators.swe.places import ENV, PYTHON, TESTBED

_SCRATCH = "/tmp/rebuild"
_BEGAN = "/tmp/rebuild-began"


@dataclass(frozen=True)
class Rebuild:
    """How extension modules are compiled anew."""

    line: str = ""
    """For bash; empty: there are none, or they cannot be."""
    seconds: float = 0.0
    why_not: str = ""


async def rebuilding(box: Box, built: Files, checkout: Files, version: str) -> Rebuild:
    """Try it in `box`, in which `built` (by absolute path) was made of `checkout`.

    It counts only if every module comes back and nothing else of the environment is touched: the check of a task takes
    that for a patch that meddles. Else the modules are put back. Only setuptools' way of building in place is known.
    """
    own = {f"{TESTBED}/{path}" for path in checkout}
    modules = [path for path in built if path.startswith(f"{TESTBED}/") and path.endswith(".so") and path not in own]
    if not modules:
        return Rebuild()
    line = _line(sorted(modules), checkout, version)
    await box.exec(["touch", _BEGAN])
    began = time.monotonic()
    done = await box.exec(["bash", "-c", line], timeout=PATIENCE)
    seconds = time.monotonic() - began
    there, _ = await box.pull(modules, limit=LIMIT)
    touched = await box.exec(["find", ENV, "-newer", _BEGAN])
    if not done.exit_code and set(there) == set(modules) and not touched.output:
        return Rebuild(line, seconds)
    await box.push({path: built[path] for path in modules})
    why = f"exit status {done.exit_code}" if done.exit_code else "not all of it comes back, or more is changed"
    return Rebuild(why_not=f"extension modules cannot be compiled anew in place ({why})")


def _line(modules: list[str], checkout: Files, version: str) -> str:
    """The old modules go first: a build that gives up on them, as some do, must not leave them."""
    script = "setup.py" if "setup.py" in checkout else "-c 'import setuptools; setuptools.setup()'"
    options = f"--inplace --force --build-temp {_SCRATCH}/made --build-lib {_SCRATCH}/kept"
    return (
        f"cd {TESTBED} && rm -rf {_SCRATCH} {shlex.join(modules)} && "
        f"{versions_told(version)} {PYTHON} {script} -q build_ext {options}"
    )
