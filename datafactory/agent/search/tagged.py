"""The tag dialect of search: the model writes `<search>`, `<access>` or `<answer>`, and reads `<information>`."""

from __future__ import annotations

from typing import Any

from datafactory.agent.dialect import Turn
from datafactory.agent.prompting import prompt
from datafactory.agent.search.desk import Desk
from datafactory.agent.search.tags import harmless, read
from datafactory.types import Message, Reply, Task


class TaggedSearch:
    """One attempt in ASearcher's tags (arXiv 2508.07976, section 4), one action a turn."""

    tools: tuple[dict[str, Any], ...] = ()

    def __init__(self, task: Task, desk: Desk) -> None:
        self._task = task
        self.desk = desk

    async def opening(self) -> tuple[Message, ...]:
        """One user message: how to act, and the question."""
        return (Message(role="user", content=prompt("search_tags_user", question=self._task.prompt.strip())),)

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out the action. Raises SearchError, TeacherError."""
        said = read(reply.message.content, reply.stopped_by)
        message = reply.message
        if said.kept != message.content:
            # Servers count the tokens of a stop text among an answer's; those of what was cut off are nobody's now.
            logprobs = message.logprobs if said.kept.startswith(message.content) else None
            message = message.but(content=said.kept, logprobs=logprobs)
        if said.fault:
            message = message.but(fault=said.fault)
        if not said.action or not said.words:
            told = prompt("search_tags_fault", problem=said.fault)
            return Turn(message, (Message(role="user", content=told),), unreadable=True)
        if said.action == "answer":
            self.desk.submit(said.words)
            return Turn(message, submitted=True)
        if said.action == "search":
            seen = await self.desk.search([said.words])
        else:
            seen = await self.desk.access(said.words)
        told = prompt("search_tags_information", seen=harmless(seen))
        usage, waited = self.desk.summaries.spent()
        return Turn(message, (Message(role="user", content=told),), usage=usage, waited=waited)
