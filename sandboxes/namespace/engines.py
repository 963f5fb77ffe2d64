"""Command lines that make a box: util-linux's unshare with a script, or bubblewrap."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from sandboxes.namespace.root import DEVICES, OPEN, OWN, STREAMS, Root
from sandboxes.shell import quote

_APART = "--user --map-root-user --mount --pid --fork --kill-child --ipc --uts --cgroup --propagation private"


@cache
def _script() -> str:
    text = files("sandboxes.namespace").joinpath("enter.sh").read_text()
    return "".join(f"{line}\n" for line in text.splitlines() if line and not line.startswith("#"))


def unshare(root: Root, skeleton: int, disk: int, *, processes: int | None, network: bool) -> list[str]:
    """A box by unshare, whose script mounts all that the root needs with one call of mount. `skeleton`: descriptor
    of what `skeleton()` made. `disk` in bytes."""
    given = {
        "base": str(root.base),
        "skeleton": str(skeleton),
        "disk": str(disk),
        "inodes": str(max(10_000, disk >> 12)),
        "processes": str(processes or ""),
        "network": "1" if network else "",
    }
    text = "".join(f"{name}={quote(value).decode()}\n" for name, value in given.items())
    alone = [] if network else ["--net"]
    return ["unshare", *_APART.split(), *alone, "bash", "--noprofile", "--norc", "-c", text + _script()]


def skeleton(root: Root) -> bytes:
    """A tar of what lies on the base before anything else is mounted: the box's own folders, links to the machine's,
    empty files in place of the hidden ones, and the table of mounts."""
    folders = ["root/proc", "root/dev/pts", *(f"root/{name}" for name in OWN)]
    blanks = ["blank", *(f"root/dev/{device}" for device in DEVICES)]
    for number, layer in enumerate(root.layers):
        folders += [f"root{layer.target}", f"upper/{number}", f"work/{number}"]
        if layer.private:
            inside = [path.removeprefix(layer.target) for path in root.hidden if path.startswith(f"{layer.target}/")]
            blanks += [f"upper/{number}{path}" for path in inside]
            later = [other.target for other in root.layers[number + 1 :] if other.target.startswith(f"{layer.target}/")]
            folders += [f"upper/{number}{target.removeprefix(layer.target)}" for target in later]
    links = {f"root{link}": str(link.readlink()) for link in root.links} | {"root/dev/ptmx": "pts/ptmx"}
    for number, name in enumerate(STREAMS):
        links[f"root/dev/{name}"] = f"/proc/self/fd/{number - 1}" if number else "/proc/self/fd"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        above = {str(parent) for path in (*folders, *blanks) for parent in PurePosixPath(path).parents}
        for name in sorted({*above, *folders, *(f"root/{name}" for name in OPEN)} - {"."}):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name.removeprefix("root/") in OPEN else 0o755
            archive.addfile(entry)
        for name, link in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
        texts = dict.fromkeys(blanks, "") | {"hosts": "127.0.0.1 localhost box\n::1 localhost\n", "fstab": _table(root)}
        for name, text in texts.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o644, len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _table(root: Root) -> str:
    """Lines of fstab(5), in order."""
    base, lines = root.base, list[str]()

    def mount(source: str | Path, target: str, kind: str, options: str) -> None:
        fields = [str(source), f"{base}/root{target}", kind, options]
        lines.append(" ".join(field.replace(" ", "\\040") for field in fields) + " 0 0\n")

    mount(f"{base}/root", "", "none", "bind")
    for number, layer in enumerate(root.layers):
        if layer.private:
            # Without userxattr, a folder that lies below could be neither removed nor renamed.
            above = f"upperdir={base}/upper/{number},workdir={base}/work/{number},userxattr"
            mount("overlay", layer.target, "overlay", f"lowerdir={_from(root.start, layer.source)},{above}")
            continue
        mount(layer.source, layer.target, "none", "rbind,ro,nosuid,nodev")
        for path in root.hidden:
            if path.startswith(f"{layer.target}/"):
                mount(f"{base}/blank", path, "none", "bind,ro")
    for path in root.covered:
        mount("covered", path, "tmpfs", "size=4k,mode=755")
    mount("proc", "/proc", "proc", "nosuid,nodev,noexec,ro")
    mount("devpts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620,nosuid,noexec")
    for device in DEVICES:  # read-only: else a box of root's could change the machine's own node
        mount(f"/dev/{device}", f"/dev/{device}", "none", "bind,ro,nosuid,noexec")
    mount(f"{base}/hosts", "/etc/hosts", "none", "bind")
    return "".join(lines)


def _from(start: Path, source: Path) -> Path:
    return source.relative_to(start) if start != Path("/") and source.is_relative_to(start) else source


def bubblewrap(root: Root, disk: int, *, processes: int | None, network: bool) -> list[str]:
    """A box by bubblewrap. The box's own folders are tmpfs of `disk` bytes each; the machine's are read-only, unless
    the plan says otherwise (bubblewrap 0.11 and later can overlay)."""
    line = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--disable-userns"]
    line += ["--die-with-parent", "--as-pid-1", "--hostname", "box", "--cap-drop", "ALL"]
    line += ["--share-net"] if network else []
    for name in ("tmp", "var", *(name for name in OWN if not name.startswith("var/"))):
        line += ["--size", str(disk), "--tmpfs", f"/{name}"]
    for name in (name for name in (*OWN, *OPEN) if name.startswith("var/")):
        line += ["--dir", f"/{name}"]
    for layer in root.layers:
        how = (
            ["--overlay-src", str(layer.source), "--tmp-overlay"] if layer.private else ["--ro-bind", str(layer.source)]
        )
        line += [*how, layer.target]
    for link in root.links:
        line += ["--symlink", str(link.readlink()), str(link)]
    for path in root.hidden:
        line += ["--ro-bind", "/dev/null", path]
    for path in root.covered:
        line += ["--tmpfs", path]
    line += ["--dev", "/dev", "--perms", "1777", "--size", str(disk), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    line += ["--proc", "/proc"]
    line += [word for name in OPEN if name != "dev/shm" for word in ("--chmod", "1777", f"/{name}")]
    count = f"ulimit -u {processes}; " if processes else ""
    return [*line, "--", "bash", "--noprofile", "--norc", "-c", f"ulimit -c 0; {count}exec bash --noprofile --norc"]
