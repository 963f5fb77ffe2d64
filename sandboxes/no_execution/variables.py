"""Variables and expansions in a shell line: which may be assigned, and what comes in the place of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sandboxes.no_execution.grammar import DEEPEST, Refused, clip
from sandboxes.no_execution.words import EXPANSIONS, Known, Reader, Word

if TYPE_CHECKING:
    from tree_sitter import Node

_ASSIGNING = {"variable_assignment", "for_statement", "declaration_command", "unset_command"}
Scope = dict[str, Word]
"""What is known of variables at a place in a line: of those that nothing else in it can change before then."""
UNKNOWN = Word("")
"""What a variable is that may hold anything."""

_LOWER = re.compile(r"[a-z_][a-z0-9_]*")
_UPPER = re.compile(
    r"FILE[0-9]?|FILES|F|DIR|DIRS|D|REPO|ROOT|SRC|DEST|NAME|NAMES|PATTERN|LINE|START|END|TARGET|OUT|TMP|I|N|X|Y|A|B|C|"
    r"LANG|LC_[A-Z]+"
)
_INTERACTIVE = ("auto_resume", "histchars")
_QUIET = {"PAGER": ("cat", ""), "GIT_PAGER": ("cat", ""), "IFS": ("", "\n")}
"""Names that mean something, and the values that do no harm."""

_PLAIN = re.compile(rb"\$(?:[?!#@*0-9_-]|\$|(?P<name>[A-Za-z_][A-Za-z0-9_]*))")
_BRACED = re.compile(
    rb"\$\{(?:#?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\[[@*]\])?|#?[0-9@*?])"
    rb"(?P<rest>\}|:?[-+?]|##?|%%?|//?[#%]?|\^\^?|,,?|: ?[0-9]+(?::[0-9]+)?\})"
)
_ARITHMETIC = re.compile(rb"\$\(\([-+*/%() \t\n<>=!&|^~?:,0-9]*\)\)")


def check_name(name: str, value: str | None = None) -> None:
    """Raises Refused for a variable that bash or a program takes for more than text."""
    if name in _INTERACTIVE or not (_LOWER.fullmatch(name) or _UPPER.fullmatch(name) or name in _QUIET):
        raise Refused(f"the variable {clip(name)} may not be set; one with a name in small letters may")
    wanted = _QUIET.get(name)
    if wanted is not None and value not in wanted:
        raise Refused(f"the variable {name} may not be set to that")
    if name.startswith(("LANG", "LC_")) and not re.fullmatch(r"[A-Za-z0-9_.@-]*", value or ""):
        raise Refused(f"the variable {name} may only be set to a locale")


def merged(words: Sequence[Word]) -> Word:
    """What a loop over `words` knows of its variable."""
    values: list[str] = []
    for word in words:
        if word.values is None:
            known = all(each.values is not None or each.names or each.pattern for each in words)
            return Word("", names=known and not any(each.could_be_option for each in words))
        values += word.values
    return Word("", tuple(dict.fromkeys(values)) or None)


def assigned_in(node: Node, depth: int = 0) -> Iterator[str]:
    """Names that are given a value in a line, once for each time. Raises Refused where the tree is too deep."""
    if depth > 8 * DEEPEST:
        raise Refused("it is nested too deeply")
    if node.type in _ASSIGNING:
        yield from (_text(child) for child in node.children if child.type == "variable_name")
    name = node.child_by_field_name("name")
    if node.type == "command" and name is not None and _text(name) == "read":
        yield from (_text(child) for child in node.children)
    for child in node.children:
        yield from assigned_in(child, depth + 1)


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


class Expander:
    """Reads the words of one line."""

    def __init__(self, source: bytes, substitute: Callable[[Node, Scope], bool]) -> None:
        """`substitute` checks the statements of a substitution, and says whether they print names of files."""
        self._source, self._substitute = source, substitute

    def read(self, node: Node, scope: Scope) -> Word:
        """What a word can be. Raises Refused where something in it is not allowed."""
        return Reader(self._source, lambda each, quoted: self._expand(each, scope, quoted)).read(node)

    def _expand(self, node: Node, scope: Scope, quoted: bool) -> Known:
        text = self._source[node.start_byte : node.end_byte].lstrip(b" \t\n")
        if node.type == "simple_expansion":
            found = _PLAIN.fullmatch(text)
            return self._variable(found, node, scope, quoted)
        if node.type == "expansion":
            found = _BRACED.match(text)
            if found is not None and found["rest"] in (b"}",) and not text.startswith(b"${#") and b"[" not in found[0]:
                return self._variable(found, node, scope, quoted)
            self._check_braced(node, found, text, scope)
            return Known(None, quoted)
        if node.type == "arithmetic_expansion":
            if not _ARITHMETIC.fullmatch(text):
                raise Refused(
                    f"{clip(text.decode(errors='replace'))!r}: in arithmetic, a variable can run a command "
                    "hidden in its value; only numbers are allowed"
                )
            return Known(None, True, names=not text.startswith(b"$((-"))
        names = self._substitute(node, scope)
        return Known(None, quoted, names=names or node.type == "process_substitution")

    def _variable(self, found: re.Match[bytes] | None, node: Node, scope: Scope, quoted: bool) -> Known:
        if found is None:
            raise _unusual(node, self._source)
        name = (found["name"] or b"").decode()
        known = scope.get(name, UNKNOWN)
        return Known(known.values, quoted, known.names)

    def _check_braced(self, node: Node, found: re.Match[bytes] | None, text: bytes, scope: Scope) -> None:
        """The name and the operator are plain; what follows them is read as words are."""
        if found is None:
            raise _unusual(node, self._source)
        rest = text[found.end() :]
        if found["rest"].endswith(b"}"):
            if rest:
                raise _unusual(node, self._source)
            return
        for child in _deep(node):
            inside = self._source[child.start_byte : child.end_byte].lstrip(b" \t\n")
            self._expand(child, scope, True)
            rest = rest.replace(inside, b"", 1)
        if re.search(rb"[`$]", rest.replace(b"\\$", b"").replace(b"$}", b"}")) or not rest.endswith(b"}"):
            raise _unusual(node, self._source)


def _deep(node: Node) -> list[Node]:
    """The expansions within an expansion, outermost first."""
    found: list[Node] = []
    for child in node.children:
        found += [child] if child.type in EXPANSIONS else _deep(child)
    return found


def _unusual(node: Node, source: bytes) -> Refused:
    text = source[node.start_byte : node.end_byte].decode(errors="replace").strip()
    return Refused(f"the expansion {clip(text)!r} is not allowed: use a simpler one")
