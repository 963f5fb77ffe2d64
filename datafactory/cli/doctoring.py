"""`datafactory doctor`: what this machine can do, what is missing and how to get it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from datafactory import registry
from datafactory.cli import exits
from datafactory.cli.machine import gpus, memory, models_at, program_version
from datafactory.cli.printing import clean, console, say_json, size, words
from datafactory.errors import FactoryError, SandboxError, boundary
from datafactory.layers import stock
from datafactory.local import CORES

ROOM = 5 << 30
"""Bytes of free disk under which a run is likely to end for want of room: the images alone take about 2 GiB."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    get: str = ""
    """How to get it; empty where it is there."""


def doctor(*, as_json: bool) -> int:
    """Look at this machine and print what was found; the exit code: 5 where no sandbox can be used."""
    findings = [look() for look in LOOKS]
    usable = [f.name for f in findings if f.ok and f.name in SANDBOXES]
    if as_json:
        say_json({"usable_sandboxes": usable, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings, usable)
    return exits.DONE if usable else exits.MISSING


def _print(findings: list[Finding], usable: list[str]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark = words("ok", "green") if finding.ok else words("missing", "yellow")
        table.add_row(mark, words(finding.name), words(finding.said))
        if finding.get:
            table.add_row("", "", words(finding.get, "dim"))
    out = console()
    out.print(table)
    out.print()
    if usable:
        out.print(words(f"boxes can be opened with: {', '.join(usable)}", "bold"))
    else:
        out.print(words("no sandbox can be used here: nothing can be proved, tried or judged", "bold red"))


def _python() -> Finding:
    version = platform.python_version()
    old = sys.version_info < (3, 11)
    return Finding("python", not old, f"{version}, {sys.executable}", "Python 3.11 or newer is needed" if old else "")


def _cores() -> Finding:
    there, free = memory()
    said = f"{CORES} cores, {size(there)} of memory, {size(free)} of it free"
    return Finding("machine", True, said)


def _disk() -> Finding:
    runs = Path(os.environ.get("DATAFACTORY_RUNS") or "runs")
    place = runs.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    little = "" if free >= ROOM else f"less than {size(ROOM)}: free some, or name another place in DATAFACTORY_RUNS"
    return Finding("disk", free >= ROOM, f"{size(free)} free for {runs}{os.sep}", little)


def _sandbox(name: str) -> Callable[[], Finding]:
    """Ask the room itself, by name: what it says of this machine is what it would do in a run."""

    def look() -> Finding:
        module = registry.table("sandbox")[name].partition(":")[0]
        try:
            with boundary(SandboxError, f"asking the sandbox {name} about this machine"):
                ok, said = importlib.import_module(module).available()
        except FactoryError as error:
            return Finding(name, False, clean(error, one_line=True), "this looks like a mistake in the sandbox itself")
        return Finding(name, True, said) if ok else Finding(name, False, "cannot be used here", said)

    return look


def _images() -> Finding:
    """Images matter only where the engine answers."""
    package = registry.table("sandbox")["docker"].partition(":")[0].rpartition(".")[0]
    get = "datafactory images build (without it, a run with the docker sandbox asks for what it needs)"
    try:
        with boundary(SandboxError, "asking the engine for images"):
            builder = importlib.import_module(f"{package}.imagery")
            missing = builder.missing_images()
    except FactoryError:
        return Finding("docker images", False, "no engine to ask", "see docker above")
    there = len(builder.NAMES) - len(missing)
    said = f"{there} of {len(builder.NAMES)} built" + (f"; not: {', '.join(missing)}" if missing else "")
    return Finding("docker images", not missing, said, get if missing else "")


def _layers() -> Finding:
    kept = stock()
    said = f"{len(kept)} kept, {size(sum(each.size for each in kept))} on disk (datafactory layers list)"
    damaged = sum(bool(each.problem) for each in kept)
    return Finding("layers", True, f"{said}; damaged: {damaged} (datafactory layers prune)" if damaged else said)


def _bubblewrap() -> Finding:
    version = program_version("bwrap")
    get = "optional (Debian: apt-get install bubblewrap); the namespace sandbox does without it"
    return Finding("bubblewrap", True, version) if version else Finding("bubblewrap", False, "no bwrap", get)


def _git() -> Finding:
    version = program_version("git")
    get = "needed by generators that read repositories (Debian: apt-get install git)"
    return Finding("git", True, version) if version else Finding("git", False, "no git", get)


def _gpu() -> Finding:
    found = gpus()
    get = "only needed to serve a model or to train here: an NVIDIA driver with nvidia-smi"
    return Finding("gpu", True, "; ".join(found)) if found else Finding("gpu", False, "nvidia-smi finds none", get)


def _server() -> Finding:
    address = os.environ.get("OPENAI_BASE_URL", "")
    if not address:
        get = "needed by the teacher openai: set OPENAI_BASE_URL, such as http://localhost:8000/v1"
        return Finding("model server", False, "OPENAI_BASE_URL is not set", get)
    ok, said = models_at(address, os.environ.get("OPENAI_API_KEY", ""))
    return Finding("model server", ok, said, "" if ok else "start it, or mend OPENAI_BASE_URL and OPENAI_API_KEY")


def _vllm() -> Finding:
    """The program that the teacher `vllm` starts, which is best kept in an environment of its own."""
    from datafactory.teachers.vllm import program

    found = program.find()
    if found is None:
        named = os.environ.get(program.VARIABLE)
        said = f"{program.VARIABLE} names {named}, which is none" if named else "no vllm program"
        return Finding("vllm", False, said, f"only needed to serve open models here: {program.GET}")
    build = ", built for processors alone" if found.cpu else ""
    return Finding("vllm", True, f"{found.version or 'of unknown version'}{build}, {found.path}")


def _package(name: str, what: str, extra: str) -> Callable[[], Finding]:
    def look() -> Finding:
        if find_spec(name) is not None:
            return Finding(name, True, f"installed: {what}")
        return Finding(name, False, f"not installed: {what}", f"pip install -e '.[{extra}]'")

    return look


def _token() -> Finding:
    """Whether a token of the Hugging Face Hub is there; its value is never read into anything that is printed."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    places = [name for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN") if os.environ.get(name)]
    file = Path(os.environ.get("HF_TOKEN_PATH") or home / "token")
    if file.is_file():
        places.append("the file that `hf auth login` writes")
    if places:
        return Finding("hub token", True, f"there, in {places[0]}")
    return Finding("hub token", False, "none", "only needed to publish and for gated models: hf auth login")


SANDBOXES = ("docker", "namespace")
"""What isolates: `unsafe` always works, and is no answer to whether boxes can be opened."""

LOOKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _cores,
    _disk,
    *(_sandbox(name) for name in SANDBOXES),
    _images,
    _layers,
    _bubblewrap,
    _git,
    _gpu,
    _server,
    _vllm,
    _package("trl", "trains students", "train"),
    _token,
)
