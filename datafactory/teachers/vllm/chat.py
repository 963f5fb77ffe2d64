"""A live chat with a fleet of vLLM servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafactory.errors import ConfigError
from datafactory.protocols import Episode
from datafactory.teachers import openai_wire
from datafactory.teachers.vllm import command
from datafactory.teachers.vllm.fleet import Fleet
from datafactory.types import Message, Reply

if TYPE_CHECKING:
    from datafactory.teachers.vllm.teacher import VLLMTeacher


class VLLMChat:
    """Safe for any number of calls at the same time."""

    def __init__(self, spec: VLLMTeacher, fleet: Fleet) -> None:
        self.engine = fleet
        self.gpus = fleet.gpus
        """GPUs that the fleet holds, whoever shares it."""
        self._spec = spec
        needs = spec.tool_choice not in ("required", "none") and not spec.addresses()
        self._deaf = needs and not command.tool_parser(spec)

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer; empty where the conversation no longer fits the model's context (`finish="context"`). A server
        that dies meanwhile is waited for. Raises TeacherError, ConfigError for what ails every call, and RunError
        where no server will come back."""
        if tools and self._deaf:
            raise ConfigError(
                f"teacher vllm: no parser is known for the tool calls of {self._spec.model!r}; name one of vLLM's in "
                "tool_parser, or choose an agent without native tool calls"
            )
        data = openai_wire.body(self._spec, messages, tools, schema, episode)
        reply = await self.engine.ask(data, episode.id if episode is not None else None)
        return openai_wire.complete(self._spec, reply)

    def report(self) -> dict[str, Any]:
        """What the servers did so far: prefix-cache hit rate, preemptions, restarts, places at each gate."""
        return self.engine.report()
