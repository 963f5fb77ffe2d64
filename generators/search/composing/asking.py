"""Asks a teacher for JSON of a schema, each request with a seed of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from datafactory.errors import ConfigError
from datafactory.protocols import Chat, Episode, Slot
from datafactory.types import Message, Reject, Reply, Usage, digest_of
from generators.answers import read_answer
from generators.prompts import render

M = TypeVar("M", bound=BaseModel)


@dataclass
class Desk:
    """The teacher, as one try at one question asks it. What is asked, and with which seed, follows from the slot and
    from the answers before, so that a try that was cut short finds its answers in the ledger."""

    chat: Chat
    episode: Episode
    model: str = ""
    """Who answered last."""
    usage: Usage = field(default_factory=Usage)

    @classmethod
    def of(cls, name: str, slot: Slot, chat: Chat | None) -> Desk:
        """For a slot's try. Raises ConfigError where there is no teacher."""
        if chat is None:
            raise ConfigError(f"{name} asks a model: name one under 'teacher:'")
        return cls(chat, Episode(id=f"{name}-{slot.index:05d}#{slot.retry}", seed=slot.seed % (1 << 31)))

    def seeded(self, *place: Any) -> Episode:
        """The episode with a seed that belongs to a place in it."""
        return replace(self.episode, seed=int(digest_of([self.episode.seed, *place], 15), 16) % (1 << 31))

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """The teacher's answer, counted. Raises TeacherError."""
        reply = await self.chat.reply(messages, tools=tools, schema=schema, episode=episode)
        self.model = reply.model or self.model
        self.usage += reply.usage
        return reply

    async def ask(self, words: str, model: type[M], place: tuple[Any, ...], **values: Any) -> M | Reject:
        """One answer to the prompt file `words`. `place`: where in the try it is asked, for the seed. Reasons as
        `read_answer`. Raises TeacherError."""
        messages = [
            Message(role="system", content=render("search_author_system")),
            Message(role="user", content=render(words, **values)),
        ]
        reply = await self.reply(messages, schema=model.model_json_schema(), episode=self.seeded(words, *place))
        read = read_answer(reply, model)
        return read.but(detail=f"{words}: {read.detail}") if isinstance(read, Reject) else read
