"""Walks the tree of a shell line: every statement and expansion in it must be one that is known to be harmless."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sandboxes.no_execution import paths, programs
from sandboxes.no_execution.calls import Call, prints_names
from sandboxes.no_execution.conditions import check_condition
from sandboxes.no_execution.grammar import (
    DEEPEST,
    Refused,
    check_comment,
    check_document,
    check_expanded,
    clip,
    not_understood,
    parse,
    parts,
)
from sandboxes.no_execution.variables import UNKNOWN, Expander, Scope, assigned_in, check_name, merged
from sandboxes.no_execution.words import EXPANSIONS, Word

if TYPE_CHECKING:
    from tree_sitter import Node

_BETWEEN = {";", "\n", "{", "}", "(", ")", "|", "|&", "&&", "||", "do", "done", "then", "fi", "if", "elif", "else"}
_BETWEEN |= {"while", "until", "for", "in", "case", "esac", ";;", "!"}
_BODIES = {
    "subshell",
    "compound_statement",
    "do_group",
    "if_statement",
    "elif_clause",
    "else_clause",
    "while_statement",
    "negated_command",
}


class Walk:
    """One line, once."""

    def __init__(self, line: str) -> None:
        self._tree, self._source = parse(line)
        counts = Counter(assigned_in(self._tree.root_node))
        self._once = {name for name in counts if counts[name] == 1}
        self._words = Expander(self._source, self._substitute)
        self._depth = 0

    def check(self) -> None:
        """Raises Refused for the first thing in the line that is not allowed."""
        self._sequence(self._tree.root_node, {})

    def _text(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode(errors="replace")

    def _sequence(self, node: Node, scope: Scope) -> None:
        """Statements one after another: what one assigns, the next ones know."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("it is nested too deeply")
        for child in parts(node, self._source):
            if child.type == "comment":
                check_comment(child, self._source)
            elif child.is_named:
                self._statement(child, scope)
            elif child.type == "&":
                raise Refused("no background jobs: a line must end before the next")
            elif child.type not in _BETWEEN:
                raise not_understood(child, self._source)
        self._depth -= 1

    def _statement(self, node: Node, scope: Scope) -> Scope:
        """Check one statement. `scope` learns what it assigns in any case; what is returned, where it succeeds."""
        match node.type:
            case "command":
                self._command(node, scope, None)
            case "list":
                return self._list(node, scope)
            case "pipeline":
                self._pipeline(node, scope, None)
            case "redirected_statement":
                return self._redirected(node, scope, None)
            case "variable_assignment":
                self._assign(node, scope)
            case "variable_assignments":
                for child in parts(node, self._source):
                    self._assign(child, scope)
            case "declaration_command" | "unset_command":
                self._declare(node, scope)
            case "for_statement":
                self._for(node, scope)
            case "case_statement":
                self._case(node, scope)
            case "test_command":
                check_condition(node, self._source, lambda each: self._words.read(each, scope))
            case kind if kind in _BODIES:
                self._sequence(node, dict(scope))
            case "function_definition":
                raise Refused("no functions: a name could come to mean something else")
            case _:
                raise Refused(f"{clip(self._text(node))!r} is not allowed ({node.type.replace('_', ' ')})")
        return scope

    def _list(self, node: Node, scope: Scope) -> Scope:
        found = list(parts(node, self._source))
        if len(found) != 3 or found[1].type not in ("&&", "||"):
            raise not_understood(node, self._source)
        after = self._statement(found[0], scope)
        if found[1].type == "&&":
            return self._statement(found[2], dict(after))
        self._statement(found[2], dict(scope))
        return scope

    def _pipeline(self, node: Node, scope: Scope, before: list[Call] | None) -> list[Call] | None:
        """Check a pipeline. `before`: the programs that feed its first one; None: unknown. Returns its programs, where
        each is a plain one."""
        calls: list[Call] | None = before if before is not None else []
        for child in parts(node, self._source):
            if child.type == "command":
                call = self._command(child, dict(scope), calls)
                calls = [*calls, call] if calls is not None else None
            elif child.type == "redirected_statement":
                self._redirected(child, dict(scope), calls)
                calls = None
            elif child.type not in ("|", "|&"):
                self._statement(child, dict(scope))
                calls = None
        return calls

    def _redirected(self, node: Node, scope: Scope, before: list[Call] | None) -> Scope:
        after = scope
        for child in parts(node, self._source):
            if child.type in ("file_redirect", "heredoc_redirect", "herestring_redirect"):
                self._redirect(child, scope)
            elif child.type == "command":
                feed = None if any(each.type != "file_redirect" for each in node.children[1:]) else before
                self._command(child, scope, feed if not self._reads(node) else None)
            else:
                after = self._statement(child, scope)
        return after

    def _reads(self, node: Node) -> bool:
        """Whether standard input is redirected."""
        return any(b"<" in self._source[each.start_byte : each.end_byte] for each in node.children[1:])

    def _redirect(self, node: Node, scope: Scope) -> None:
        if self._source[max(0, node.start_byte - 1) : node.start_byte] == b"}":
            raise Refused("a { } right before a redirection sets a variable")
        if node.type == "heredoc_redirect":
            self._document(node, scope)
            return
        found = list(parts(node, self._source))
        if found[0].type == "file_descriptor" and self._text(found.pop(0)) not in ("0", "1", "2"):
            raise Refused("only standard input, output and errors can be redirected")
        if len(found) != 2:
            raise Refused(f"{clip(self._text(node))!r}: put redirections last")
        how = found[0].type
        word = self._words.read(found[1], scope)
        if how == "<<<":
            return
        if how in (">&", "<&"):
            if word.literal not in ("0", "1", "2", "-"):
                raise Refused(f"{clip(self._text(node))!r}: only 1 and 2 can be joined")
        elif how in (">", ">>", ">|", "&>", "&>>"):
            paths.check_redirection(word)
        elif how != "<" or (word.literal or "").startswith(("/dev/tcp", "/dev/udp")):
            raise Refused(f"{clip(self._text(node))!r} is not allowed")

    def _document(self, node: Node, scope: Scope) -> None:
        found = list(parts(node, self._source))
        at = {child.type: child for child in found}
        if not {"heredoc_start", "heredoc_body", "heredoc_end"} <= at.keys() or found[0].type not in ("<<", "<<-"):
            raise not_understood(node, self._source)
        start, body, end = (at[f"heredoc_{part}"] for part in ("start", "body", "end"))
        expanded = check_document(start, body, end, self._source, tabs=found[0].type == "<<-")
        for child in found:
            if child.type == "pipeline":
                self._pipeline(child, dict(scope), None)
            elif child.type in ("file_redirect", "herestring_redirect"):
                self._redirect(child, scope)
            elif child.is_named and not child.type.startswith("heredoc"):
                self._statement(child, dict(scope))
            elif child.type not in ("<<", "<<-", "&&", "||") and not child.type.startswith("heredoc"):
                raise not_understood(child, self._source)
        if expanded:
            at_byte = body.start_byte
            for child in body.children:
                if child.type in EXPANSIONS:
                    check_expanded(self._source[at_byte : child.start_byte])
                    self._words.read(child, scope)
                    at_byte = child.end_byte
                elif child.type != "heredoc_content":
                    raise not_understood(child, self._source)
            check_expanded(self._source[at_byte : end.start_byte])

    def _command(self, node: Node, scope: Scope, before: list[Call] | None) -> Call:
        """Check a program, or a builtin, and its arguments. `before`: what feeds it; None: unknown."""
        words, name = [], node.child_by_field_name("name")
        named = self._text(name) if name is not None else ""
        for child in parts(node, self._source):
            if child.type == "variable_assignment":
                self._assign(child, dict(scope), separator_of_read=named == "read")
            elif child.type in ("file_redirect", "herestring_redirect"):
                self._redirect(child, scope)
                before = None
            else:
                words.append(self._words.read(child, scope))
        call = Call.of(words)
        programs.check(call, before)
        return call

    def _assign(self, node: Node, scope: Scope, *, separator_of_read: bool = False) -> None:
        found = list(parts(node, self._source))
        if found[0].type != "variable_name" or found[1].type not in ("=", "+="):
            raise Refused(f"{clip(self._text(node))!r}: an element of an array can run a command hidden in its index")
        name = self._text(found[0])
        if len(found) == 2:
            check_name(name, "")
            return
        if found[2].type == "array":
            check_name(name)
            for each in parts(found[2], self._source):
                if each.type not in ("(", ")") and self._words.read(each, scope).text.startswith("["):
                    raise Refused(f"{clip(self._text(node))!r}: an array without indices, please")
            return
        word = self._words.read(found[2], scope)
        if not (separator_of_read and name == "IFS"):
            check_name(name, word.literal)
        if found[1].type == "=" and name in self._once:
            scope[name] = word

    def _declare(self, node: Node, scope: Scope) -> None:
        for child in parts(node, self._source):
            if child.type == "variable_assignment":
                self._assign(child, dict(scope))
            elif child.type == "variable_name":
                check_name(self._text(child))
            elif child.type not in ("export", "unset"):
                raise Refused(f"{clip(self._text(node))!r}: only plain names, with `export` and `unset`")

    def _for(self, node: Node, scope: Scope) -> None:
        words: list[Word] = []
        inner = dict(scope)
        for child in parts(node, self._source):
            if child.type == "variable_name":
                check_name(name := self._text(child))
            elif child.type == "do_group":
                inner[name] = merged(words) if name not in set(assigned_in(child)) else UNKNOWN
                self._sequence(child, inner)
            elif child.type in ("select", "((") or (not child.is_named and child.type not in _BETWEEN):
                raise not_understood(node, self._source)
            elif child.is_named:
                words.append(self._words.read(child, scope))

    def _case(self, node: Node, scope: Scope) -> None:
        for child in parts(node, self._source):
            if child.type == "case_item":
                for each in parts(child, self._source):
                    if child.field_name_for_child(child.children.index(each)) == "value":
                        self._words.read(each, scope)
                    elif each.is_named:
                        self._statement(each, dict(scope))
                    elif each.type not in (*_BETWEEN, ")", "|"):
                        raise not_understood(each, self._source)
            elif child.is_named and child.type != "comment":
                self._words.read(child, scope)
            elif child.type not in _BETWEEN:
                raise not_understood(child, self._source)

    def _substitute(self, node: Node, scope: Scope) -> bool:
        """Check what runs in a substitution; whether its output is names of files that are there."""
        found = list(parts(node, self._source))
        if found[0].type == "`" and b"\\" in self._source[node.start_byte : node.end_byte]:
            raise Refused("a backslash between backticks: write $(...)")
        if found[0].type not in ("$(", "`", "<("):
            raise Refused(f"{clip(self._text(node))!r} is not allowed")
        inside, calls = found[1:-1], None
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("it is nested too deeply")
        inner = dict(scope)
        for each in inside:
            if each.type == "file_redirect":
                self._redirect(each, inner)
            elif each.type == "command":
                calls = [self._command(each, inner, [])]
            elif each.type == "pipeline":
                calls = self._pipeline(each, inner, [])
            elif each.type == "comment":
                check_comment(each, self._source)
            elif each.is_named:
                self._statement(each, inner)
            elif each.type not in _BETWEEN:
                raise not_understood(each, self._source)
        self._depth -= 1
        return len(inside) == 1 and calls is not None and prints_names(calls)
