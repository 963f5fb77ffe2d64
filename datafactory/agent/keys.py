"""What an agent types, as a terminal gets it: lines, single keys, and for how long to watch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from shlex import quote

LONGEST = 60.0
"""Seconds that one command is watched at most (Terminus 2)."""
SHORTEST = 0.5
"""Seconds that a submitted line is given even where less was asked: a busy machine is not the agent's fault, and a
prompt that is back ends the wait anyway."""

_NAMED = {
    "Enter": "\r",
    "Tab": "\t",
    "Escape": "\x1b",
    "Space": " ",
    "BSpace": "\x7f",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "Right": "\x1b[C",
    "Left": "\x1b[D",
    "Home": "\x1b[1~",
    "End": "\x1b[4~",
    "IC": "\x1b[2~",
    "DC": "\x1b[3~",
    "PPage": "\x1b[5~",
    "PageUp": "\x1b[5~",
    "NPage": "\x1b[6~",
    "PageDown": "\x1b[6~",
    "BTab": "\x1b[Z",
    **{f"F{n}": f"\x1bO{letter}" for n, letter in enumerate("PQRS", start=1)},
    **{f"F{n}": f"\x1b[{code}~" for n, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)},
}
_CHORD = re.compile(r"(?:C-|\^)([a-zA-Z\[\]\\^_@])|M-(.)")
_PROMPTING = {"\x03", "\x04", "\r"}
_BACKGROUND = re.compile(r"(?<!&)&\s*\Z")


@dataclass(frozen=True, slots=True)
class Keys:
    """One command of a turn."""

    text: str
    """Characters to type, a newline for each Enter; or names of keys as tmux has them (`C-c`, `Up`, `F1`)."""
    seconds: float = 1.0
    """How long to watch what they do."""


def pressed(text: str) -> list[str] | None:
    """The bytes of each key where `text` is nothing but names of keys; None: characters to type."""
    words = text.split()
    if not words:
        return None
    sent = [_key(word) for word in words]
    return None if None in sent else [key for key in sent if key is not None]


def _key(word: str) -> str | None:
    if word in _NAMED:
        return _NAMED[word]
    chord = _CHORD.fullmatch(word)
    if chord is None:
        return None
    return chr(ord(chord[1].upper()) ^ 0x40) if chord[1] else f"\x1b{chord[2]}"


def script(keys: Keys, longest: float = LONGEST) -> str:
    """Lines for shell/drive.sh that type `keys` and wait."""
    seconds = min(max(keys.seconds, 0.0), longest) if math.isfinite(keys.seconds) else 1.0
    named = pressed(keys.text)
    said: list[str] = []
    early = True
    if named is not None:
        said += [f"press {_shown(key)} {int(key in _PROMPTING)}" for key in named]
    elif keys.text:
        typed = keys.text.encode(errors="replace").decode().replace("\0", "").replace("\r\n", "\n")
        *lines, last = typed.split("\n")
        said += [f"line {quote(line)}" for line in lines]
        if last:
            said.append(f"press {quote(last)} 0")
        if lines:
            seconds = max(seconds, min(SHORTEST, longest))
        early = not _BACKGROUND.search(keys.text)
    early = early and bool(keys.text)
    # Nothing typed is a wait: for the running program's end, or, where the prompt is there already, for the clock.
    said.append(f"rest {round(seconds * 1e6)} {int(early) if keys.text else '$((1 - prompted))'}")
    return "\n".join(said)


def _shown(key: str) -> str:
    return "$'" + "".join(f"\\x{ord(char):02x}" for char in key) + "'"
