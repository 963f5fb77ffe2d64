"""Builds a repository in a box: a venv at /opt/env, the repository editable at /testbed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from datafactory.errors import SandboxError
from datafactory.protocols import Box, ExecResult
from datafactory.types import File, Files
from generators.swe.environment.copies import ALIKE, Copies, below, find_copies, kept, leavings, removable
from generators.swe.environment.record import SetUpFailed
from generators.swe.places import ENV, PYTHON, TESTBED

PATIENCE = 900.0
"""Seconds for one command, such as a build of C."""
LIMIT = 2 << 30
"""Bytes of a layer: past that it is no longer quick to open, and a disk of a hundred repositories is full."""
LOG = 4000
"""Characters kept of what a command that failed printed: its end, where the reason stands."""

_SCRATCH = "/tmp/set-up"
_INSIDE = Path(__file__).parent / "inside"
_PIP = f"{PYTHON} -m pip --no-cache-dir --disable-pip-version-check"
_PRODUCTS = ("build", ".eggs", "dist")
"""Folders that a build leaves and no test needs; a copy of the package may lie in them."""
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|NotFound): ")
_PACKAGERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
"""What may go from an environment in which nothing is installed any more."""


class Builder:
    """Works in one box, and remembers what it ran there."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.commands: list[str] = []

    def note(self, text: str) -> None:
        """Keep a line that says what was left out."""
        self.commands.append(f"# {text}")

    async def begin(self, checkout: Files) -> None:
        """Place the repository, and make the venv. Raises SandboxError: none of it is the repository's fault."""
        await self._box.push({f"{TESTBED}/{path}": file for path, file in checkout.items()})
        done = await self._run(f"python3 -m venv {ENV}")
        if done.exit_code:
            raise SandboxError(f"the box cannot make a venv at {ENV}: {done.output[-LOG:]}")

    async def install(self, wheels: Sequence[Path]) -> None:
        """Install exactly these. Raises SetUpFailed."""
        if not wheels:
            return
        await self._box.push({f"{_SCRATCH}/{wheel.name}": File(data=wheel.read_bytes()) for wheel in wheels})
        named = " ".join(shlex.quote(f"{_SCRATCH}/{wheel.name}") for wheel in wheels)
        done = await self._run(f"{_PIP} install --no-index --no-deps --no-compile --no-warn-script-location {named}")
        await self._box.exec(["rm", "-rf", _SCRATCH])
        if done.exit_code:
            raise SetUpFailed("dependencies", "the wheels do not install in the box", done.output[-LOG:])

    async def wanted(self, backend: Sequence[str], version: str) -> list[str]:
        """What the backend asks for once it runs; nothing where it does not run: the build will say why."""
        code = (_INSIDE / "hooks.py").read_text()
        words = shlex.join([PYTHON, "-c", code, *backend])
        line = f"cd {TESTBED} && {versions_told(version)} {words}"
        done = await self._box.exec(["bash", "-c", line], timeout=PATIENCE)
        try:
            said = json.loads(done.stdout.decode(errors="replace").strip().rpartition("\n")[2])
        except ValueError:
            return []
        return [text for text in said if isinstance(text, str)] if isinstance(said, list) else []

    async def editable(self, version: str, checkout: Files, *, buildable: bool) -> None:
        """Install the repository, so that it is imported from where it lies. Raises SetUpFailed."""
        if not buildable:
            root = f"{TESTBED}/src" if any(path.startswith("src/") for path in checkout) else TESTBED
            await self._run(f"echo {root} > $({PYTHON} -c 'import site; print(site.getsitepackages()[0])')/testbed.pth")
            return
        said = versions_told(version)
        flags = "--use-pep517 --no-index --no-build-isolation --no-deps --no-compile --no-warn-script-location"
        done = await self._run(f"cd {TESTBED} && {said} {_PIP} install {flags} -e .")
        if done.exit_code and "setup.py" in checkout:
            older = await self._run(f"cd {TESTBED} && {said} {PYTHON} setup.py develop --no-deps")
            if older.exit_code == 0:
                return
            both = f"{done.output[-LOG // 2 :]}\n--- setup.py develop ---\n{older.output[-LOG // 2 :]}"
            raise SetUpFailed("build", f"the repository does not build: {_said(done.output)}", both)
        if done.exit_code:
            raise SetUpFailed("build", f"the repository does not build: {_said(done.output)}", done.output[-LOG:])

    async def required(self) -> dict[str, list[str]]:
        """What the built repository says that it requires, by its distributions' names."""
        done = await self._box.exec([PYTHON, "-I", "-c", (_INSIDE / "installed.py").read_text(), TESTBED], timeout=60)
        found: dict[str, list[str]] = json.loads(done.stdout) if done.exit_code == 0 else {}
        return found

    async def finish(self, checkout: Files) -> Copies:
        """Leave nothing behind that a later box does not need, and no second copy of the repository's modules; where
        else their code is. Raises SetUpFailed where a dependency brings a copy."""
        await self._box.exec(["rm", "-rf", _SCRATCH, *self._products(checkout)], timeout=60)
        await self._run(rf"find {TESTBED} \( -name __pycache__ -o -name '*.py[co]' \) -prune -exec rm -rf {{}} +")
        found = await find_copies(self._box, checkout)
        if left := leavings(found):
            self.note(f"copies of the repository's code go: {', '.join(left[:5])}{', …' if len(left) > 5 else ''}")
            await self._remove(left)
        hidden = await self._remove(removable(found))
        found = [each for each in found if not below(each.path, (*left, *hidden))]
        packagers = [each for each in found if _packager(each.path) and each.share >= ALIKE]
        if packagers:
            self.note(f"pip, setuptools and wheel go: they bring modules of the repository's ({packagers[0].path})")
            await self._run(f"{_PIP} uninstall --yes setuptools wheel pip")
            found = [each for each in found if not _packager(each.path)]
        if same := sorted({each.path for each in found if each.same and each.path.startswith(f"{ENV}/")}):
            raise SetUpFailed("build", f"the environment holds a copy of the repository: {same[0]}", "\n".join(same))
        # By content: files of a layer have the times of its unpacking. Some packages carry files of other Pythons.
        await self._run(f"{PYTHON} -m compileall -q -f --invalidation-mode checked-hash {ENV}/lib >/dev/null 2>&1 || :")
        return kept(found, hidden)

    async def layer(self) -> Files:
        """All that came to lie there. Raises SetUpFailed where that is too much."""
        found, left_out = await self._box.pull([f"{ENV}/", f"{TESTBED}/"], limit=LIMIT)
        if left_out:
            raise SetUpFailed("build", f"the environment is too large, or holds what no layer can: {left_out[:500]}")
        return found

    async def _remove(self, paths: Sequence[str]) -> list[str]:
        """Remove files and folders; those that are gone: some of the image's nobody may remove."""
        if paths:
            await self._box.exec(["rm", "-rf", "--", *paths], timeout=60)
        there = await self._box.exec(["ls", "-d", "--", *paths]) if paths else None
        return [path for path in paths if there is None or path not in there.stdout.decode().splitlines()]

    @staticmethod
    def _products(checkout: Files) -> list[str]:
        kept = {path.split("/")[0] for path in checkout}
        return [f"{TESTBED}/{name}" for name in _PRODUCTS if name not in kept]

    async def _run(self, line: str) -> ExecResult:
        self.commands.append(line)
        done = await self._box.exec(["bash", "-c", line], timeout=PATIENCE)
        if done.timed_out:
            raise SetUpFailed("build", f"took over {PATIENCE:g} s: {line[:200]}", done.output[-LOG:])
        return done


def _packager(path: str) -> bool:
    """Whether a path of the environment belongs to what installs packages."""
    return path.startswith(f"{ENV}/") and path.partition("/site-packages/")[2].split("/")[0] in _PACKAGERS


def versions_told(version: str) -> str:
    """What tells builds that ask git for the version: there is no git here."""
    try:
        plain = str(Version(version))
    except InvalidVersion:
        plain = "0.0.0"
    names = ("SETUPTOOLS_SCM_PRETEND_VERSION", "PBR_VERSION", "PDM_BUILD_SCM_VERSION", "UV_DYNAMIC_VERSIONING_BYPASS")
    return " ".join([f"{name}={plain}" for name in names] + ["PYTHONDONTWRITEBYTECODE=1"])


def _said(log: str) -> str:
    """The line of a build's output that says most: the last that names an exception, else an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [line for line in lines if _EXCEPTION.match(line)] or [line for line in lines if "error:" in line.lower()]
    return (named or lines or ["it printed nothing"])[-1][:300]
