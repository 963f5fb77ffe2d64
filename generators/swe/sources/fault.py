"""What goes wrong while a repository is brought, with every secret taken out of the words."""

from __future__ import annotations

import re
from typing import Literal

from datafactory.errors import GeneratorError

Step = Literal["excluded", "settings", "index", "download", "unpack", "git", "folder", "limits"]
"""Where it went wrong: the benchmark rule, pip's settings, the package index, the download, the archive, git, the
folder, the limit on size."""

_SECRET = re.compile(r"(?<=//)[^/\s]+@")
"""User and password of an address, as RFC 3986 writes them."""


class SourceError(GeneratorError):
    """A repository cannot be had; the message says how to get it, `step` where it went wrong.

    `final` is True where the same request would be refused again: only the network may change its mind.
    """

    def __init__(self, step: Step, message: str, *, final: bool = True) -> None:
        super().__init__(f"{step}: {redacted(message)}")
        self.step = step
        self.final = final
        self.boundary = "fetching a repository"


def redacted(text: str) -> str:
    """The text with what stands before the @ of addresses left out."""
    return _SECRET.sub("***@", text)
