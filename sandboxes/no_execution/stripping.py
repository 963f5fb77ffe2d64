"""A box without programs that may not run in it: they are removed when it opens, and what stays is locked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from datafactory.types import File
from sandboxes.no_execution.programs import programs

OWN = ("bash", "sh", "tar", "timeout", "mkdir", "id", "head", "cat", "find", "xargs")
"""What the box itself works with: the shell for lines, and the courier's programs."""
_PATIENCE = 120.0
"""Seconds; the first box of an image looks at every file in it."""
_LISTING = "/tmp/.programs"
_BLANK = File(data=b"", mode=0)


@dataclass(frozen=True)
class Look:
    """What an image holds."""

    keep: tuple[str, ...] = ()
    """Programs that stay."""
    drop: tuple[str, ...] = ()
    """All others, wherever they lie."""
    lock: tuple[str, ...] = ()
    """Folders in which programs are looked for, and the folders above them."""


@dataclass(frozen=True)
class Bare:
    """A box as it is once it was stripped."""

    git: str = ""
    """The folder of git's files of the workdir's repository; empty: there is none."""
    top: str = ""
    """The folder that the repository's files lie in."""


@cache
def _script() -> str:
    text = files("sandboxes.no_execution").joinpath("strip.sh").read_text()
    return "".join(f"{line}\n" for line in text.splitlines() if not line.lstrip().startswith("#"))


def kept() -> list[str]:
    """Names of the programs that stay in a box."""
    return sorted({*programs(), *OWN})


async def look(box: Box, workdir: str) -> Look:
    """What there is in a box. Raises SandboxError."""
    await _run(box, "list", _LISTING, workdir, *kept())
    listing = await box.read(_LISTING)
    if listing is None:
        raise SandboxError("what is in the box could not be read")
    entries = [each.partition(" ") for each in listing.decode(errors="surrogateescape").split("\0") if each]
    return Look(**{what: tuple(path for kind, _, path in entries if kind == what) for what in ("keep", "drop", "lock")})


async def strip(box: Box, workdir: str, seen: Look, *, placed: Collection[str]) -> Bare:
    """Remove what is to be dropped, but for files that the task `placed`, and lock the rest. Raises SandboxError where
    something stays."""
    doomed = [path for path in seen.drop if path not in placed]
    chmod = next((path for path in doomed if path.rpartition("/")[2] == "chmod"), "")
    counts = str(len(seen.lock)), str(len(seen.keep))
    said = await _run(box, "take", workdir, chmod, *counts, *seen.lock, *seen.keep, *doomed, _LISTING)
    left = _those(said, "left")
    if left:  # the box's user may not remove them, but whoever places files may replace them
        fixed = (
            f"{len(left)} programs, such as {left[0]}, cannot be taken out of the box: its folders are read-only; use "
            "docker, or namespace as root with engine unshare on a kernel that overlays, or say strip: false"
        )
        try:
            await box.push(dict.fromkeys(left, _BLANK))
        except SandboxError as error:
            raise SandboxError(fixed) from error
        if _those(await _run(box, "take", workdir, "", "0", "0", *left), "left"):
            raise SandboxError(fixed)
    if running := _those(said, "runs"):
        raise SandboxError(f"the repository's own configuration runs programs: {', '.join(running)}")
    return Bare(git="".join(_those(said, "git")[:1]), top="".join(_those(said, "top")[:1]))


async def _run(box: Box, what: str, *args: str) -> str:
    result = await box.exec(["bash", "-c", _script(), "strip", what, *args], timeout=_PATIENCE)
    if (result.exit_code != 0 and what == "list") or result.timed_out:
        raise SandboxError(f"the box could not be stripped of its programs: {result.output.strip()[-500:]}")
    return result.stdout.decode(errors="surrogateescape")


def _those(said: str, what: str) -> list[str]:
    return [line.partition(" ")[2] for line in said.splitlines() if line.startswith(f"{what} ")]
