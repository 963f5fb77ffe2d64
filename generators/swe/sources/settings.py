"""Where packages come from on this machine: pip's own settings, as pip tells them."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from generators.swe.sources.fault import SourceError

_SECTIONS = ("global", "install", "download", ":env:")
"""Of pip's files and environment, the later ones winning (pip's documentation, "Configuration")."""
_YES = {"1", "true", "yes", "on", "y", "t"}
_SECONDS = 60.0


@dataclass(frozen=True)
class PipSettings:
    """What of pip's settings tells where packages come from; the fields are named as pip's options."""

    index_url: str = ""
    """"" : the public index."""
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_host: tuple[str, ...] = ()
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    timeout: float = 15.0
    """In seconds; 15 is pip's own."""


def pip_settings() -> PipSettings:
    """As the pip of this Python (else the one on the path) would have them. Raises SourceError."""
    program = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else [shutil.which("pip") or ""]
    if not program[0]:
        raise SourceError(
            "settings", "there is no pip here, whose settings say where packages are: python -m ensurepip"
        )
    done = subprocess.run([*program, "config", "list"], capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise SourceError("settings", f"pip does not tell its settings: {done.stderr.strip()}")
    return _read(done.stdout)


def _read(listing: str) -> PipSettings:
    said: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in said and value:
            said[section][option] = str(ast.literal_eval(value))
    options = {key: value for section in _SECTIONS for key, value in said[section].items()}
    links = [
        link for link in options.get("find-links", "").split() if "://" in link or Path(link).expanduser().exists()
    ]
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
    return PipSettings(
        index_url=options.get("index-url", ""),
        extra_index_url=tuple(options.get("extra-index-url", "").split()),
        find_links=tuple(link if "://" in link else str(Path(link).expanduser()) for link in links),
        no_index=options.get("no-index", "").lower() in _YES,
        trusted_host=tuple(options.get("trusted-host", "").split()),
        cert=options.get("cert", bundle),
        client_cert=options.get("client-cert", ""),
        proxy=options.get("proxy", ""),
        timeout=float(options.get("timeout") or options.get("default-timeout") or 15.0),
    )
