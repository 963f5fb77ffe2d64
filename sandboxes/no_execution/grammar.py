"""A shell line as a syntax tree whose every byte is accounted for; what the grammar may have misread is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from datafactory.bash import tame, tree_of

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

LONGEST = 1 << 18
"""Bytes of a line that are looked at; a longer one is refused."""
MOST_LINES = 50
"""Ends of lines that are put right where the grammar takes them for blanks."""
DEEPEST = 40
"""Levels of statements and substitutions within each other."""

_BLANKS = re.compile(rb"(?:[ \t\n]|\\\n)*")
_JOINING = re.compile(rb"(?:\\\n)+")
_ENDING = re.compile(rb"(?<!\\)\n")
_OF_LINES = {"program", "compound_statement", "subshell", "do_group", "if_statement", "elif_clause", "else_clause"}
_OF_LINES |= {"while_statement", "for_statement", "case_statement", "case_item", "command_substitution", "array"}
_OF_LINES |= {"process_substitution", "heredoc_redirect"}
"""Nodes within which lines may end."""
_JOINED = {"list", "pipeline"}
"""Nodes within which a line may end after an operator."""
_KEYWORD = re.compile(r"[a-z]+|\[\[?|\]\]?|[{}!]")
_PARTING = b" \t\n;&|()<>`"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DELIMITER = re.compile(rb"""(?P<quote>['"]?)(?P<bare>\\?)(?P<word>[A-Za-z0-9_.+-]+)(?P=quote)""")
_EXPANDS = re.compile(rb"(?:^|[^\\])(?:\\\\)*(?:`|\$(?=[A-Za-z0-9_({!@#?*$\-]))")


class Refused(Exception):
    """Why a line is not run, in words for who typed it."""


def parse(line: str) -> tuple[Tree, bytes]:
    """The tree of a line, and the bytes that its positions count. Raises Refused where it is no bash."""
    if _CONTROL.search(line):
        raise Refused("it holds a control character")
    tamed = tame(line)
    if tamed is None:
        raise Refused("it has too many kinds of rare characters")
    try:
        source = tamed.encode()
    except UnicodeEncodeError:
        raise Refused("it is not valid Unicode") from None
    if len(source) > LONGEST:
        raise Refused(f"it is longer than {LONGEST} bytes")
    tree = tree_of(source)
    root = tree.root_node
    parted: list[int] = []
    while not root.has_error and len(parted) < MOST_LINES and (at := _swallowed(root, source)) is not None:
        parted.append(at)
        source = source[:at] + b";" + source[at + 1 :]
        tree = tree_of(source)
        root = tree.root_node
    if root.has_error:
        raise Refused(f"it cannot be parsed as bash{_near(root, source)}")
    for at in parted:
        ending = root.descendant_for_byte_range(at, at + 1)
        if ending is None or ending.type != ";":
            raise Refused("its lines are not understood: give them one by one")
    return tree, source


def _swallowed(root: Node, source: bytes) -> int | None:
    """Where the end of a line was taken for a blank between the words of one command: after a pipeline of three, say,
    tree-sitter-bash 0.25 does so. A semicolon means the same there, unless a here-document begins on that line."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "command":
            for left, right in pairwise(node.children):
                found = _ENDING.search(source, left.end_byte, right.start_byte)
                if found and b"<<" not in source[: left.end_byte].rpartition(b"\n")[2]:
                    return found.end() - 1
        waiting += node.children
    return None


def _near(node: Node, source: bytes) -> str:
    while True:
        inner = next((child for child in node.children if child.has_error or child.is_missing), None)
        if inner is None:
            break
        node = inner
    text = source[node.start_byte : node.start_byte + 40].decode(errors="replace").strip()
    return f", near {text!r}" if text else ""


def parts(node: Node, source: bytes) -> Iterator[Node]:
    """The children of a node. Raises Refused where something but blanks lies before, between or after them, or in one
    that is punctuation."""
    at, before = node.start_byte, None
    for child in node.children:
        may_end = node.type in _OF_LINES or (node.type in _JOINED and before is not None and not before.is_named)
        sound = child.is_named or _is_token(child, source)
        if child.is_missing or not sound or not _parts_words(source[at : child.start_byte], may_end=may_end):
            raise not_understood(node, source)
        at, before = child.end_byte, child
        yield child
    if not _parts_words(source[at : node.end_byte], may_end=node.type in _OF_LINES):
        raise not_understood(node, source)


def _is_token(child: Node, source: bytes) -> bool:
    """Whether punctuation or a word of the language is all that lies there, and bash, too, sees it as one: the grammar
    takes the dash in `cat -<<X` for a part of what follows, and `[[x` for `[[` and a word."""
    said = source[child.start_byte : child.end_byte].lstrip(b" \t")
    if not _KEYWORD.fullmatch(child.type):
        return said == child.type.encode()
    begin = child.end_byte - len(said)
    around = source[max(0, begin - 1) : begin] + source[child.end_byte : child.end_byte + 1]
    return said == child.type.encode() and not around.strip(_PARTING)


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
    if _EXPANDS.search(text) or _EXPANDS.search(text.replace(b"\\\n", b"")):
        raise Refused("a here-document with $ or ` in it: quote its delimiter, as in <<'EOF'")


def clip(text: str, limit: int = 60) -> str:
    """The beginning of a text."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
