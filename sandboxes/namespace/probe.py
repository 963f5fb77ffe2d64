"""Whether this machine can make boxes of namespaces, and by which engine; what to do where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_UNSHARE = "unshare --user --map-root-user --mount --pid --fork --kill-child --ipc --uts --net --propagation private"
_WRAP = "bwrap --unshare-all --unshare-user --ro-bind / / --proc /proc --dev /dev echo ok"
_TRY_PROC = "mount -t proc proc /proc"
_TRY_OVERLAY = (
    "mount -t tmpfs tmpfs {base} && mkdir {base}/up {base}/work {base}/at && mount -t overlay overlay "
    "-o lowerdir=/usr,upperdir={base}/up,workdir={base}/work {base}/at"
)


@dataclass(frozen=True)
class Findings:
    """What was tried here, and what came of it."""

    unshare: str
    """Version of util-linux where its boxes work; empty: they do not."""
    overlay: bool
    bubblewrap: str
    """Version of bubblewrap where its boxes work; empty: they do not."""
    bubblewrap_overlay: bool
    tried: tuple[str, ...]
    """What failed, a line each."""


@cache
def look() -> Findings:
    """Try each engine once; about 30 ms."""
    tried: list[str] = []
    version, overlay = "", False
    lacking = [name for name in ("unshare", "mount", "pivot_root", "setpriv") if _which(name) is None]
    if lacking:
        tried.append(f"unshare: {', '.join(lacking)} not installed")
    else:
        base = next(path for path in ("/mnt", "/media", "/srv", "/tmp") if Path(path).is_dir())
        inner = f"{_TRY_PROC} && echo proc && {_TRY_OVERLAY.format(base=base)} && echo overlay"
        said, errors = _run([*_UNSHARE.split(), "bash", "-c", inner])
        if "proc" in said:
            version, overlay = _run(["unshare", "--version"])[0].split()[-1], "overlay" in said
        else:
            tried.append(f"unshare: {errors}")
    wrap = ""
    if _which("bwrap") is None:
        tried.append("bubblewrap: not installed")
    else:
        said, errors = _run(_WRAP.split())
        if "ok" in said:
            wrap = _run(["bwrap", "--version"])[0].split()[-1]
        else:
            tried.append(f"bubblewrap: {errors}")
    wraps_over = bool(wrap) and "--tmp-overlay" in _run(["bwrap", "--help"])[0]
    return Findings(version, overlay, wrap, overlay and wraps_over, tuple(tried))


def available() -> tuple[bool, str]:
    """Whether boxes of namespaces work here; what with, or why not and what to do about it."""
    if not Path("/proc/self/ns/user").exists():
        return False, "this is no Linux with user namespaces; use the docker sandbox"
    found = look()
    if found.unshare or found.bubblewrap:
        parts = [f"unshare {found.unshare}"] if found.unshare else []
        parts += [f"bubblewrap {found.bubblewrap}"] if found.bubblewrap else []
        parts += [
            "overlay in user namespaces ok" if found.overlay else "no overlay: the machine's folders are read-only"
        ]
        return True, ", ".join(parts)
    return False, f"{'; '.join(found.tried)}. {_remedy()}"


def _remedy() -> str:
    for switch, value in (
        ("kernel/apparmor_restrict_unprivileged_userns", "0"),
        ("kernel/unprivileged_userns_clone", "1"),
        ("user/max_user_namespaces", "10000"),
    ):
        file = Path("/proc/sys") / switch
        wrong = {"0": "1", "1": "0", "10000": "0"}[value]
        if file.exists() and file.read_text().strip() == wrong:
            return f"Allow user namespaces: sysctl -w {switch.replace('/', '.')}={value}"
    if _which("unshare") is None or _which("setpriv") is None:
        return "Install util-linux or bubblewrap (apt-get install util-linux bubblewrap)"
    if Path("/.dockerenv").exists():
        return (
            "Inside a container, start it with --privileged, or with --security-opt seccomp=unconfined and systempaths"
        )
    return "Ask for user namespaces to be allowed on this machine, or use the docker sandbox"


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _run(argv: list[str]) -> tuple[str, str]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=10, env={"PATH": path, "LC_ALL": "C"}, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return done.stdout, done.stderr.strip().replace("\n", "; ") or f"exit status {done.returncode}"
