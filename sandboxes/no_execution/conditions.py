"""Tests: `[ ... ]`, `[[ ... ]]` and `test`, whose operators may evaluate arithmetic, and with it a hidden command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sandboxes.no_execution.grammar import Refused, clip, not_understood, parts
from sandboxes.no_execution.words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

_UNARY = {f"-{letter}" for letter in "abcdefghknoprstuwxzGLNOS"} - {"-o", "-a"}
_COMPARES = {"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef"}
_COUNTS = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"}
_INNER = ("unary_expression", "binary_expression", "parenthesized_expression", "negation_expression")


def check_condition(node: Node, source: bytes, read: Callable[[Node], Word]) -> None:
    """Raises Refused for a bracketed test that could run something."""
    found = list(parts(node, source))
    if found[0].type == "[":
        check_test([read(each) for each in _flat(found[1:-1], source)])
    elif found[0].type == "[[":
        _check_double(list(_flat(found[1:-1], source)), source, read)
    else:
        raise Refused("no arithmetic: a variable in it can run a command hidden in its value")


def _flat(nodes: Sequence[Node], source: bytes) -> Iterator[Node]:
    for node in nodes:
        if node.type in _INNER:
            yield from _flat(list(parts(node, source)), source)
        else:
            yield node


def check_test(words: Sequence[Word]) -> None:
    """Raises Refused unless these words mean the same to `test` whatever the unknown ones among them are."""
    if any(not word.single for word in words):
        raise Refused("in a test, put double quotes around what is expanded")
    rest = list(words)
    while rest and rest[0].literal == "!":
        rest.pop(0)
    if len(rest) <= 1:
        return
    if len(rest) == 2 and rest[0].literal in _UNARY:
        return
    if len(rest) == 3 and rest[1].literal in _COMPARES | _COUNTS:
        return
    raise Refused("one test at a time, with a plain operator, joined by && or ||")


def _check_double(nodes: Sequence[Node], source: bytes, read: Callable[[Node], Word]) -> None:
    """Within double brackets, bash splits no words; it evaluates what is compared as a number."""
    for node in nodes:
        text = source[node.start_byte : node.end_byte].decode(errors="replace")
        if node.type == "test_operator" or not node.is_named:
            if text in _COUNTS:
                raise Refused(f'[[ {text} ]] evaluates arithmetic: use [ "$a" {text} 1 ]')
            if text not in _UNARY | _COMPARES | {"=~", "&&", "||", "!", "(", ")"}:
                raise Refused(f"the test {clip(text)} is not allowed")
        elif node.type in ("regex", "extglob_pattern"):
            if "`" in text or "$(" in text or "${" in text:
                raise not_understood(node, source)
        else:
            read(node)
