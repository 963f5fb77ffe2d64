"""Judges what was derived from other products: checksum lists and archives agree with the files themselves."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile

from reading import facts, fail, raw, text  # type: ignore[import-not-found]


def checksums(path: str, members: list[str]) -> None:
    """A `sha256sum` list that names exactly `members`, with the digests that the files have now."""
    found = {}
    for line in text(path).splitlines():
        parts = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if not parts:
            fail(f"{path}: not a line of `sha256sum`: {line!r}")
        else:
            found[parts.group(2)] = parts.group(1)
    if list(found) != members:
        fail(f"{path}: expected the paths {members}, found {list(found)}")
    for member, digest in found.items():
        if hashlib.sha256(raw(member)).hexdigest() != digest:
            fail(f"{path}: digest of {member} is not that of the file")


def archive(path: str, members: dict[str, str]) -> None:
    """A gzipped tar file whose regular members are exactly `members`, each equal to the file beside it."""
    raw(path)
    try:
        with tarfile.open(path, "r:gz") as tar:
            held = {}
            for member in tar.getmembers():
                if not member.isdir():
                    opened = tar.extractfile(member) if member.isfile() else None
                    held[os.path.normpath(member.name)] = opened.read() if opened else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        fail(f"{path} is no gzipped tar file: {error}")
    if set(held) != set(members):
        fail(f"{path}: expected the members {sorted(members)}, found {sorted(held)}")
    for name, origin in members.items():
        if held[name] != raw(origin):
            fail(f"{path}: member {name} differs from {origin}")


def main() -> None:
    want = facts()
    if "members" in want:
        archive(want["path"], want["members"])
    else:
        checksums(want["path"], want["paths"])


if __name__ == "__main__":
    main()
