"""Puts what somebody wrote in the place of a function's or class's body, byte for byte, and nowhere else."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

from generators.swe.mutations import Unreadable
from generators.swe.mutations.proof import same
from generators.swe.mutations.site import NEWLINE
from generators.swe.mutations.source import syntax
from generators.swe.outline import Definition, Outline, Part, parts_of
from generators.swe.rewriting.layout import laid_out

LARGEST_CODE = 40_000
"""Characters of a definition that is taken: ten times the longest that is asked about by default."""
_FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.S)
_NO_TEXT = re.compile(r"[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\U0010ffff]")


class Misfit(ValueError):
    """What was written does not go there; `reason` is a short word, the message says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Cut:
    """A definition in two: its head (decorators, signature, docstring), and the lines of the rest."""

    head: int
    """Last line of the head, from 1."""
    last: int
    """Last line of the body."""
    body: tuple[ast.stmt, ...]
    """Without the docstring."""


@dataclass(frozen=True, slots=True)
class Written:
    """A definition as somebody wrote it, apart from any file."""

    lines: list[str]
    node: Definition
    cut: Cut


def cut(lines: Sequence[str], node: Definition) -> Cut | None:
    """None: there is nothing behind the head, or both share a line. `lines`: of the file, without their ends."""
    documented = ast.get_docstring(node, clean=False) is not None
    body = tuple(node.body[documented:])
    if not body:
        return None
    head = node.body[0].end_lineno if documented else _colon(lines, node)
    first = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", ()))])
    return Cut(head, node.end_lineno or first, body) if head is not None and head < first else None


def _colon(lines: Sequence[str], node: Definition) -> int | None:
    """The line on which the signature ends."""
    depth = 0
    text = "\n".join(lines[node.lineno - 1 : node.body[0].lineno])
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.OP:
                continue
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                return node.lineno + token.start[0] - 1
    except (tokenize.TokenError, SyntaxError):
        pass
    return None


def written(code: str, part: Part, indentation: str) -> Written:
    """`code` as a definition of the kind and name of `part`, which is indented by `indentation` in its file. Raises
    Misfit: `too_large`, `not_text`, `code_syntax`, `not_the_function`, `signature_changed`, `layout`."""
    if len(code) > LARGEST_CODE:
        raise Misfit("too_large", f"{len(code)} characters, more than {LARGEST_CODE}")
    text = code.replace("\r\n", "\n")
    fenced = _FENCE.match(text)
    text = (fenced[1] if fenced else text).strip("\n")
    if odd := _NO_TEXT.search(text):
        raise Misfit("not_text", f"it has the character {odd[0]!r}")
    lines, body = _parsed(text, indentation)
    node = body[0] if len(body) == 1 else None
    if not isinstance(node, Definition) or type(node) is not type(part.node) or node.name != part.node.name:
        raise Misfit("not_the_function", f"it is not one definition of {part.node.name} and nothing else")
    if (why := _other_head(part.node, node)) is not None:
        raise Misfit("signature_changed", why)
    found = cut(lines, node)
    if found is None:
        raise Misfit("layout", "it has no body on lines of its own")
    return Written(lines, node, found)


def _parsed(text: str, indentation: str) -> tuple[list[str], list[ast.stmt]]:
    """Lines and statements; models leave out the indentation of the first line, or of all."""
    why = ""
    for tried in (text, indentation + text) if indentation else (text,):
        block = tried[:1] in (" ", "\t")
        whole = f"if 1:\n{tried}\n" if block else f"\n{tried}\n"
        try:
            tree = syntax("answer.py", whole)
        except Unreadable as error:
            why = why or str(error)
            continue
        outer = tree.body[0] if tree.body else None
        return whole.split("\n"), outer.body if block and isinstance(outer, ast.If) else tree.body
    raise Misfit("code_syntax", why)


