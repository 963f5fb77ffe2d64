"""What a turn does, in every dialect, without the words around it: what two turns are compared by."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafactory.agent.calls import problem_of
from datafactory.agent.search.native import listed
from datafactory.agent.search.tags import read
from datafactory.agent.terminus_parse import parse
from datafactory.answers import normalised
from datafactory.pivots.typed import command, stream
from datafactory.types import Message, ToolCall

SUBMIT = "submit"
_SHELLS = ("bash", "execute_bash")
_ENDS = ("submit", "finish")


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that a turn does."""

    kind: str
    """`keys`, `shell`, `input` (to a running command), `edit <command>`, `search`, `visit`, `answer`, `submit`, `wait`,
    `think`, or a tool's name."""
    target: tuple[str, ...] = ()
    """What it is done to, which must be the same: paths, urls, numbers of lines."""
    text: tuple[str, ...] = ()
    """With what: commands, contents, queries."""


@dataclass(frozen=True, slots=True)
class Action:
    """All that one turn does, in order."""

    moves: tuple[Move, ...] = ()
    problem: str = ""
    """Why the turn does nothing that can be understood; then there are no moves."""


def action_of(message: Message, agent: str, tools: Sequence[Mapping[str, Any]] = (), stopped_by: str = "") -> Action:
    """What an assistant's message does in the dialect `agent`. Thoughts count only where there is nothing else, and
    what follows a submission is not done. `stopped_by`: as in `Reply`."""
    if agent == "terminus-2":
        return _typed(message.content)
    if agent == "search-tags":
        return _tagged(message.content, stopped_by)
    return _called(message, tools)


def _typed(content: str) -> Action:
    answer = parse(content)
    if answer.error:
        return Action(problem=answer.error)
    keys = stream(answer.commands)
    moves = [Move("keys", text=keys)] if keys else []
    if answer.complete:
        moves.append(Move(SUBMIT))
    return Action(tuple(moves) or (Move("wait"),))


def _tagged(content: str, stopped_by: str) -> Action:
    said = read(content, stopped_by)
    if not said.action or not said.words:
        return Action(problem=said.fault or "it does nothing")
    if said.action == "search":
        return Action((Move("search", text=(_plain(said.words),)),))
    if said.action == "access":
        return Action((Move("visit", target=(_plain(said.words),)),))
    return Action((Move("answer", target=(_answer(said.words),)),))


def _called(message: Message, tools: Sequence[Mapping[str, Any]]) -> Action:
    calls = [listed(call) for call in message.tool_calls]
    if not calls:
        return Action(problem="no tool was called")
    moves: list[Move] = []
    for call in calls:
        if problem := problem_of(call, tools):
            return Action(problem=problem)
        moves.append(_move(call))
        if moves[-1].kind in (SUBMIT, "answer"):
            break
    done = [move for move in moves if move.kind != "think"]
    return Action(tuple(done or moves[:1]))


def _move(call: ToolCall) -> Move:
    given = {name: value for name, value in call.arguments.items() if value is not None}
    if call.name in _SHELLS and given.get("is_input") == "true":
        return Move("input", text=(str(given.get("command", "")),))
    if call.name in _SHELLS:
        return Move("shell", text=(command(str(given.get("command", ""))),))
    if call.name in _ENDS:
        return Move(SUBMIT)
    if call.name == "think":
        return Move("think")
    if call.name == "str_replace_editor":
        return _edit(given)
    known = _SEARCHES.get(call.name)
    return known(given) if known else Move(call.name, target=(json.dumps(given, sort_keys=True, ensure_ascii=False),))


def _edit(given: Mapping[str, Any]) -> Move:
    """An edit of a file: its path must be the same, and for `insert` the line, for `view` the lines (`matching` lets
    them overlap)."""
    what, path = str(given["command"]), posixpath.normpath(str(given["path"]))
    said = [str(given.get(name, "")).replace("\r\n", "\n") for name in ("file_text", "old_str", "new_str")]
    texts = {"create": said[:1], "str_replace": said[1:], "insert": said[2:]}.get(what, [])
    if what == "view":
        texts = [str(line) for line in given.get("view_range") or ()]
    line = (str(given.get("insert_line")),) if what == "insert" else ()
    return Move(f"edit {what}", (path, *line), tuple(texts))


def _search(given: Mapping[str, Any]) -> Move:
    return Move("search", text=tuple(sorted({_plain(query) for query in given["query"]})))


def _visit(given: Mapping[str, Any]) -> Move:
    part = (f"part {given['part']}",) if given.get("part", 1) != 1 else ()
    return Move("visit", target=(*sorted({_plain(url) for url in given["url"]}), *part))


def _answered(given: Mapping[str, Any]) -> Move:
    return Move("answer", target=("(none)",) if given.get("unanswerable") else (_answer(str(given["answer"])),))


_SEARCHES: dict[str, Callable[[Mapping[str, Any]], Move]] = {"search": _search, "visit": _visit, "answer": _answered}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _answer(text: str) -> str:
    return normalised(text) or _plain(text)
