"""Options of programs, read as getopt reads them: one that is not on a program's list is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandboxes.no_execution.grammar import Refused, clip
from sandboxes.no_execution.words import Word, plain


@dataclass(frozen=True)
class Options:
    """The options of one program."""

    short: str = ""
    """Letters without a value."""
    valued: str = ""
    """Letters with a value, in the same word or the next."""
    attached: str = ""
    """Letters whose value, if any, is in the same word."""
    long: frozenset[str] = frozenset()
    """Names without a value; abbreviations are refused."""
    long_valued: frozenset[str] = frozenset()
    """Names with a value, after ``=`` or in the next word."""
    number: bool = False
    """Whether ``-5`` is an option."""
    first: bool = False
    """Whether options end at the first word that is none."""


@dataclass
class Read:
    """Options with their values, and the words that are none."""

    options: list[tuple[str, Word | None]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)

    def values(self, *names: str) -> list[Word]:
        """The values given to an option."""
        return [value for name, value in self.options if name in names and value is not None]

    def has(self, *names: str) -> bool:
        """Whether an option is there."""
        return any(name in names for name, _ in self.options)


def read(name: str, args: Sequence[Word], known: Options) -> Read:
    """Raises Refused for an option that is not known, and for a word that could be one."""
    found, rest = Read(), list(args)
    while rest:
        word = rest.pop(0)
        if word.literal == "--":
            found.operands += rest
            break
        if not word.could_be_option or word.literal == "-":
            found.operands.append(word)
            if known.first:
                found.operands += rest
                break
            continue
        text = word.literal if word.literal is not None else word.prefix
        if not text.startswith("-") or (word.literal is None and not _is_valued(text, known)):
            raise Refused(f"{name}: {clip(word.text)!r} could be an option: write it out, or put `--` before it")
        if known.number and text[1:].isdigit():
            found.options.append(("number", word))
        elif text.startswith("--"):
            _long(name, word, text, rest, known, found)
        else:
            _short(name, word, text, rest, known, found)
    return found


def _is_valued(text: str, known: Options) -> bool:
    """Whether the part of an option that is known says that the unknown rest is its value."""
    if text.startswith("--"):
        return "=" in text and text[2:].partition("=")[0] in known.long_valued
    at = next((at for at, letter in enumerate(text[1:]) if letter not in known.short), None)
    return at is not None and text[1 + at] in known.valued


def _long(name: str, word: Word, text: str, rest: list[Word], known: Options, found: Read) -> None:
    option, equals, value = text[2:].partition("=")
    if option in known.long_valued:
        if equals:
            given = plain(value) if word.literal is not None else Word(word.text)
        elif rest:
            given = _next(name, rest)
        else:
            raise Refused(f"{name}: --{option} lacks its value")
        found.options.append((option, given))
    elif option in known.long and not equals:
        found.options.append((option, None))
    else:
        raise Refused(f"{name}: the option --{clip(option)} is not allowed")


def _short(name: str, word: Word, text: str, rest: list[Word], known: Options, found: Read) -> None:
    letters = text[1:]
    for at, letter in enumerate(letters):
        after = letters[at + 1 :]
        if letter in known.short:
            found.options.append((letter, None))
        elif letter in known.attached:
            found.options.append((letter, plain(after)))
            return
        elif letter in known.valued:
            if word.literal is None:
                found.options.append((letter, Word(word.text)))
            elif after:
                found.options.append((letter, plain(after)))
            elif rest:
                found.options.append((letter, _next(name, rest)))
            else:
                raise Refused(f"{name}: -{letter} lacks its value")
            return
        else:
            raise Refused(f"{name}: the option -{clip(letter)} is not allowed")


def _next(name: str, rest: list[Word]) -> Word:
    """The next word, as a value: one that may be none, or several, would shift the meaning of all that follow."""
    word = rest.pop(0)
    if not word.single:
        raise Refused(f"{name}: put double quotes around {clip(word.text)!r}")
    return word


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())
