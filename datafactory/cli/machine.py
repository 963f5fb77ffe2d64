"""Plain facts about this machine, found without importing anything heavy."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

PATIENCE = 10.0
"""Seconds that a program may take to speak of itself; the first nvidia-smi after a boot takes several."""


def memory() -> tuple[int, int]:
    """Bytes of memory that this process may use, and how many of them are free; a container's limit counts."""
    rows = dict(re.findall(r"^(\w+):\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M))
    there, free = int(rows["MemTotal"]) << 10, int(rows["MemAvailable"]) << 10
    limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
    if limit is not None and limit < there:
        return limit, min(free, max(0, limit - (used or 0)))
    return there, free


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def program_version(name: str) -> str:
    """The first line that `name --version` prints; empty: there is no such program, or it does not run."""
    said = _said([name, "--version"])
    return said.splitlines()[0] if said else ""


def gpus() -> list[str]:
    """Each NVIDIA GPU with its memory, as nvidia-smi tells it."""
    said = _said(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    return [line.strip() for line in said.splitlines() if line.strip()]


def _said(argv: list[str]) -> str:
    if shutil.which(argv[0]) is None:
        return ""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def models_at(address: str, key: str, patience: float = 3.0) -> tuple[bool, str]:
    """Whether an OpenAI-compatible server answers, and which models it serves; no password is ever in the text."""
    import json
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    shown = without_password(address)
    if not address.startswith(("http://", "https://")):
        return False, f"{shown} is no http address"
    request = Request(address.rstrip("/") + "/models")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urlopen(request, timeout=patience) as answer:
            models = [str(row["id"]) for row in json.loads(answer.read(1 << 20))["data"]]
    except HTTPError as error:
        return False, f"{shown} answers {error.code} {error.reason}"
    except (URLError, OSError, HTTPException) as error:
        return False, f"{shown} does not answer ({getattr(error, 'reason', error)})"
    except (ValueError, KeyError, TypeError):
        return False, f"{shown} answers, but not as an OpenAI-compatible server"
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return True, f"{shown} serves {', '.join(models[:3]) or 'no model'}{more}"


def without_password(address: str) -> str:
    """The address without user, password and query."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the address"
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))
