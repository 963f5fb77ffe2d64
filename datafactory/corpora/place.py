"""Where this machine keeps corpora, and what their names look like."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

from datafactory import turns
from datafactory.errors import ConfigError
from datafactory.local import state_folder

PREFIX = "corpus/"
"""What the name of every corpus begins with."""
_NAME = re.compile(r"corpus/[a-z0-9][a-z0-9._-]{0,63}-[0-9a-f]{12}")


def folder() -> Path:
    """Where this machine keeps corpora."""
    return state_folder() / "corpora"


def home(name: str) -> Path:
    """The folder of one corpus. Raises ConfigError for what is no name of a corpus."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"no name of a corpus: {name!r}; it looks like {PREFIX}python3-doc-0123456789ab")
    return folder() / name.removeprefix(PREFIX)


def short(text: str) -> str:
    """A short name made of any text: a-z, 0-9, '.', '_' and '-', 64 characters at most; empty: nothing was left."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).lstrip("._-")[:64].rstrip("._-")


def turn(what: str) -> AbstractContextManager[None]:
    """One at a time, of all processes and threads of this machine, for whoever builds or removes `what`."""
    return turns.turn(folder() / ".turns" / what)
