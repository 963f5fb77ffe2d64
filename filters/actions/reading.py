"""Reads the actions out of a conversation, in every dialect that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

from datafactory.types import MALFORMED

ActionKind = Literal[
    "command", "keys", "wait", "edit", "view", "search", "visit", "answer", "submit", "think", "other", "nothing"
]
"""`keys`: such as Ctrl-C; `wait`: an answer that types nothing; `other`: a tool that is not known here; `nothing`: an
answer in which no action can be read."""

SHELLS = {"execute_bash", "bash", "shell", "run", "terminal", "run_command", "execute_command", "run_shell_command"}
CHANGING = {"create", "str_replace", "insert", "undo_edit", "write"}
"""What an editor's `command` says where it changes the file."""
ENDS = {"finish", "submit"}
NATIVE = {"tools", "openhands", "search"}
"""Dialects in which an answer without a tool call is a fault."""
_EXIT = (
    re.compile(r"\Aexit code: (\d+)"),
    re.compile(r"\[exit code (\d+)\]\s*\Z"),
    re.compile(r"exit code (\d+)\.?\]\s*\Z"),  # as OpenHands' own agent writes it
)
_TYPED = re.compile(r'"keystrokes"|"task_complete"')
_TIMED_OUT = re.compile(r"\Atimed out after |\[timed out after [^\]\n]*\]\s*\Z")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that an agent did. An answer with several tool calls is several; the keys that one answer types into a
    terminal are one, since one screen answers them all."""

    place: int
    """Of the answer among the messages, from 0."""
    kind: ActionKind
    text: str = ""
    """The lines for the shell, the query, the urls (one a line), the answer, the thought; of an edit, the new text."""
    path: str = ""
    """Of an edit or a view: the file."""
    how: str = ""
    """Of an edit or a view: the editor's command; of `other`: the tool."""
    seen: str | None = None
    """What the agent read next; None: nothing followed."""
    fault: str = ""
    """Why it could not be carried out as it was written; empty: it could."""

    @property
    def exit_code(self) -> int | None:
        """Of a command, where a dialect tells it; 124: it ran out of time. None: not known."""
        if self.kind != "command" or not self.seen:
            return None
        if _TIMED_OUT.search(self.seen):
            return 124
        return next((int(found[1]) for shape in _EXIT if (found := shape.search(self.seen))), None)


def actions(messages: Sequence[str], agent: str = "", tools: Sequence[str] = ()) -> list[Action]:
    """What was done in a conversation, in order.

    `messages` and `tools` are the columns (JSON text each), `agent` the dialect; of rows from elsewhere, which name
    none, the dialect is told by the shape of the answers. A message that is no JSON object is passed over.
    """
    read = [_loaded(text) for text in messages]
    offered = frozenset(_named(_loaded(tool)) for tool in tools)
    made: list[Action] = []
    for place, message in enumerate(read):
        if message.get("role") == "assistant":
            after = _after(read, place)
            calls = [call for call in message.get("tool_calls") or () if isinstance(call, dict)]
            if calls:
                made += _called(place, calls, after, agent, offered)
            else:
                seen = "\n".join(_text(shown) for shown in after) if after else None
                made += _said(place, _text(message), seen, agent)
    return made


