"""Finds the code of a repository's modules elsewhere in its box, takes away what may go, and remembers the rest."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from datafactory.types import Files, Record, files
from generators.swe.environment.inside.copies import SHORTEST, plain
from generators.swe.mutations import excluded
from generators.swe.places import ENV, PYTHON, TESTBED

HALF = 0.5
"""Share of a module's telling lines from which on no part of the module may be broken."""
ALIKE = 0.25
"""Share from which on a file elsewhere is a copy of the module, another version of it say; less is likeness."""
_PROGRAM = Path(__file__).parent / "inside" / "copies.py"
_PLACE = "/tmp/set-up-copies"
_PATIENCE = 600.0
_LEFT_FOLDERS = frozenset(
    {"build", "dist", ".eggs", ".tox", ".nox", "htmlcov", "_build", "_modules", "site-packages", ".hypothesis"}
    | {".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints", ".history", ".idea", ".vscode"}
)
_LEFT_NAME = re.compile(
    r".*(~|\.(orig|rej|bak|old|save|sw[a-p]|patch|diff|whl|egg|tar|gz|tgz|zip|bz2|xz|bundle|pack))\Z|#.*#\Z|\.#.*"
)
_LIBRARY = re.compile(r"/lib(?:64)?/python3(?:\.\d+)?/(?!.*(?:site|dist)-packages/)")
"""Where a Python keeps its own library, without which it does not run."""


class Found(Record):
    """A file of the box, or a member of an archive, that has lines of a module."""

    path: str
    member: str
    module: str
    share: float
    same: bool
    runs: tuple[tuple[str, ...], ...]


class Copies(Record):
    """Where else the code of a repository's modules is in its boxes."""

    hidden: tuple[str, ...] = ()
    """What is removed when a box opens: files of the image, or of the machine."""
    modules: tuple[str, ...] = ()
    """Modules, by their paths in the repository, half of which or more is in another file that has to stay."""
    runs: tuple[str, ...] = ()
    """Lines of modules that stand in such a file one after the other, without their indentation."""

    def of(self, diff: str) -> str | None:
        """Where what the diff (unified, with context) makes could be read off, in words; None: nowhere."""
        for path, hunks in _made(diff):
            if path in self.modules:
                return f"{path} has a second copy"
            for made in hunks:
                lines = "\n".join(["", *made, ""])
                if len(made) >= SHORTEST and any(lines in f"\n{run}\n" for run in self.runs):
                    return f"{path}: the same lines stand in another file"
        return None

    @property
    def prepare(self) -> tuple[str, ...]:
        """Lines that take away what is hidden."""
        return (f"rm -rf -- {shlex.join(self.hidden)}",) if self.hidden else ()


async def find_copies(box: Box, checkout: Files) -> list[Found]:
    """What the box holds of the modules that could be broken. Raises SandboxError."""
    modules = [path for path, file in checkout.items() if file.link is None and excluded(path, file.data) is None]
    await box.push(
        files({f"{_PLACE}/copies.py": _PROGRAM.read_bytes(), f"{_PLACE}/modules": json.dumps(modules)}),
    )
    line = f"{PYTHON} -I {_PLACE}/copies.py {TESTBED} {ENV} < {_PLACE}/modules > {_PLACE}/found"
    done = await box.exec(line, timeout=_PATIENCE)
    said = await box.read(f"{_PLACE}/found")
    await box.exec(["rm", "-rf", _PLACE])
    if done.exit_code or said is None:
        raise SandboxError(f"looking for copies in the box: {done.output[-1000:]}")
    return [Found.model_validate(found) for found in json.loads(said)]


def leavings(found: Iterable[Found]) -> list[str]:
    """Files of the repository's folder that a build, a merge or an editor left, or that pack it."""
    return sorted({each.path for each in found if each.path.startswith(f"{TESTBED}/") and _is_left(each.path)})


def removable(found: Iterable[Found]) -> list[str]:
    """Files and folders of the image, or the machine, that copy a module and that no Python needs to run."""
    gone = set()
    for each in found:
        ours = each.path.startswith((f"{TESTBED}/", f"{ENV}/"))
        if not ours and each.share >= ALIKE and (each.member or not _LIBRARY.search(each.path)):
            gone.add(each.path if each.member else _package(each))
    return sorted(path for path in gone if not any(path.startswith(f"{other}/") for other in gone))


def kept(found: Iterable[Found], hidden: Iterable[str]) -> Copies:
    """What has to stay, so that nothing that can be read off there is broken."""
    stays = list(found)
    modules = {each.module for each in stays if each.share >= HALF}
    runs = {"\n".join(run) for each in stays for run in each.runs}
    return Copies(hidden=tuple(hidden), modules=tuple(sorted(modules)), runs=tuple(sorted(runs)))


def below(path: str, tops: Iterable[str]) -> bool:
    """Whether a path is one of `tops`, or lies in one."""
    return any(path == top or path.startswith(f"{top}/") for top in tops)


def _package(found: Found) -> str:
    """The folder of the package that the file belongs to, as far as it is the module's: with all its bytecode."""
    parts = found.module.removeprefix("src/").split("/")
    for count in range(len(parts), 1, -1):
        if found.path.endswith("/" + "/".join(parts[-count:])):
            return found.path.removesuffix("/" + "/".join(parts[-count:])) + "/" + parts[-count]
    return found.path


def _is_left(path: str) -> bool:
    *folders, name = path.removeprefix(f"{TESTBED}/").split("/")
    return not _LEFT_FOLDERS.isdisjoint(folders) or _LEFT_NAME.fullmatch(name) is not None


def _made(diff: str) -> list[tuple[str, list[list[str]]]]:
    """The files that a diff changes, and what stands in their hunks afterwards."""
    found: list[tuple[str, list[list[str]]]] = []
    for line in diff.splitlines():
        if line.startswith("+++ "):
            found.append((line[4:].split("\t")[0].strip().partition("/")[2], []))
        elif line.startswith("@@") and found:
            found[-1][1].append([])
        elif line[:1] in (" ", "+") and found and found[-1][1] and not line.startswith("+++ "):
            found[-1][1][-1] += plain(line[1:])
    return found
