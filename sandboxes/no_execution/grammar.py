"""A shell line as a syntax tree whose every byte is accounted for; what the grammar may have misread is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LONGEST = 1 << 18
"""Bytes of a line that are looked at; a longer one is refused."""
DEEPEST = 40
"""Levels of statements and substitutions within each other."""

_BLANKS = re.compile(rb"(?:[ \t\n]|\\\n)*")
_JOINING = re.compile(rb"(?:\\\n)+")
_ENDING = re.compile(rb"(?:^|[^\\])\n")
_OF_LINES = {"program", "compound_statement", "subshell", "do_group", "if_statement", "elif_clause", "else_clause"}
_OF_LINES |= {"while_statement", "for_statement", "case_statement", "case_item", "command_substitution", "array"}
_OF_LINES |= {"process_substitution", "heredoc_redirect"}
"""Nodes within which lines may end."""
_JOINED = {"list", "pipeline"}
"""Nodes within which a line may end after an operator."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DELIMITER = re.compile(rb"""(?P<quote>['"]?)(?P<bare>\\?)(?P<word>[A-Za-z0-9_.+-]+)(?P=quote)""")
_EXPANDS = re.compile(rb"(?:^|[^\\])(?:\\\\)*(?:`|\$(?=[A-Za-z0-9_({!@#?*$\-]))")


class Refused(Exception):
    """Why a line is not run, in words for who typed it."""


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def parse(line: str) -> tuple[Node, bytes]:
    """The tree of a line, and the bytes that its positions count. Raises Refused where it is no bash."""
    if _CONTROL.search(line):
        raise Refused("it holds a control character")
    try:
        source = line.encode()
    except UnicodeEncodeError:
        raise Refused("it is not valid Unicode") from None
    if len(source) > LONGEST:
        raise Refused(f"it is longer than {LONGEST} bytes")
    root = _parser().parse(source).root_node
    if root.has_error:
        raise Refused(f"it cannot be parsed as bash{_near(root, source)}")
    return root, source


def _near(node: Node, source: bytes) -> str:
    while True:
        inner = next((child for child in node.children if child.has_error or child.is_missing), None)
        if inner is None:
            break
        node = inner
    text = source[node.start_byte : node.start_byte + 40].decode(errors="replace").strip()
    return f", near {text!r}" if text else ""


def parts(node: Node, source: bytes) -> Iterator[Node]:
    """The children of a node. Raises Refused where something but blanks lies before, between or after them."""
    at, before = node.start_byte, None
    for child in node.children:
        may_end = node.type in _OF_LINES or (node.type in _JOINED and before is not None and not before.is_named)
        if child.is_missing or not _parts_words(source[at : child.start_byte], may_end=may_end):
            raise not_understood(node, source)
        at, before = child.end_byte, child
        yield child
    if not _parts_words(source[at : node.end_byte], may_end=node.type in _OF_LINES):
        raise not_understood(node, source)


def _parts_words(gap: bytes, *, may_end: bool) -> bool:
    """Whether bash, too, takes a gap for blanks: a line that goes on without one joins two words to one, and
    an end of line ends a command."""
    if not _BLANKS.fullmatch(gap) or (gap and _JOINING.fullmatch(gap)):
        return False
    return may_end or not _ENDING.search(gap)


def not_understood(node: Node, source: bytes) -> Refused:
    """What to raise where the tree says less than bash might do."""
    text = source[node.start_byte : node.end_byte].decode(errors="replace").strip()
    return Refused(f"{clip(text)!r} is not understood: write it in a simpler way")


def check_comment(node: Node, source: bytes) -> None:
    """Raises Refused unless bash, too, sees a comment here: at the start of a word, to the end of the line."""
    before = source[: node.start_byte][-2:]
    text = source[node.start_byte : node.end_byte]
    after = source[node.end_byte : node.end_byte + 1]
    if (
        (before and before[-1:] not in (b" ", b"\t", b"\n", b";"))
        or before == b"\\\n"
        or b"\n" in text
        or text.endswith(b"\\")
        or after not in (b"", b"\n")
    ):
        raise not_understood(node, source)


def check_document(start: Node, body: Node, end: Node, source: bytes, *, tabs: bool) -> bool:
    """Whether the text of a here-document is expanded. `tabs`: those that lead a line are dropped (``<<-``). Raises
    Refused unless its text begins after this line and ends where bash ends it: this is not left to the grammar."""
    delimiter = _DELIMITER.fullmatch(source[start.start_byte : start.end_byte])
    if delimiter is None:
        raise Refused("the delimiter of a here-document must be a plain word, such as 'EOF'")
    rest, newline, led = source[start.end_byte : body.start_byte].partition(b"\n")
    if not newline or led.strip(b" \t\n") or b"<<" in rest:
        raise Refused("one here-document a line, please, with nothing unusual after its delimiter")
    # The grammar leaves out blanks that lead the text.
    lines = (led + source[body.start_byte : end.start_byte]).split(b"\n")
    expanded = not (delimiter["quote"] or delimiter["bare"])
    last = lines.pop()
    closing = source[end.start_byte : end.end_byte + 1]
    if (last.strip(b"\t") if tabs else last) or closing.rstrip(b"\n").lstrip(b"\t") != delimiter["word"]:
        raise Refused("the end of the here-document is not on a line of its own")
    if expanded:
        lines = b"\n".join(lines).replace(b"\\\n", b"").split(b"\n")
    if any((each.lstrip(b"\t") if tabs else each) == delimiter["word"] for each in lines):
        raise Refused("the here-document ends earlier than it seems to")
    return expanded


def check_expanded(text: bytes) -> None:
    """Raises Refused where bash would expand something in a text in which the grammar saw nothing."""
    if _EXPANDS.search(text):
        raise Refused("a here-document with $ or ` in it: quote its delimiter, as in <<'EOF'")


def clip(text: str, limit: int = 60) -> str:
    """The beginning of a text."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
