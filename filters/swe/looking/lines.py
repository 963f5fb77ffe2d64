"""Lines of a shell as the programs that they start, whatever they are wrapped in; nothing is run."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datafactory.bash import tame, tree_of

if TYPE_CHECKING:
    from tree_sitter import Node

LONGEST = 1 << 17
"""Characters of a line that are looked at."""
DEEPEST = 4
"""Shells within shells."""

_WRAPPERS = {"sudo", "env", "timeout", "nice", "nohup", "time", "command", "exec", "builtin", "xargs", "stdbuf"}
_SHELLS = {"bash", "sh", "dash", "zsh"}
_REDIRECTED = {"command", "list", "pipeline", "redirected_statement", "negated_command"}
"""What the redirections behind it belong to: of several programs, the last."""
_PASSED = re.compile(r"-.*|[A-Za-z_]\w*=.*|\d+(?:\.\d+)?[smhd]?|\{\}")
"""Words between a wrapper and the program: options, variables, a number or a time."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One program with its words; quotes are taken off, and variables stay as they are written."""

    words: tuple[str, ...]
    given: str = ""
    """The here-document that it reads."""
    read: tuple[str, ...] = ()
    """Files that its redirections read."""
    written: tuple[str, ...] = ()
    """Files that its redirections write."""

    @property
    def program(self) -> str:
        """Its name, without the folder."""
        return posixpath.basename(self.words[0])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words after the program."""
        return self.words[1:]


def commands(line: str, depth: int = 0) -> Iterator[Command]:
    """The programs of a line, or several, in order: those within substitutions, wrappers, and ``bash -c`` too.

    Where the grammar cannot make sense of a stretch, what it sees of it counts. Never raises.
    """
    tree = tree_of((tame(line[:LONGEST]) or "").encode(errors="replace"))
    for command in _walk(tree.root_node):
        bare = _unwrapped(command)
        if bare is None:
            continue
        yield bare
        inner = _inner(bare)
        if inner and depth < DEEPEST:
            yield from commands(inner, depth + 1)


def _walk(root: Node) -> Iterator[Command]:
    waiting: list[tuple[Node, tuple[Node, ...]]] = [(root, ())]
    while waiting:
        node, redirects = waiting.pop()
        if node.type == "command":
            yield _command(node, redirects)
        if node.type == "redirected_statement":
            redirects += tuple(child for child in node.children if child.type.endswith("_redirect"))
        heirs = [child for child in node.named_children if child.type in _REDIRECTED][-1:]
        waiting += [(child, redirects if child in heirs else ()) for child in reversed(node.children)]


def _command(node: Node, redirects: tuple[Node, ...]) -> Command:
    words: list[str] = []
    given = ""
    read: list[str] = []
    written: list[str] = []
    for child in node.named_children:
        if child.type == "command_name":
            words += [_word(inner) for inner in child.named_children] or [_text(child)]
        elif child.type == "herestring_redirect":
            given += "".join(map(_word, child.named_children))
        elif not child.type.endswith("_redirect") and child.type != "variable_assignment":
            words.append(_word(child))
    for redirect in redirects:
        if redirect.type == "heredoc_redirect":
            given += "".join(_text(child) for child in redirect.named_children if child.type == "heredoc_body")
            for child in redirect.named_children:
                if child.type == "file_redirect":
                    _redirected(child, read, written)
        elif redirect.type == "file_redirect":
            _redirected(redirect, read, written)
        else:
            given += "".join(map(_word, redirect.named_children))
    return Command(tuple(words), given, tuple(read), tuple(written))


def _redirected(node: Node, read: list[str], written: list[str]) -> None:
    target = node.child_by_field_name("destination")
    if target is not None:
        (written if any(">" in child.type for child in node.children) else read).append(_word(target))


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _word(node: Node) -> str:
    text = _text(node)
    match node.type:
        case "raw_string":
            return text[1:-1]
        case "string":
            return re.sub(r'\\(["\\$`\n])', r"\1", text[1:-1])
        case "ansi_c_string":
            return text[2:-1]
        case "concatenation":
            return "".join(map(_word, node.named_children))
        case "word":
            return _ESCAPED.sub(r"\1", text)
        case _:
            return text


def _unwrapped(command: Command) -> Command | None:
    """The program that wrappers start; None: there is none."""
    words = list(command.words)
    while words and posixpath.basename(words[0]) in _WRAPPERS:
        words.pop(0)
        while words and _PASSED.fullmatch(words[0]):
            words.pop(0)
    if not words or not words[0]:
        return None
    return Command(tuple(words), command.given, command.read, command.written)


def _inner(command: Command) -> str:
    """What a shell, or `find -exec`, is told to run."""
    if command.program == "find":
        starts = [at for at, word in enumerate(command.words) if word in ("-exec", "-execdir", "-ok")]
        return shlex.join(word for word in command.words[starts[0] + 1 :] if word not in (";", "+")) if starts else ""
    if command.program == "eval":
        return " ".join(command.arguments)
    if command.program not in _SHELLS:
        return ""
    for place, word in enumerate(command.arguments):
        if re.fullmatch(r"-[a-z]*c", word):
            return "".join(command.arguments[place + 1 : place + 2])
    return command.given
