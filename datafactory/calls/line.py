"""A line to a teacher: the chat of one try at one item of a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datafactory.protocols import Chat, Episode, Teacher
from datafactory.types import Message, Reply


class Line:
    """A chat that belongs to one try at one item; a new try opens a new line."""

    def __init__(self, chat: Chat, teacher: Teacher, *, scope: str) -> None:
        self.teacher = teacher
        """Who answers: of a mix, the one that was picked."""
        self._chat = chat
        self._scope = scope

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. Raises TeacherError."""
        return await self._chat.reply(messages, tools=tools, schema=schema, episode=episode)
