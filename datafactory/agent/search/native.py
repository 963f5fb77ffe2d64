"""The native dialect of search: the model calls `search`, `visit` and `answer` as tools."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from datafactory.agent.calls import carry_out, problem_of
from datafactory.agent.dialect import Turn
from datafactory.agent.prompting import prompt
from datafactory.agent.search.desk import Desk
from datafactory.types import Message, Reply, Task, ToolCall

_TEXTS = {"type": "array", "items": {"type": "string"}}

SEARCH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Search the corpus; gives the best passages with title and url, for each query.",
        "parameters": {
            "type": "object",
            "properties": {
                "query": {**_TEXTS, "description": "What to search for; several queries are searched apart."},
                "topk": {"type": "integer", "exclusiveMinimum": 0, "description": "How many passages to show."},
            },
            "required": ["query"],
        },
    },
}
VISIT: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "visit",
        "description": "Open pages of the corpus by url; gives their text, and urls that they link to.",
        "parameters": {
            "type": "object",
            "properties": {
                "url": {**_TEXTS, "description": "The pages to open."},
                "goal": {"type": "string", "description": "What you look for there."},
                "part": {
                    "type": "integer",
                    "exclusiveMinimum": 0,
                    "description": "Of a page that comes in parts: which one; the first if left out.",
                },
            },
            "required": ["url"],
        },
    },
}
ANSWER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "answer",
        "description": "Give the final answer; nothing can be looked up afterwards.",
        "parameters": {
            "type": "object",
            "properties": {
                "answer": {"type": "string", "description": "The answer alone, as short as it can be."},
                "unanswerable": {
                    "type": "boolean",
                    "description": "True where the corpus holds no answer to the question.",
                },
            },
            "required": ["answer"],
        },
    },
}
_LISTS = ("query", "url")


class NativeSearch:
    """One attempt with native tool calls; a call that cannot be understood is answered with what is wrong in it."""

    tools: tuple[dict[str, Any], ...] = (SEARCH, VISIT, ANSWER)

    def __init__(self, task: Task, desk: Desk) -> None:
        self._task = task
        self.desk = desk

    async def opening(self) -> tuple[Message, ...]:
        """The system message, and the question."""
        told = prompt("search_user", question=self._task.prompt.strip())
        return Message(role="system", content=prompt("search_system")), Message(role="user", content=told)

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out the calls in order; an `answer` ends the attempt after the calls before it. Raises SearchError,
        TeacherError."""
        message = reply.message
        if (calls := tuple(map(listed, message.tool_calls))) != message.tool_calls:
            message = message.but(tool_calls=calls, logprobs=None)  # the tokens that they belong to are others now
        turn = await carry_out(
            reply.but(message=message),
            tools=self.tools,
            ends="answer",
            run=self._run,
            fault=lambda problem: prompt("search_fault", problem=problem),
            silent=lambda: prompt("search_no_call"),
            left=left,
        )
        if turn.submitted:
            given = next(
                call.arguments
                for call in message.tool_calls
                if call.name == "answer" and not problem_of(call, self.tools)
            )
            self.desk.submit(given["answer"], unanswerable=bool(given.get("unanswerable")))
        usage, waited = self.desk.summaries.spent()
        return replace(turn, usage=usage, waited=waited)

    async def _run(self, call: ToolCall, left: float) -> str:
        given = call.arguments
        if call.name == "search":
            return await self.desk.search(given["query"], given.get("topk"))
        return await self.desk.visit(given["url"], given.get("goal") or "", given.get("part") or 0)


def listed(call: ToolCall) -> ToolCall:
    """A call that names one query or url by itself, or a list of them as JSON text, as the schema wants it; the row
    then teaches the schema."""
    alone = {name: _texts(value) for name in _LISTS if isinstance(value := call.arguments.get(name), str)}
    return call.but(arguments={**call.arguments, **alone}) if alone else call


def _texts(value: str) -> list[Any]:
    try:
        made = json.loads(value) if value.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        made = None
    return made if isinstance(made, list) and made and all(isinstance(text, str) for text in made) else [value]