def _loaded(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _after(read: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """The messages up to the next answer."""
    end = place + 1
    while end < len(read) and read[end].get("role") != "assistant":
        end += 1
    return read[place + 1 : end]


def _called(
    place: int, calls: list[dict[str, Any]], after: list[dict[str, Any]], agent: str, offered: frozenset[str]
) -> Iterator[Action]:
    """The actions of an answer's tool calls, each with its own result: the one that names it, else the next."""
    results = [message for message in after if message.get("role") == "tool"] or after
    for number, call in enumerate(calls):
        own = [message for message in results if call.get("id") and message.get("tool_call_id") == call["id"]]
        if not own and len(results) == len(calls):
            own = results[number : number + 1]
        seen = _text(own[0]) if own else None
        yield _of_call(place, _named(call), _arguments(call), seen, agent, offered)


def _named(holder: Mapping[str, Any]) -> str:
    function = holder.get("function")
    return str(function.get("name") or "") if isinstance(function, dict) else ""


def _arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    given = call["function"].get("arguments") if isinstance(call.get("function"), dict) else None
    if isinstance(given, str):  # as on the wire
        given = _loaded(given) or {MALFORMED: given}
    return given if isinstance(given, dict) else {}


def _of_call(
    place: int, name: str, given: Mapping[str, Any], seen: str | None, agent: str, offered: frozenset[str]
) -> Action:
    if MALFORMED in given:
        return Action(place, "nothing", how=name, seen=seen, fault=f"the arguments of `{name}` were no JSON object")
    if offered and name not in offered:
        return Action(place, "nothing", how=name, seen=seen, fault=f"there is no tool `{name}`")
    kind, text, path, how = _deed(name, given)
    return Action(place, kind, text, path, how, seen, _refused(agent, seen))


def _deed(name: str, given: Mapping[str, Any]) -> tuple[ActionKind, str, str, str]:
    """Kind, text, path and how of a tool call."""
    command, path = given.get("command"), given.get("path")
    if name in SHELLS and isinstance(command, str):
        return "command", command, "", ""
    if name == "think":
        return "think", _words(given.get("thought")), "", ""
    if name in ENDS:
        return "submit", _words(given.get("message")), "", ""
    if name == "answer":
        return "answer", _words(given.get("answer")), "", ""
    if name == "search":
        return "search", _words(given.get("query")), "", ""
    if name == "visit":
        return "visit", _words(given.get("url")), "", ""
    if isinstance(path, str):
        if command in CHANGING:
            return "edit", _words(given.get("file_text") or given.get("new_str")), path, str(command)
        return "view", "", path, str(command or name)
    return "other", orjson.dumps(given).decode(), "", name


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return value if isinstance(value, str) else ""


def _said(place: int, content: str, seen: str | None, agent: str) -> list[Action]:
    """The actions of an answer without tool calls: those of a text dialect, if it is in one."""
    if agent == "terminus-2" or (not agent and _TYPED.search(content)):
        return _typed(place, content, seen)
    if agent == "search-tags" or (not agent and re.search(r"</?(?:search|access|answer)>", content)):
        return _tagged(place, content, seen)
    fault = "no tool was called" if agent in NATIVE else ""
    return [Action(place, "nothing", content, seen=seen, fault=fault)]


def _typed(place: int, content: str, seen: str | None) -> list[Action]:
    from datafactory.agent.keys import pressed
    from datafactory.agent.terminus_parse import parse

    answer = parse(content)
    if answer.error:
        return [Action(place, "nothing", seen=seen, fault=answer.error)]
    lines = "".join(keys.text for keys in answer.commands if pressed(keys.text) is None)
    made = [Action(place, "command", lines, seen=seen)] if lines.strip() else []
    if not made and (special := [keys.text for keys in answer.commands if keys.text.strip()]):
        made = [Action(place, "keys", " ".join(special), seen=seen)]
    if answer.complete:
        made.append(Action(place, "submit", seen=seen))
    return made or [Action(place, "wait", seen=seen)]


def _tagged(place: int, content: str, seen: str | None) -> list[Action]:
    from datafactory.agent.search.tags import read

    said = read(content)
    kinds: dict[str, ActionKind] = {"search": "search", "access": "visit", "answer": "answer"}
    return [Action(place, kinds.get(said.action, "nothing"), said.words, seen=seen, fault=said.fault)]


def _refused(agent: str, seen: str | None) -> str:
    """Why a call did not fit its schema, as the agent was told; empty: it was not told so."""
    if not seen or not seen.startswith(("error: ", "ERROR: ")):
        return ""
    for name in (agent,) if agent in NATIVE else sorted(NATIVE):
        head, tail = _told(name)
        if seen.startswith(head) and seen.rstrip().endswith(tail):
            return seen[len(head) : len(seen.rstrip()) - len(tail)].strip()
    return ""


@lru_cache(maxsize=len(NATIVE))
def _told(agent: str) -> tuple[str, str]:
    """What stands before and after the problem where a dialect says that a call does not fit."""
    from datafactory.agent.prompting import prompt

    head, _, tail = prompt(f"{agent}_fault", problem="\0").partition("\0")
    return head, tail.rstrip()
