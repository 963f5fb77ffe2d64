"""A teacher behind any OpenAI-compatible server: OpenAI's own, vLLM, SGLang, llama.cpp, OpenRouter."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from pydantic import Field

from datafactory.calls.budget import Price
from datafactory.errors import ConfigError
from datafactory.protocols import Chat
from datafactory.teachers.openai_fields import Asking


class OpenAITeacher(Asking):
    """Asks a chat-completions server. The key comes from OPENAI_API_KEY, and is kept nowhere."""

    use_name: ClassVar[str] = "openai"

    base_url: str | None = Field(default=None, exclude=True)
    """Address up to and with `/v1`; None: from OPENAI_BASE_URL."""
    at_once: int = Field(default=256, gt=0, exclude=True)
    """A ceiling on the calls in flight; below it, how many the server can take is found out."""
    timeout: float = Field(default=600.0, gt=0, exclude=True)
    """Seconds until an answer's first byte, once the call is sent."""
    tries: int = Field(default=6, gt=0, exclude=True)
    """How often one call is sent where the server is busy (429, 503), broken (5xx) or gone."""
    session_header: str | None = Field(default=None, exclude=True)
    """A header that carries the episode's id, for routers that keep an episode on one replica; None: not sent."""
    price: Price | None = Field(default=None, exclude=True)
    """What the server's owner charges; None: nothing that is known."""

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "openai"

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
        from datafactory.teachers.gate import Gate
        from datafactory.teachers.openai_chat import OpenAIChat
        from datafactory.teachers.openai_endpoint import endpoint

        gate = Gate(start=64, most=self.at_once)
        live = endpoint(self.address(), model=self.model, gate=gate, timeout=self.timeout, tries=self.tries)
        async with live as server:
            yield OpenAIChat(self, server)
