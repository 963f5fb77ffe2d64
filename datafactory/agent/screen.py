"""What a reader sees of the bytes that programs send to a terminal."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

COLUMNS, ROWS = 160, 40
"""Harbor's pane (`tmux_pane_width`, `tmux_pane_height`); shell/rc.sh tells the programs the same."""

_PAGED = 64 << 10
"""Bytes from the end that a screen page is drawn from; pyte draws about 300 kB a second."""

_LINE = 4096
"""Characters of an unfinished line that are kept for the next look."""

_ESCAPE = re.compile(
    r"\x1b\[(?P<args>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[0-Z\\`-~]"
)
_TORN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*|[ -/]*)?\Z")
_OPEN = re.compile(r"\x1b\[\?(?:1049|1047|47)h")
_CLOSE = re.compile(r"\x1b\[\?(?:1049|1047|47)l")
_ADDRESSED = re.compile(r"\x1b\[[0-9;]*[HfABdLMSTr]|\x1b\[[23]J|\x1bM|\x1bc")
_CLEARED = re.compile(r"\x1b\[H(?:\x1b\[[0-3]?J)+|\x1b\[2J(?:\x1b\[3J)?(?:\x1b\[H)?|\x1bc")
_PLAIN = re.compile(r"[\x00-\x06\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class View:
    """What is there to see since the last look."""

    text: str
    whole: bool
    """True: `text` is the whole screen; False: only the new output."""


class Screen:
    """Turns a terminal's byte stream into text: plain lines as they came, a page where a program drew one."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._page: str | None = None
        self._line = ""
        self._recent = ""

    def feed(self, data: bytes) -> View:
        """Take in new bytes; an escape sequence or a character cut in two waits for its rest. New output begins with
        the line that the cursor was on, its prompt included; where nothing is new, the screen is shown again."""
        view = self._fed(data)
        kept = view.text if view.whole else f"{self._recent.rpartition(chr(10))[0]}\n{view.text}"
        self._recent = "\n".join(kept.split("\n")[-ROWS:]).strip("\n")
        return view

    def _fed(self, data: bytes) -> View:
        text = self._held + self._decoder.decode(data)
        torn = _TORN.search(text)
        self._held = torn.group() if torn and len(torn.group()) < 256 else ""
        text = text[: len(text) - len(self._held)]
        lines = self._outside_pages(text)
        if self._page is not None:
            self._line = ""
            return View(_drawn(self._page), whole=True)
        if not lines:
            return View(self._recent, whole=True)
        lines = self._line + lines
        self._line = lines.rpartition("\n")[2][-_LINE:]
        cleared = list(_CLEARED.finditer(lines))
        if cleared or _ADDRESSED.search(lines):
            return View(_drawn(lines[cleared[-1].start() if cleared else 0 :]), whole=True)
        return View(_ruled(lines), whole=False)

    def _outside_pages(self, text: str) -> str:
        """The part of `text` outside full-screen programs; keeps the page of one that is still open."""
        outside = ""
        while text:
            if self._page is None:
                opened = _OPEN.search(text)
                if opened is None:
                    return outside + text
                outside += text[: opened.start()]
                self._page, text = "", text[opened.end() :]
            else:
                closed = _CLOSE.search(text)
                if closed is None:
                    self._page = (self._page + text)[-_PAGED:]
                    return outside
                self._page, text = None, text[closed.end() :]
        return outside


def _drawn(text: str) -> str:
    """The page that a program drew with cursor addressing."""
    import pyte

    page = pyte.Screen(COLUMNS, ROWS)
    pyte.Stream(page).feed(text[-_PAGED:])
    return "\n".join(line.rstrip() for line in page.display).rstrip("\n")


def _ruled(text: str) -> str:
    """Lines as a reader sees them: colours gone, overwritten characters overwritten, tabs kept."""
    text = text.replace("\r\n", "\n")
    if "\x1b" not in text and "\r" not in text and "\b" not in text:
        return _PLAIN.sub("", text)
    return "\n".join(_overwritten(line) for line in text.split("\n"))


def _overwritten(line: str) -> str:
    if "\x1b" not in line and "\r" not in line and "\b" not in line:
        return _PLAIN.sub("", line)
    cells: list[str] = []
    at = position = 0
    while position < len(line):
        char = line[position]
        escape = _ESCAPE.match(line, position) if char == "\x1b" else None
        if escape is not None:
            at = _moved(cells, at, escape["final"] or "", escape["args"] or "")
            position = escape.end()
            continue
        position += 1
        if char == "\r":
            at = 0
        elif char == "\b":
            at = max(0, at - 1)
        elif char == "\t" or (char >= " " and char != "\x7f"):
            cells.extend(" " * (at - len(cells)))
            cells[at : at + 1] = [char]
            at += 1
    return "".join(cells)


def _moved(cells: list[str], at: int, final: str, args: str) -> int:
    """Apply one control sequence to a line; the new cursor column."""
    first = args.split(";")[0]
    count = min(int(first), 10_000) if first.isdigit() else 0
    if final == "K":
        if count == 0:
            del cells[at:]
        else:
            upto = len(cells) if count == 2 else min(at + 1, len(cells))
            cells[:upto] = " " * upto
    elif final == "J" and count == 0:
        del cells[at:]
    elif final == "P":
        del cells[at : at + max(count, 1)]
    elif final == "C":
        return at + max(count, 1)
    elif final == "D":
        return max(0, at - max(count, 1))
    elif final in ("G", "`"):
        return max(count, 1) - 1
    return at
