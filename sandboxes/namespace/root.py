"""What a box's root is made of: which of the machine's folders it sees, which it does not, and what is its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from datafactory.layers import Layer as ImageLayer
from datafactory.types import digest_of
from sandboxes.search_path import STANDARD_PATH

SHOWN = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix")
"""Of the machine's root, whatever else there is stays out of sight: homes, data, /opt, /srv, /var, /run."""
OWN = ("app", "home", "media", "mnt", "opt", "root", "run", "srv", "sys", "var/cache", "var/lib", "var/log")
OPEN = ("tmp", "var/tmp", "dev/shm")
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
STREAMS = ("fd", "stdin", "stdout", "stderr")
PYTHON_HOME = "/opt/python"
_DPKG = "/var/lib/dpkg"


@dataclass(frozen=True)
class Layer:
    """A folder of this machine, as a box sees it at `target`."""

    source: Path
    target: str
    private: bool
    """Whether the box may write on it (an overlay of its own); else it is bound read-only."""


@dataclass(frozen=True)
class Root:
    """A recipe for a root, made once for all boxes of a run."""

    layers: tuple[Layer, ...]
    links: tuple[Path, ...]
    """Top-level links of the machine, such as /bin, which are copied."""
    hidden: tuple[str, ...]
    """Files under the layers, as paths in the box, that a box sees empty."""
    covered: tuple[str, ...]
    """Folders under the layers that a box sees empty."""
    base: Path
    """A folder of the machine to build on, out of every layer's way."""
    path: str
    """PATH in the box."""
    digest: str
    start: Path = Path("/")
    """The folder of the machine that a box is entered from. What lies below it is mounted by its path from there, so
    that it is found also by an ordinary user who may not enter the folders above."""


def plan(source: Path | None, *, overlay: bool) -> Root:
    """A root that shows this machine, or the folder `source`. `overlay`: whether the kernel lets us overlay."""
    if source is not None:
        layers = [Layer(source, "", overlay)]
        return _finished(layers, (), STANDARD_PATH, _digest_of_folder(source))
    layers, links = [], list[Path]()
    for name in SHOWN:
        at = Path("/") / name
        if at.is_symlink():
            links.append(at)
        elif at.is_dir():
            layers.append(Layer(at, str(at), overlay and not _has_mounts(at)))
    if Path(_DPKG).is_dir():
        layers.append(Layer(Path(_DPKG), _DPKG, overlay))
    path, python = STANDARD_PATH, find_python()
    if python is not None and python.home is not None:
        layers.append(Layer(python.home, python.seen_at, overlay))
        path = f"{python.seen_at}/bin:{path}"
    return _finished(layers, tuple(links), path, _digest_of_machine(python.version if python else ""))


def layered(root: Root, unpacked: Path, start: Path, layer: ImageLayer) -> Root:
    """`root` with the folders of a layer, `unpacked` somewhere below `start`, on top of it."""
    tops = [Layer(unpacked / top.lstrip("/"), top, private=True) for top in layer.roots]
    path = ":".join((*layer.path, root.path))
    return replace(_finished([*root.layers, *tops], root.links, path, digest_on(root, layer)), start=start)


def digest_on(root: Root, layer: ImageLayer) -> str:
    """Digest of a layer on top of `root`."""
    return f"sha256:{digest_of([root.digest, layer.digest, list(layer.path)], 64)}"


def _finished(layers: list[Layer], links: tuple[Path, ...], path: str, digest: str) -> Root:
    sources = [layer.source.resolve() for layer in layers]
    for base in map(Path, ("/mnt", "/media", "/srv", "/tmp", "/var/tmp", "/opt")):
        if base.is_dir() and not any(source.is_relative_to(base.resolve()) for source in sources):
            break
    else:
        raise FileNotFoundError("no folder to build boxes on: /mnt, /media, /srv, /tmp and /var/tmp are all in use")
    hidden = tuple(f"{layer.target}/{p}" for layer in layers for p in _secrets(layer.source, layer.target))
    here = Path.cwd().resolve()
    covered = tuple(
        f"{layer.target}/{here.relative_to(source)}"
        for layer, source in zip(layers, sources, strict=True)
        if here != source and here.is_relative_to(source) and layer.target not in ("", PYTHON_HOME)
    )
    return Root(tuple(layers), links, hidden, covered, base, path, digest)


@cache
def _secrets(source: Path, target: str) -> tuple[str, ...]:
    """Files of /etc that not everybody may read, relative to `source`."""
    if target not in ("", "/etc"):
        return ()
    top = source / "etc" if target == "" else source
    found: list[str] = []
    for folder, folders, names in os.walk(top):
        closed = not os.lstat(folder).st_mode & stat.S_IXOTH
        for name in names:
            mode = os.lstat(at := f"{folder}/{name}").st_mode
            if stat.S_ISREG(mode) and (closed or not mode & stat.S_IROTH):
                found.append(os.path.relpath(at, source))
        if closed:  # what lies deeper is closed too
            found += [os.path.relpath(p, source) for d in folders for p in Path(folder, d).rglob("*") if p.is_file()]
            folders.clear()
    return tuple(sorted(set(found)))


@dataclass(frozen=True)
class Python:
    """A python3 that boxes can run."""

    version: str
    home: Path | None
    """The folder to show in the box; None: it is in sight anyway."""
    seen_at: str


@cache
def find_python() -> Python | None:
    """The machine's own python3 (3.8 or later) where a box sees it anyway, else the one that runs the factory."""
    system = shutil.which("python3", path=STANDARD_PATH)
    if system and Path(system).resolve().is_relative_to("/usr"):
        asked = subprocess.run(
            [system, "-IS", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.version_info >= (3, 8))"],
            capture_output=True,
            text=True,
            check=False,
        )
        version, _, recent = asked.stdout.strip().partition(" ")
        if recent == "True":
            return Python(version, None, "")
    import sysconfig

    home = Path(sys.base_prefix).resolve()
    if home.is_relative_to("/usr"):
        return Python(sys.version.split()[0], None, "")
    # A shared libpython is found by the path that it was built for.
    at = str(home) if sysconfig.get_config_var("Py_ENABLE_SHARED") else PYTHON_HOME
    return Python(sys.version.split()[0], home, at)


def _has_mounts(folder: Path) -> bool:
    table = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4].startswith(f"{folder}/") for line in table)


@cache
def _digest_of_machine(python: str) -> str:
    """What is installed: the system's release, its packages and its Python."""
    seen = hashlib.sha256(python.encode())
    for path in (
        "/etc/os-release",
        f"{_DPKG}/status",
        "/lib/apk/db/installed",
        "/var/lib/pacman/local/ALPM_DB_VERSION",
    ):
        if Path(path).is_file():
            seen.update(Path(path).read_bytes())
    rpm = Path("/var/lib/rpm")
    for file in sorted(rpm.glob("rpmdb.sqlite")) + sorted(rpm.glob("Packages")):
        seen.update(f"{file.name} {file.stat().st_mtime_ns} {file.stat().st_size}".encode())
    return f"sha256:{seen.hexdigest()}"


@cache
def _digest_of_folder(folder: Path) -> str:
    """Names, kinds, modes, sizes and times of all that lies in `folder`; links as they are."""
    seen = hashlib.sha256()
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            status = os.lstat(path := f"{at}/{name}")
            line = f"{os.path.relpath(path, folder)}\0{status.st_mode}\0{status.st_size}\0{int(status.st_mtime)}\n"
            seen.update(line.encode(errors="surrogateescape"))
    return f"sha256:{seen.hexdigest()}"
