"""Gets wheels for a box with the host's pip: only binary ones, so that nothing of a package runs on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from datafactory.errors import Missing
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.target import Target, parse

PATIENCE = 600.0
"""Seconds for one call of pip."""
_ROUNDS = 6
"""How often what a host's pip overlooked is asked for by name."""


@dataclass(frozen=True)
class Wheels:
    """Wheel files that fit together."""

    files: tuple[Path, ...]
    dropped: dict[str, str] = field(default_factory=dict)
    """Requirements that could not be had, and why."""


class Resolver:
    """Resolves requirements for one target; wheels stay in `folder`, pip's own cache spares the network."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target, self._folder = target, folder

    async def resolve(self, needed: Sequence[str], wished: Sequence[str] = ()) -> Wheels:
        """Wheels of all that is `needed`, and of what is `wished` for as far as it can be had beside it.
        Raises SetUpFailed naming the requirement, and Missing where this Python has no pip."""
        found, why = await self._try([*needed, *wished])
        if found is not None:
            return Wheels(found)
        base, said = await self._try(needed) if wished else (None, why)
        if base is None:
            raise SetUpFailed("dependencies", f"no wheels for what it needs: {reason(said)}", said[-4000:])
        dropped: dict[str, str] = {}
        best = await self._keep(needed, [], list(wished), dropped, why)
        return Wheels(best or base, dropped)

    async def _keep(
        self, needed: Sequence[str], kept: list[str], asked: list[str], dropped: dict[str, str], why: str = ""
    ) -> tuple[Path, ...] | None:
        """Add to `kept` what of `asked` can be had, by halves; `why` not all of it, where that is known already."""
        if not why:
            found, why = await self._try([*needed, *kept, *asked])
            if found is not None:
                kept += asked
                return found
        if len(asked) == 1:
            dropped[asked[0]] = reason(why)
            return None
        middle = len(asked) // 2
        first = await self._keep(needed, kept, asked[:middle], dropped)
        return await self._keep(needed, kept, asked[middle:], dropped) or first

    async def _try(self, requirements: Sequence[str]) -> tuple[tuple[Path, ...] | None, str]:
        """The wheels, or None and what pip said. The host's pip reads markers with the host's eyes: what the box needs
        beyond that is asked for by name."""
        asked = list(requirements)
        for _ in range(_ROUNDS):
            with tempfile.TemporaryDirectory(dir=self._made(), prefix=".pip-") as scratch:
                status, said = await self._download(asked, Path(scratch))
                if status:
                    return None, said
                files = tuple(sorted(Path(scratch).glob("*.whl")))
                overlooked = overlooked_in(files, requirements, self._target)
                if not overlooked:
                    return tuple(self._stored(file) for file in files), said
                asked += overlooked
        return None, f"ERROR: requirements that never end: {', '.join(overlooked)}"

    def _made(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def _stored(self, file: Path) -> Path:
        kept = self._folder / file.name
        file.replace(kept)
        return kept

    async def _download(self, requirements: Sequence[str], into: Path) -> tuple[int, str]:
        if not requirements:
            return 0, ""
        command = [sys.executable, "-m", "pip", "download", "--only-binary", ":all:", *self._target.pip_flags()]
        command += ["--dest", str(into), "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        process = await asyncio.create_subprocess_exec(
            *command, "--", *requirements, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(PATIENCE):
                said, _ = await process.communicate()
        except TimeoutError:
            return 124, f"ERROR: pip download took over {PATIENCE:g} s"
        finally:
            if process.returncode is None:
                process.kill()
                with contextlib.suppress(ProcessLookupError):
                    await process.wait()
        text = said.decode(errors="replace")
        if "No module named pip" in text:
            raise Missing(f"pip, which fetches wheels for boxes: {sys.executable} -m ensurepip")
        return process.returncode or 0, text


def reason(said: str) -> str:
    """Of what pip printed, the line that names the requirement."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    for line in errors:
        if line.startswith("No matching distribution"):
            return line
    return (errors or said.strip().splitlines()[-1:] or ["pip said nothing"])[-1][:500]


def overlooked_in(files: Iterable[Path], requirements: Iterable[str], target: Target) -> list[str]:
    """Requirements, from `requirements` on through the wheels' own, that count on `target` and that no wheel meets."""
    known = {canonicalize_name(parse_wheel_filename(file.name)[0]): file for file in files}
    said = {name: metadata(file) for name, file in known.items()}
    missing: dict[str, None] = {}
    waiting = [found for text in requirements if (found := parse(text)) is not None]
    seen: set[str] = set()
    while waiting:
        asked = waiting.pop()
        asked.marker = None
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        name = canonicalize_name(asked.name)
        if name not in known:
            missing[str(asked)] = None
            continue
        waiting += [needs for needs in said[name] if target.wants(needs, asked.extras)]
    return list(missing)


def metadata(wheel: Path) -> list[Requirement]:
    """What a wheel requires."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(
            path for path in archive.namelist() if path.endswith(".dist-info/METADATA") and path.count("/") == 1
        )
        headers = BytesParser().parsebytes(archive.read(name), headersonly=True)
    return [found for text in headers.get_all("Requires-Dist") or [] if (found := parse(str(text))) is not None]


def version_of(wheel: Path) -> tuple[str, Version]:
    """Canonical name and version."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return canonicalize_name(name), version
