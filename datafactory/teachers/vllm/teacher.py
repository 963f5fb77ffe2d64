"""A teacher on vLLM: servers that the factory starts, owns and keeps up, or that it joins."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from datafactory.calls.budget import Price
from datafactory.protocols import Chat
from datafactory.teachers.openai_fields import Asking

ADDRESSES = "DATAFACTORY_VLLM_URL"
"""Addresses of servers to join, with commas between them."""


class VLLMTeacher(Asking):
    """Serves a model with vLLM. Each replica is a `vllm serve` of its own that ends with the factory, however that
    ends; an episode sticks to one replica, and how many calls each is given is found from its own metrics."""

    use_name: ClassVar[str] = "vllm"

    model: str = Field(min_length=1)
    """A name on the Hugging Face Hub, or a folder; of a joined server: what it calls the model."""
    top_k: int | None = Field(default=None, ge=-1)
    """0 or -1: all tokens; None: what the model's own `generation_config.json` says, as for temperature and top_p."""
    revision: str | None = None
    """Branch, tag or commit of the model; None: the newest."""
    max_model_len: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together; None: all that the model has."""
    dtype: str = "auto"
    """Of weights and activations."""
    quantization: str | None = None
    """How the weights are quantized, such as `fp8`; None: as the model's files say."""
    tool_parser: str = "auto"
    """vLLM's parser of tool calls; `auto`: by the model's family; empty: none, and tools cannot be offered."""
    reasoning_parser: str = "auto"
    """vLLM's parser of thoughts; `auto`: by the model's family; empty: none, and thoughts stay in the answer."""
    chat_template: str | None = None
    """A jinja file, in place of the model's own template."""
    flags: dict[str, Any] = {}
    """Further flags of `vllm serve` that shape answers, such as `max-num-seqs: 64` for `--max-num-seqs 64`; true is a
    bare flag, false its `--no-` form."""
    tuning: dict[str, Any] = Field(default={}, exclude=True)
    """Further flags that only make it faster or slower."""
    replicas: int = Field(default=1, ge=1, exclude=True)
    """Servers, each with the whole model on GPUs of its own."""
    tensor_parallel: int = Field(default=1, ge=1, exclude=True)
    """GPUs that each layer is spread over."""
    data_parallel: int = Field(default=1, ge=1, exclude=True)
    """Engines behind one server, for mixtures of experts; others gain more from `replicas`."""
    pipeline_parallel: int = Field(default=1, ge=1, exclude=True)
    """GPUs that the layers are dealt out to."""
    gpu_memory: float | None = Field(default=None, gt=0, le=1, exclude=True)
    """Share of each GPU's memory that vLLM takes; None: vLLM's default (0.92 in 0.32)."""
    api_servers: int | None = Field(default=None, ge=1, exclude=True)
    """Processes that parse, render and tokenize for one server; None: one for 4 of a replica's cores, at most 8."""
    program: str | None = Field(default=None, exclude=True)
    """The vllm program, or the folder of its virtual environment; None: from DATAFACTORY_VLLM, else the one beside the
    running Python, else the first in PATH."""
    start_seconds: float = Field(default=3600.0, gt=0, exclude=True)
    """What a start may take while the process lives: a first one may have to fetch the model."""
    base_url: str | tuple[str, ...] = Field(default=(), exclude=True)
    """Servers to join instead of starting any, up to and with `/v1`; empty: from DATAFACTORY_VLLM_URL, if that is set.
    The fields about the server then say nothing; the key is OPENAI_API_KEY."""
    join_seconds: float = Field(default=30.0, gt=0, exclude=True)
    """What a joined server may take to answer for the first time."""
    patience: float = Field(default=900.0, gt=0, exclude=True)
    """Seconds for which calls wait for a server that went down, until they are lost."""
    gpus: int = Field(default=0, ge=0, exclude=True)
    """GPUs of the joined servers together, to be counted and paid for."""
    at_once: int = Field(default=1024, gt=0, exclude=True)
    """A ceiling on the calls in flight at one replica; below it, how many it can take is found out."""
    timeout: float = Field(default=1800.0, gt=0, exclude=True)
    """Seconds until an answer, once the call is sent."""
    tries: int = Field(default=6, gt=0, exclude=True)
    """How often one call is sent where a server that is up breaks (5xx) or refuses it."""
    price: Price | None = Field(default=None, exclude=True)
    """What it costs, such as `{gpu_hour: 2.5}`; None: nothing."""

    @field_validator("base_url")
    @classmethod
    def _are_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in _split(value):
            if not address.startswith(("http://", "https://")):
                raise ValueError(f"an address must start with http:// or https://, found {address!r}")
        return value

    @model_validator(mode="after")
    def _flags_are_free(self) -> Self:
        from datafactory.teachers.vllm.command import FIELDS, OURS, flag

        for place in ("flags", "tuning"):
            for name in getattr(self, place):
                if flag(name) in FIELDS:
                    raise ValueError(f"{place}.{name}: say it with the key {FIELDS[flag(name)]!r}")
                if flag(name) in OURS:
                    raise ValueError(f"{place}.{name}: the factory sets that flag itself")
        if twice := sorted({flag(name) for name in self.flags} & {flag(name) for name in self.tuning}):
            raise ValueError(f"flags and tuning both have {', '.join(twice)}")
        return self

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "vllm"

    @property
    def gpus_each(self) -> int:
        """GPUs of one replica."""
        return self.tensor_parallel * self.data_parallel * self.pipeline_parallel

    def addresses(self) -> tuple[str, ...]:
        """Servers to join, each up to and with `/v1`; empty: start our own."""
        said = _split(self.base_url) or _split(os.environ.get(ADDRESSES, ""))
        return tuple(address if address.endswith("/v1") else f"{address}/v1" for address in said)

    def sampling(self) -> dict[str, Any]:
        """The keys of a request besides model and messages, as sent; with log-probabilities come token ids."""
        more = {"top_k": self.top_k, "return_token_ids": self.logprobs or None}
        return {key: value for key, value in more.items() if value is not None} | super().sampling()

    def problems(self) -> Iterable[str]:
        """No vllm, too few GPUs, a folder that is no model."""
        from datafactory.teachers.vllm.foreseen import problems

        return problems(self)

    def inputs(self) -> Iterable[Path]:
        """The chat template, where it is a file."""
        if self.chat_template is not None and Path(self.chat_template).expanduser().is_file():
            yield Path(self.chat_template).expanduser()

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Start the servers, or join them; teachers that differ only in what they ask share theirs. Seconds for a small
        model, minutes for a large one. Raises ConfigError for what the user got wrong, in the server's own words;
        Missing where there is no vllm; RunError where it is not ready in time."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        from datafactory.teachers.vllm import command, opening
        from datafactory.teachers.vllm.chat import VLLMChat
        from datafactory.teachers.vllm.sharing import shared

        server = self.addresses() or tuple(command.argv(self, opening.installed(self), 0))
        async with shared((self.model, self.replicas, server), lambda: opening.opened(self)) as fleet:
            opening.check(self, fleet)
            yield VLLMChat(self, fleet)


def _split(said: str | tuple[str, ...]) -> tuple[str, ...]:
    named = said.split(",") if isinstance(said, str) else said
    return tuple(address.strip().rstrip("/") for address in named if address.strip())
