"""Summaries of long pages, by the model that searches, within a budget."""

from __future__ import annotations

import time
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from datafactory.agent.prompting import prompt
from datafactory.agent.search.limits import SearchLimits
from datafactory.errors import TeacherError, boundary
from datafactory.protocols import Chat, Episode
from datafactory.types import Message, Page, Usage


class Summary(BaseModel):
    """What the model is to answer."""

    model_config = ConfigDict(extra="forbid")

    evidence: str
    summary: str


class Summaries:
    """Those of one attempt; counts what they cost, which is the attempt's."""

    def __init__(self, chat: Chat, episode: Episode, question: str, limits: SearchLimits) -> None:
        self._chat, self._episode, self._question, self._limits = chat, episode, question, limits
        self._left = limits.summaries if limits.summarise == "long" else 0
        self._usage, self._waited = Usage(), 0.0

    def spent(self) -> tuple[Usage, float]:
        """Tokens, and seconds of waiting for a server or a place at it, since this was asked last."""
        spent = self._usage, self._waited
        self._usage, self._waited = Usage(), 0.0
        return spent

    async def of(self, page: Page, goal: str) -> Summary | None:
        """A summary of a page toward `goal`; None: none is wanted or left, or the model gave none that can be read.
        Raises TeacherError."""
        if not self._left:
            return None
        self._left -= 1
        text = page.text[: self._limits.summary_source]
        asked = Message(
            role="user",
            content=prompt(
                "search_summarise",
                question=self._question,
                goal=goal,
                title=page.title,
                text=text,
                cut=len(page.text) - len(text),
            ),
        )
        began = time.monotonic()
        schema: dict[str, Any] = Summary.model_json_schema()
        with boundary(TeacherError, "asking for a summary"):
            reply = await self._chat.reply([asked], schema=schema, episode=self._episode)
        if reply.seconds is not None:
            self._waited += max(0.0, time.monotonic() - began - reply.seconds)
        self._usage += reply.usage
        try:
            made = Summary.model_validate_json(reply.message.content)
        except ValidationError:
            return None
        return made if made.summary.strip() else None
