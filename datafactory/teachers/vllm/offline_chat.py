"""A live engine as a chat: prompts are rendered and answers read in threads, and vLLM decides what runs when."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from datafactory.errors import ConfigError, TeacherError, boundary
from datafactory.protocols import Episode
from datafactory.teachers.vllm import offline_answers
from datafactory.teachers.vllm.offline_engine import Engine
from datafactory.types import Message, Reply

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams

    from datafactory.teachers.vllm.offline import VLLMOfflineTeacher

_THREADS = min(8, os.cpu_count() or 1)
"""Tokenizing leaves other threads running; rendering a chat template does not, so more would only wait."""


class OfflineChat:
    """Safe for any number of calls at the same time, from one event loop.

    No gate stands before the engine: it is in this process, refuses nobody, and its scheduler takes up waiting calls
    as memory allows. Calls past `at_once` wait here only so that their prompts need not be held as tokens.
    """

    def __init__(self, spec: VLLMOfflineTeacher, engine: Engine) -> None:
        """Loads the tokenizer. Raises ConfigError where the model or `extra` cannot be used."""
        self._spec = spec
        self.engine = engine
        self.gpus = engine.gpus
        """GPUs that the engine holds, whoever shares it."""
        self._room = int(engine.llm.model_config.max_model_len)
        self._defaults: dict[str, Any] = engine.llm.model_config.get_diff_sampling_param()
        self._places = asyncio.Semaphore(spec.at_once)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="vllm_offline")
        self._tokenizer = _tokenizer(engine)
        try:
            self._sampling(self._room, None, None)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"teacher vllm_offline: vLLM cannot sample so: {error}") from error

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. A conversation that fills the model's context gives an empty reply with `finish="context"`.
        Raises TeacherError, and ConfigError where tools are on offer."""
        if tools:
            raise ConfigError(
                "teacher vllm_offline offers no tools to a model: use the teacher vllm, or an agent without native "
                "tool calls (agent: terminus-2)"
            )
        async with self._places:
            loop = asyncio.get_running_loop()
            with boundary(TeacherError, "rendering the chat template"):
                ids, opened = await loop.run_in_executor(self._threads, self._prompt, messages)
            left = self._room - len(ids)
            if left < 1:
                return Reply(message=Message(role="assistant"), finish="context", model=self._spec.model)
            with boundary(TeacherError, "asking the engine"):
                sampling, capped = self._sampling(left, schema, episode)
                output, seconds = await self.engine.generate(ids, sampling)
                reply = await loop.run_in_executor(self._threads, self._read, output, opened, capped)
                return reply.but(seconds=round(seconds, 4))

    def _prompt(self, messages: Sequence[Message]) -> tuple[list[int], bool]:
        """Token ids, and whether the prompt's end opens the model's thoughts."""
        tokenizer = self._tokenizer
        said = [_wire(message, self._spec.keep_reasoning) for message in messages]
        text: str = tokenizer.apply_chat_template(
            said, tokenize=False, add_generation_prompt=True, **self._spec.chat_template_kwargs
        )
        # The template has written the special tokens already.
        ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids, text.rstrip().endswith(self._spec.think_tags[0])

    def _read(self, output: RequestOutput, opened: bool, capped: bool) -> Reply:
        spec = self._spec
        return offline_answers.reply(
            output,
            self._tokenizer,
            model=spec.model,
            opened=opened,
            tags=spec.think_tags,
            capped=capped,
            top=spec.top_logprobs,
        )

    def _sampling(
        self, left: int, schema: Mapping[str, Any] | None, episode: Episode | None
    ) -> tuple[SamplingParams, bool]:
        """vLLM's parameters, and whether the context leaves less room than the answer is allowed."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        asked = self._defaults | self._spec.sampling()
        allowed = asked.get("max_tokens")
        capped = allowed is None or allowed > left
        if capped:
            asked["max_tokens"] = left
        if self._spec.seed is not None and episode is not None:
            asked["seed"] = episode.mixed(self._spec.seed)
        if schema is not None:
            asked["structured_outputs"] = StructuredOutputsParams(json=dict(schema))
        # One decoding at the end costs a tenth of one at every token; only stop texts need the latter.
        asked.setdefault("detokenize", bool(self._spec.stop))
        return SamplingParams(**asked, output_kind=RequestOutputKind.FINAL_ONLY), capped


def _tokenizer(engine: Engine) -> Any:
    """The model's own. Raises ConfigError where it has no chat template."""
    from transformers import AutoTokenizer

    config = engine.llm.model_config
    tokenizer = AutoTokenizer.from_pretrained(
        config.tokenizer, revision=config.tokenizer_revision, trust_remote_code=config.trust_remote_code
    )
    if not tokenizer.chat_template:
        raise ConfigError(f"{config.model} has no chat template, so it cannot be talked to; is it a base model?")
    # Threads share it: only a first call sets the state of a tokenizer (whether it truncates and pads), and it would
    # break those beside it. A copy for each thread would take about a second apiece for a vocabulary of 150,000.
    tokenizer("", add_special_tokens=False)
    return tokenizer


def _wire(message: Message, keep_reasoning: bool) -> dict[str, Any]:
    made = message.wire()
    if not keep_reasoning:
        made.pop("reasoning_content", None)
    return made
