"""Commands in one spelling: blanks that mean nothing to a shell are gone, and keys are one stream."""

from __future__ import annotations

import re
from collections.abc import Iterable

from datafactory.agent.keys import Keys, pressed

_PIECE = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[ \t]*\n\s*|[ \t]+|[^\s'\"\\]+|.", re.DOTALL)
_HERE_DOCUMENT = re.compile(r"<<-?\s*[\w'\"\\]")
_ENTER = ("Enter", "C-m", "C-j")


def command(text: str) -> str:
    """Lines for a shell in one spelling: what is quoted stays, other blanks become one, empty lines and blanks at both
    ends go. Lines with a here-document stay as they are but for the ends."""
    plain = text.replace("\r\n", "\n").strip()
    if _HERE_DOCUMENT.search(plain):
        return plain
    pieces = (match.group() for match in _PIECE.finditer(plain))
    return "".join("\n" if "\n" in p and not p.strip() else " " if not p.strip() else p for p in pieces)


def stream(commands: Iterable[Keys]) -> tuple[str, ...]:
    """What is typed at a terminal in one spelling: lines that are sent off, in `command`'s, end with a newline; keys
    are `<C-c>`; how long each is watched is left out. Empty: nothing is typed."""
    made: list[str] = []
    held = ""
    for keys in commands:
        if pressed(keys.text) is None:
            held += keys.text
            continue
        for word in keys.text.split():
            if word in _ENTER:
                held += "\n"
            else:
                made += _sent(held)
                held = ""
                made.append(f"<{word}>")
    return (*made, *_sent(held))


def _sent(text: str) -> list[str]:
    """The typed text, where there is any; a last line that is not sent off does not end with a newline."""
    said = command(text)
    if not said:
        return ["\n"] if "\n" in text else []
    return [said + "\n" if text.rstrip(" \t").endswith(("\n", "\r")) else said]
