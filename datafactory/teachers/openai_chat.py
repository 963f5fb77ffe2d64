"""A live chat with one chat-completions server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafactory.protocols import Episode
from datafactory.teachers import openai_wire
from datafactory.teachers.gate import Ages
from datafactory.teachers.openai_endpoint import Endpoint
from datafactory.types import Message, Reply

if TYPE_CHECKING:
    from datafactory.teachers.openai import OpenAITeacher


class OpenAIChat:
    """Safe for any number of calls at the same time."""

    def __init__(self, spec: OpenAITeacher, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._spec = spec
        self._ages = Ages()

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer; empty where the conversation no longer fits the model's context (`finish="context"`) or the
        server's filter holds it back (`filtered`). Raises TeacherError, and ConfigError for what ails every call."""
        data = openai_wire.body(self._spec, messages, tools, schema, episode)
        header = self._spec.session_header
        headers = {header: episode.id} if header and episode is not None else None
        order = self._ages.of(episode.id if episode is not None else None)
        return openai_wire.complete(self._spec, await self.endpoint.send(data, order=order, headers=headers))
