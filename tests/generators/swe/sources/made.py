"""Sdists, a package index of files, and git repositories, made on the spot."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software.
The above copyright notice and this permission notice shall be included in all copies or portions.
"""


def targz(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """A .tar.gz; a TarInfo stands for a member without content."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o755 if content.startswith(b"#!") else 0o644
                tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """A member of a tar that is a link."""
    member = tarfile.TarInfo()
    member.type, member.linkname = kind, target
    return member


def zipped(files: Mapping[str, bytes], modes: Mapping[str, int] = {}) -> bytes:
    """A .zip, with Unix modes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = modes.get(name, 0o100644) << 16
            packed.writestr(member, content)
    return made.getvalue()


def sdist(name: str, version: str, **more: bytes) -> bytes:
    """An honest sdist, whose set-up would leave a mark if anybody ran it."""
    top = f"{name}-{version}"
    return targz(
        {
            f"{top}/PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n".encode(),
            f"{top}/setup.py": b"import os\nopen(os.environ['RAN'], 'w').close()\n",
            f"{top}/LICENSE": MIT.encode(),
            f"{top}/run.sh": b"#!/bin/sh\n",
            f"{top}/{name}.py": b"answer = 42\n",
            **{f"{top}/{path}": content for path, content in more.items()},
        }
    )


def index(folder: Path, name: str, archives: Mapping[str, bytes], *, lie: bool = False, attributes: str = "") -> str:
    """A package index (PEP 503) of one package; its address."""
    page = folder / "simple" / name
    page.mkdir(parents=True, exist_ok=True)
    lines = []
    for file, data in archives.items():
        (folder / file).write_bytes(data)
        known = hashlib.sha256(b"something else" if lie else data).hexdigest()
        lines.append(f'<a href="../../{file}#sha256={known}" {attributes}>{file}</a>')
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(lines)}</body></html>")
    return (folder / "simple").as_uri()


def git(folder: Path, *arguments: str) -> str:
    """What git prints, in a repository of the test's."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    line = ["git", "-C", str(folder), *settings, "-c", "protocol.file.allow=always", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env={**clean, "GIT_CONFIG_GLOBAL": "/dev/null"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(folder: Path, files: Mapping[str, str | bytes]) -> str:
    """A git repository of one commit; its commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    return commit(folder, files)


def commit(folder: Path, files: Mapping[str, str | bytes]) -> str:
    """One more commit; its name."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-q", "--allow-empty", "-m", "a commit")
    return git(folder, "rev-parse", "HEAD")
