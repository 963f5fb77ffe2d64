"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Move = Literal["next", "back", "quit"]

MOVES: dict[bytes, Move] = {
    **dict.fromkeys((b" ", b"\r", b"\n", b"n", b"j", b"\x1b[C", b"\x1b[B", b"\x1b[6~"), "next"),
    **dict.fromkeys((b"b", b"p", b"k", b"\x7f", b"\x1b[D", b"\x1b[A", b"\x1b[5~"), "back"),
    **dict.fromkeys((b"q", b"Q", b"\x1b", b"\x04", b""), "quit"),
}
"""What each key means; no bytes at all: the terminal has gone."""


def interactive() -> bool:
    """Whether a person can be shown something and press a key."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def raw() -> Iterator[None]:
    """Take keys one by one; the terminal is put back whatever happens, and Ctrl-C still stops."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def move() -> Move:
    """Wait for a key that means something."""
    descriptor = sys.stdin.fileno()
    while True:
        key = os.read(descriptor, 1)
        while key.startswith(b"\x1b") and select.select([descriptor], [], [], 0.02)[0]:
            key += os.read(descriptor, 8)  # an arrow key sends several bytes at once
        if key in MOVES:
            return MOVES[key]
