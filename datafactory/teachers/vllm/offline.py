"""A teacher on vLLM inside the factory's own process, for single-turn work in bulk."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from datafactory.calls import Price
from datafactory.protocols import Chat
from datafactory.spec import Spec
from datafactory.teachers.vllm import gpus

_OWN = {
    "model": "model",
    "revision": "revision",
    "max_model_len": "max_model_len",
    "dtype": "dtype",
    "quantization": "quantization",
    "tensor_parallel_size": "tensor_parallel",
    "data_parallel_size": "data_parallel",
    "gpu_memory_utilization": "gpu_memory",
}
"""Arguments of vLLM's engine, and the field of ours that sets each."""


class VLLMOfflineTeacher(Spec):
    """Runs a model with vLLM in this process: no server and no HTTP, for task synthesis and judging. It offers no
    tools: an agent of native tool calls needs the teacher `vllm`."""

    use_name: ClassVar[str] = "vllm_offline"

    model: str = Field(min_length=1)
    """A name on the Hugging Face Hub, or a folder."""
    revision: str | None = None
    """Branch, tag or commit of the model; None: the newest."""
    temperature: float | None = Field(default=None, ge=0)
    """None: what the model's own `generation_config.json` says, else 1."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """None: what the model says, else 1."""
    top_k: int | None = Field(default=None, ge=0)
    """0: all tokens; None: what the model says, else all."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of one answer at most; None: what the model says, else the rest of its context."""
    seed: int | None = None
    """Mixed with the episode's own seed, so that repeated attempts differ; None: not seeded."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, and are left out of it. With any, vLLM decodes token by token, which is slower."""
    logprobs: bool = False
    """Whether answers carry the log-probabilities of their tokens."""
    top_logprobs: int = Field(default=0, ge=0, le=20)
    """How many of the likeliest tokens come with each token; more than 0 needs `logprobs`."""
    keep_reasoning: bool = False
    """Whether earlier turns' thoughts are shown to the model again (interleaved thinking)."""
    think_tags: tuple[str, str] = ("<think>", "</think>")
    """What stands before and after a model's thoughts."""
    chat_template_kwargs: dict[str, Any] = {}
    """Variables for the model's chat template, such as `enable_thinking: false`."""
    extra: dict[str, Any] = {}
    """Further sampling parameters of vLLM's, such as `min_p` or `repetition_penalty`."""
    max_model_len: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together; None: all that the model has."""
    dtype: str = "auto"
    """Of weights and activations."""
    quantization: str | None = None
    """How the weights are quantized, such as `fp8`; None: as the model's files say."""
    engine: dict[str, Any] = {}
    """Further arguments of vLLM's engine that shape answers, such as `reasoning_parser`, which lets a model think
    before it writes the JSON of a schema, or `trust_remote_code`."""
    tensor_parallel: int = Field(default=1, ge=1, exclude=True)
    """GPUs that one copy of the model is spread over."""
    data_parallel: int = Field(default=1, ge=1, exclude=True)
    """Copies of the model."""
    gpu_memory: float | None = Field(default=None, gt=0, le=1, exclude=True)
    """Share of each GPU's memory that vLLM takes; None: vLLM's default."""
    tuning: dict[str, Any] = Field(default={}, exclude=True)
    """Further arguments of vLLM's engine that only make it faster or slower, such as `max_num_seqs`."""
    at_once: int = Field(default=4096, ge=1, exclude=True)
    """Calls that the engine is given at a time; it runs as many as fit, and keeps the others in its queue."""
    price: Price | None = Field(default=None, exclude=True)
    """What it costs, such as `{gpu_hour: 2.5}`; None: nothing."""

    @model_validator(mode="after")
    def _agrees(self) -> VLLMOfflineTeacher:
        for place in ("engine", "tuning"):
            for name in getattr(self, place):
                if name in _OWN:
                    raise ValueError(f"{place}.{name}: say it with the key {_OWN[name]!r}")
        if twice := sorted(self.engine.keys() & self.tuning.keys()):
            raise ValueError(f"engine and tuning both have {', '.join(twice)}")
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs: true")
        return self

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "vllm_offline"

    def problems(self) -> Iterable[str]:
        """No vllm in the factory's own environment, too few GPUs, no such folder."""
        if importlib.util.find_spec("vllm") is None:
            yield (
                "vllm_offline runs vLLM inside the factory, and vllm is not installed there: install it "
                "(pip install 'datafactory[vllm]'), or use the teacher vllm, which keeps an environment of its own"
            )
        if self.model.startswith(("/", "./", "../")) and not Path(self.model).exists():
            yield f"there is no folder {self.model}"
        needed, there = self.tensor_parallel * self.data_parallel, len(gpus.visible())
        if there and needed > there:  # none may be another maker's: vLLM itself will say
            yield f"{needed} GPUs are needed (tensor_parallel x data_parallel), and {there} can be used here"

    def sampling(self) -> dict[str, Any]:
        """vLLM's sampling parameters that were set here; the model's own defaults lie below them."""
        plain = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "stop": list(self.stop) or None,
            "logprobs": self.top_logprobs if self.logprobs else None,
        }
        return {key: value for key, value in plain.items() if value is not None} | self.extra

    def arguments(self) -> dict[str, Any]:
        """The arguments of vLLM's engine."""
        plain = {
            "model": self.model,
            "revision": self.revision,
            "max_model_len": self.max_model_len,
            "dtype": self.dtype,
            "quantization": self.quantization,
            "tensor_parallel_size": self.tensor_parallel,
            "data_parallel_size": self.data_parallel,
            "gpu_memory_utilization": self.gpu_memory,
        }
        return {key: value for key, value in plain.items() if value is not None} | self.engine | self.tuning

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Start the engine, or share that of another such teacher: seconds for a small model, minutes for a large one.

        Raises ConfigError where vLLM knows no such model or argument, Missing where there is no vLLM, and RunError
        where it does not start."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        from datafactory.teachers.vllm.offline_chat import OfflineChat
        from datafactory.teachers.vllm.offline_engine import Engine
        from datafactory.teachers.vllm.sharing import shared

        arguments = self.arguments()
        # Two teachers that differ only in what they ask are one model, and a GPU has room for one.
        key = ("vllm_offline", json.dumps(arguments, sort_keys=True, default=str))
        async with shared(key, lambda: Engine(arguments)) as engine:
            chat = await asyncio.to_thread(OfflineChat, self, engine)
            try:
                yield chat
            finally:
                chat.close()
