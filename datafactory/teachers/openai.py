"""A teacher behind any OpenAI-compatible server: OpenAI's own, vLLM, SGLang, llama.cpp, OpenRouter."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

from pydantic import Field

from datafactory.calls.budget import Price
from datafactory.errors import ConfigError
from datafactory.protocols import Chat
from datafactory.spec import Spec


class OpenAITeacher(Spec):
    """Asks a chat-completions server. The key comes from OPENAI_API_KEY, and is kept nowhere."""

    use_name: ClassVar[str] = "openai"

    model: str = Field(min_length=1)
    """The model, as the server calls it."""
    temperature: float | None = Field(default=None, ge=0)
    """None: the server's default."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """None: the server's default."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of one answer at most; None: the server's default."""
    seed: int | None = None
    """Sent with each call, mixed with the episode's own seed, so that repeated attempts differ; None: not sent."""
    tool_choice: str | None = None
    """Sent where tools are on offer: `auto`, `required`, `none`; None: not sent."""
    keep_reasoning: bool = False
    """Whether earlier turns' thoughts are sent back (interleaved thinking)."""
    extra: dict[str, Any] = {}
    """Further keys of the request's body, such as `top_k`, `chat_template_kwargs` or `max_completion_tokens`."""
    base_url: str | None = Field(default=None, exclude=True)
    """Address up to and with `/v1`; None: from OPENAI_BASE_URL."""
    at_once: int = Field(default=256, gt=0, exclude=True)
    """Connections at the same time."""
    timeout: float = Field(default=600.0, gt=0, exclude=True)
    """Seconds until an answer's first byte, once the call is sent."""
    tries: int = Field(default=6, gt=0, exclude=True)
    """How often one call is sent where the server is busy (429), broken (5xx) or gone."""
    session_header: str | None = Field(default=None, exclude=True)
    """A header that carries the episode's id, for routers that keep an episode on one replica; None: not sent."""
    price: Price | None = Field(default=None, exclude=True)
    """What the server's owner charges; None: nothing that is known."""

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "openai"

    def sampling(self) -> dict[str, Any]:
        """The keys of a request besides model and messages, as sent."""
        plain = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "tool_choice": self.tool_choice,
        }
        return {key: value for key, value in plain.items() if value is not None} | self.extra

    def address(self) -> str:
        """The server's base address, without a slash at its end. Raises ConfigError."""
        address = (self.base_url or os.environ.get("OPENAI_BASE_URL", "")).strip().rstrip("/")
        if not address:
            raise ConfigError(
                "teacher openai: no address; set OPENAI_BASE_URL, such as http://localhost:8000/v1, or base_url"
            )
        if not address.startswith(("http://", "https://")):
            raise ConfigError(f"teacher openai: the address must start with http:// or https://, found {address!r}")
        return address

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """One pool of connections. Raises ConfigError where there is no address."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        from datafactory.teachers.openai_chat import OpenAIChat, session

        async with session(self) as client:
            yield OpenAIChat(self, client)
