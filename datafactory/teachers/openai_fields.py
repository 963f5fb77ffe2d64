"""The fields of a teacher behind chat completions that shape its answers: the keys of a request."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from datafactory.spec import Spec


class Asking(Spec):
    """What is asked for besides messages and tools, whoever runs the server."""

    model: str = Field(min_length=1)
    """The model, as the server calls it."""
    temperature: float | None = Field(default=None, ge=0)
    """None: the server's default."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """None: the server's default."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of one answer at most; None: the server's default."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, and are no part of it."""
    seed: int | None = None
    """Sent with each call, mixed with the episode's own seed, so that repeated attempts differ; None: not sent."""
    logprobs: bool = False
    """Whether answers carry the log-probabilities of their tokens; an answer without them is a fault then."""
    top_logprobs: int = Field(default=0, ge=0)
    """Most likely tokens whose log-probabilities are told at each place, with `logprobs`; OpenAI and vLLM: up to 20."""
    tool_choice: str | None = None
    """Sent where tools are on offer: `auto`, `required`, `none`; None: not sent."""
    keep_reasoning: bool = False
    """Whether earlier turns' thoughts are sent back (interleaved thinking)."""
    extra: dict[str, Any] = {}
    """Further keys of the request's body, such as `top_k`, `chat_template_kwargs` or `max_completion_tokens`."""

    @model_validator(mode="after")
    def _top_needs_logprobs(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs: true")
        return self

    def sampling(self) -> dict[str, Any]:
        """The keys of a request besides model and messages, as sent."""
        plain = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop) or None,
            "seed": self.seed,
            "logprobs": self.logprobs or None,
            "top_logprobs": self.top_logprobs or None,
            "tool_choice": self.tool_choice,
        }
        return {key: value for key, value in plain.items() if value is not None} | self.extra
