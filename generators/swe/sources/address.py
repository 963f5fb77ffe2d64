"""The words that name a repository, taken apart: a package, an address or a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from packaging.version import InvalidVersion, Version

SCHEMES = ("https", "ssh", "git", "file")
"""What git is let to speak; anything else (`ext::` above all) can run programs."""

_PACKAGE = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:==\s*([A-Za-z0-9.!+_-]+))?")
"""Names of PEP 508, and one version."""
_SHELL_LIKE = re.compile(r"([\w.-]+@)?([\w.-]+):(?!//)(.+)")
"""`git@host:owner/name`, as forges show it."""
_REVISION = re.compile(r"[^\s~^:?*\[\\@{}-][^\s~^:?*\[\\]*")
"""What git lets a branch or a tag be called (git-check-ref-format), and commits."""


@dataclass(frozen=True)
class Package:
    """An sdist of the package index."""

    name: str
    version: str
    """"" : the newest."""


@dataclass(frozen=True)
class Address:
    """A git repository elsewhere."""

    url: str
    """Without user and password of http; the user of ssh stays."""
    revision: str
    """A full commit, a tag or a branch; "" : the default branch."""
    user: str
    """`user:password` as it stood in the address; a secret."""


@dataclass(frozen=True)
class Place:
    """A folder of this machine, with or without git."""

    path: str
    revision: str
    """"" : the files as they lie there."""


def parse(at: str) -> Package | Address | Place:
    """Take the words apart. A package's name has no slash, an address has ``://``, a path has a slash or starts
    with a dot or ``~``. Raises ValueError, with the way out and without the secret."""
    text = at.strip()
    if "://" in text:
        return _address(text)
    if "/" in text or text.startswith((".", "~")):
        if "/" not in text.partition(":")[0] and (short := _SHELL_LIKE.fullmatch(text)):
            return _address(f"ssh://{short[1] or ''}{short[2]}/{short[3]}")
        return _place(text)
    if package := _PACKAGE.fullmatch(text):
        return Package(package[1], _version(package[2]) if package[2] else "")
    if not text:
        raise ValueError("no repository is named: write a package (toolz==1.1.0), an address or a path")
    if "[" in text:
        raise ValueError(f"{text!r}: extras do not belong here; put what else to install under 'requirements'")
    if re.search(r"[<>~!=]", text):
        raise ValueError(f"{text!r}: a package is pinned with ==, as in toolz==1.1.0, or has no version (the newest)")
    raise ValueError(f"{text!r} is no package's name; a path needs a slash, as in ./{text}")


def _version(text: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion:
        raise ValueError(f"{text!r} is no version of a package, such as 1.1.0") from None


def _address(text: str) -> Address:
    try:
        parts = urlsplit(text.removeprefix("git+"))
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise ValueError(f"this address cannot be read: {error}") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"an address starts with one of {', '.join(SCHEMES)}, not {parts.scheme}")
    if parts.query or parts.fragment:
        raise ValueError(f"an address has no '?' and no '#': write {parts.scheme}://{host}/owner/name@commit")
    path, _, revision = parts.path.partition("@")
    if not path.strip("/") or (not host and parts.scheme != "file") or host.startswith("-"):
        raise ValueError(f"an address names a host and a repository: {parts.scheme}://host/owner/name")
    user = parts.netloc.rpartition("@")[0]
    kept = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    url = SplitResult(parts.scheme, f"{kept}{host}{port}", path.rstrip("/"), "", "").geturl()
    secret = "" if parts.scheme == "ssh" and not parts.password else user
    return Address(url, _checked(revision, "@" in parts.path), secret)


def _place(text: str) -> Place:
    """A folder that has an @ in its path is itself, not a revision of another."""
    if not Path(text).expanduser().is_dir() and "@" in text:
        path, _, revision = text.rpartition("@")
        return Place(path, _checked(revision, True))
    return Place(text, "")


def _checked(revision: str, named: bool) -> str:
    if named and not _REVISION.fullmatch(revision):
        raise ValueError(f"after the @ stands a commit, a tag or a branch, not {revision!r}")
    return revision
