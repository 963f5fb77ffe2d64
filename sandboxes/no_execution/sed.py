"""Sed: which scripts only read and edit; `e`, `w` and the flags of `s` that run or write are refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandboxes.no_execution import paths
from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.options import Options, listed, read
from sandboxes.no_execution.words import Word

_OPTIONS = Options(
    "nrEsuz",
    "el",
    "i",
    listed("quiet silent regexp-extended in-place separate unbuffered null-data posix sandbox help version"),
    listed("expression line-length"),
)
_ADDRESS = re.compile(r"\d+(?:~\d+)?|\$")
_SUFFIX = re.compile(r"[A-Za-z0-9_.~]*")
_SPACE = " \t"


def check_sed(args: Sequence[Word]) -> None:
    """Raises Refused unless every script that this call can mean is harmless."""
    if not args:
        raise Refused("sed: no script")
    found = read("sed", args, _OPTIONS)
    for suffix in found.values("i"):
        if not _SUFFIX.fullmatch(suffix.literal or ""):
            raise Refused("sed: the suffix of -i must be plain, such as .bak")
    scripts = found.values("e", "expression")
    operands = found.operands
    if not found.has("e", "expression"):
        if not operands:
            raise Refused("sed: no script")
        scripts, operands = operands[:1], operands[1:]
    for script in scripts:
        if script.values is None:
            raise Refused(f"sed: the script {clip(script.text)!r} is not known beforehand: write it out")
    if len(scripts) == 1:
        for value in scripts[0].values or ():
            check_script(value)
    else:
        check_script("\n".join(script.literal or "e" for script in scripts))
    if found.has("i", "in-place"):
        for operand in operands:
            paths.check_target(operand)


def check_script(script: str) -> None:
    """Raises Refused for a script with a command that is not on the list, or that could be read in two ways."""
    _Script(script).check()


class _Script:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def check(self) -> None:
        while self._at < len(self._text):
            if self._peek() in " \t\n;":
                self._at += 1
            else:
                self._address()
                self._command()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, chars: str) -> None:
        while self._peek() and self._peek() in chars:
            self._at += 1

    def _fail(self, why: str) -> Refused:
        return Refused(f"sed: {why} in the script {clip(self._text)!r}")

    def _address(self) -> None:
        if not self._one_address():
            return
        self._skip(_SPACE)
        if self._peek() == ",":
            self._at += 1
            self._skip(_SPACE)
            if self._peek() in ("+", "~"):
                self._at += 1
            if not self._one_address():
                raise self._fail("half an address")
        self._skip(_SPACE)

    def _one_address(self) -> bool:
        found = _ADDRESS.match(self._text, self._at)
        if found:
            self._at = found.end()
            return True
        if self._peek() == "/":
            self._until("/")
        elif self._peek() == "\\":
            self._at += 1
            self._until(self._peek())
        else:
            return False
        self._skip("IM")
        return True

    def _until(self, delimiter: str) -> None:
        """Pass over a part up to its delimiter, the first of which is here. Versions of sed differ on a delimiter
        within brackets, so that one is refused."""
        if not delimiter or delimiter in "\\\n":
            raise self._fail("an unusual delimiter")
        self._at += 1
        inside = False
        while (char := self._peek()) != delimiter or inside:
            if not char:
                raise self._fail("a part without an end")
            if inside and char == delimiter:
                raise self._fail("a delimiter between brackets")
            if inside and char == "[" and self._text[self._at + 1 : self._at + 2] in (":", ".", "="):
                self._class(self._text[self._at + 1])
                continue
            if char == "\\" and (not inside or self._text[self._at + 1 : self._at + 2] == delimiter):
                self._at += 1
                if not self._peek():
                    raise self._fail("a part without an end")
            elif char == "[" and not inside:
                inside = True
                follows = self._text[self._at + 1 : self._at + 3]
                self._at += 2 if follows[:2] == "^]" else 1 if follows[:1] in ("]", "^") else 0
            elif char == "]":
                inside = False
            self._at += 1
        self._at += 1

    def _class(self, mark: str) -> None:
        ends = self._text.find(f"{mark}]", self._at + 2)
        if ends < 0 or not self._text[self._at + 2 : ends].isalpha():
            raise self._fail("an unusual class of characters")
        self._at = ends + 2

    def _replacement(self, delimiter: str) -> None:
        while (char := self._peek()) != delimiter:
            if not char:
                raise self._fail("a part without an end")
            self._at += 2 if char == "\\" else 1
        self._at += 1

    def _command(self) -> None:
        self._skip(_SPACE + "!")
        command = self._peek()
        self._at += 1
        if command in ("{", "#", "}"):
            if command == "#":
                self._line()
            return
        if command and command in "=dDgGhHnNpPxzF":
            self._end()
        elif command and command in "qQlL":
            self._skip(_SPACE + "0123456789")
            self._end()
        elif command and command in "aicrR:btT":
            self._line()
        elif command in ("s", "y"):
            delimiter = self._peek()
            self._until(delimiter)
            self._replacement(delimiter)
            if command == "s":
                self._skip("gpiImM0123456789")
            self._end()
        else:
            raise self._fail(f"the command {command!r}, which may run or write something,")

    def _line(self) -> None:
        """Text, a name or a label: to the end of the line. After a label, what follows is looked at all the same."""
        command = self._text[self._at - 1]
        if command in ":btT":
            found = re.compile(r"[ \t]*[A-Za-z0-9_]*[ \t]*").match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            self._end()
            return
        while self._peek() and self._peek() != "\n":
            self._at += 2 if self._peek() == "\\" and command in "aic" else 1

    def _end(self) -> None:
        self._skip(_SPACE)
        if self._peek() not in ("", ";", "\n", "}", "#"):
            raise self._fail(f"{self._peek()!r} after a command")