def _other_head(old: Definition, new: Definition) -> str | None:
    """Why callers would see a difference; None: they would not. Annotations are not looked at, and decorators may be
    left out: the head in the file stays as it is."""
    if new.decorator_list and not same(old.decorator_list, new.decorator_list):
        return f"{old.name} has other decorators"
    if isinstance(old, ast.ClassDef) or isinstance(new, ast.ClassDef):
        if not all(same(getattr(old, name, None), getattr(new, name, None)) for name in ("bases", "keywords")):
            return f"{old.name} inherits from others"
        there, here = ([each for each in node.body if isinstance(each, Definition)] for node in (old, new))
        if [each.name for each in there] != [each.name for each in here]:
            return f"{old.name} has other methods"
        for one, other in zip(there, here, strict=True):
            if type(one) is not type(other) or not same(one.decorator_list, other.decorator_list):
                return f"{old.name}.{one.name} is defined otherwise"
            if (why := _other_head(one, other)) is not None:
                return why
        return None
    return None if _called(old.args) == _called(new.args) else f"{old.name} is called with other arguments"


def _called(args: ast.arguments) -> tuple[object, ...]:
    """Parameters as callers see them."""
    names = [[arg.arg for arg in part] for part in (args.posonlyargs, args.args, args.kwonlyargs)]
    stars = [arg.arg if arg else None for arg in (args.vararg, args.kwarg)]
    defaults = [None if default is None else ast.dump(default) for default in (*args.defaults, *args.kw_defaults)]
    return *names, stars, defaults


def replaced(outline: Outline, part: Part, new: Written) -> bytes:
    """The file with the body of `new` in the place of that of `part`; head, and all around, as they are. Raises
    Misfit: as `written`, `no_change`, and `encoding` where the file has no bytes for it."""
    old = cut(outline.lines, part.node)
    if old is None:
        raise Misfit("layout", f"{part.qualname} has no body on lines of its own")
    text = spliced_body(outline, part, old, new)
    try:
        data = outline.source.encoded(text)
    except UnicodeEncodeError as error:
        raise Misfit("encoding", str(error)) from error
    try:
        after = Outline(outline.source.path, data)
    except Unreadable as error:
        raise Misfit("code_syntax", str(error)) from error
    if outline.same_code(after):
        raise Misfit("no_change", f"{part.qualname} does what it did")
    if not _only_there(outline, part, after, new.cut.body):
        raise Misfit("layout", "in its place it is other code than by itself")
    return data


def spliced_body(outline: Outline, part: Part, old: Cut, new: Written) -> str:
    """The file's text with the lines of one body instead of those of the other."""
    text = outline.source.text
    ends = [match.span() for match in NEWLINE.finditer(text)]
    start = ends[old.head - 1][1]
    stop = ends[old.last - 1][0] if old.last <= len(ends) else len(text)
    newline = text[slice(*ends[old.head - 1])]
    margins = (_margin(outline.lines, part.node), _margin(outline.lines, old.body[0]))
    kept = outline.lines[old.head : old.last]
    lines = laid_out(new.lines, new.cut.head + 1, new.cut.last, _margin(new.lines, new.cut.body[0]), margins, kept)
    return text[:start] + newline.join(lines) + text[stop:]


def _margin(lines: Sequence[str], node: ast.stmt) -> str:
    line = lines[node.lineno - 1]
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _only_there(before: Outline, part: Part, after: Outline, body: Sequence[ast.stmt]) -> bool:
    """Whether the syntax trees differ in the body of one definition alone, which is `body` now."""
    number = before.parts.index(part)
    if number >= len(after.parts):
        return False
    found = cut(after.lines, after.parts[number].node)
    if found is None or _dump(found.body) != _dump(body):
        return False
    return same(*(_emptied(outline, number) for outline in (before, after)))


def _dump(body: Sequence[ast.stmt]) -> str:
    """The statements; without the blanks that lines in strings begin with, which may have moved."""
    return re.sub(r"\\n(?: |\\t)+", r"\\n", "\n".join(map(ast.dump, body)))


def _emptied(outline: Outline, number: int) -> ast.Module:
    tree = ast.parse(outline.source.data)
    definition = list(parts_of(tree))[number].node
    definition.body = definition.body[: ast.get_docstring(definition, clean=False) is not None]
    return tree
