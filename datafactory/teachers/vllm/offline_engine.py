"""An engine of vLLM's that belongs to this process: started, started anew when it dies, and ended for good."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafactory.errors import ConfigError, Missing, RunError, TeacherError
from datafactory.registry import suggest
from datafactory.teachers.vllm.offline_lifeline import Lifeline

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams
    from vllm.v1.engine.async_llm import AsyncLLM

_BARREN = 3
"""Starts in a row without a single answer after which an engine is given up."""


class Engine:
    """vLLM's `AsyncLLM`: its scheduler and the model run in a process of their own, the engine core."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._llm: AsyncLLM | None = None
        self._lifeline: Lifeline | None = None
        self._turn = asyncio.Lock()
        self._numbers = itertools.count()
        self._barren = 0

    async def __aenter__(self) -> Engine:
        await self._live()
        # What has been imported stays; looking through it again and again takes longer than a step of a small model.
        gc.collect()
        gc.freeze()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._end()
        gc.unfreeze()
        gc.collect()  # of what is left at the interpreter's end, vLLM complains

    @property
    def llm(self) -> AsyncLLM:
        """The engine that was started last."""
        assert self._llm is not None
        return self._llm

    @property
    def gpus(self) -> int:
        """How many it holds; 0 where it computes on the processor."""
        from vllm.platforms import current_platform

        parallel = self.llm.vllm_config.parallel_config
        size = parallel.tensor_parallel_size * parallel.pipeline_parallel_size * parallel.data_parallel_size
        return int(size) if current_platform.is_cuda_alike() else 0

    async def generate(self, ids: Sequence[int], sampling: SamplingParams) -> tuple[RequestOutput, float]:
        """One answer to a prompt of token ids, and the seconds from the engine's being up until it was there; a call
        that is cancelled is taken out of the engine.

        Raises TeacherError where the engine refuses the call or dies, RunError where it died too often.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        llm = await self._live()
        began = time.monotonic()
        prompt = {"prompt_token_ids": list(ids)}
        answer: RequestOutput | None = None
        try:
            async for said in llm.generate(prompt, sampling, str(next(self._numbers))):
                answer = said  # there is but one, the final one
        except EngineDeadError as error:
            raise TeacherError(f"vLLM's engine core died{self._reason()}") from error
        except ValueError as error:
            raise TeacherError(f"vLLM refuses the call: {error}") from error
        if answer is None:
            raise TeacherError("vLLM gave no answer")
        self._barren = 0
        return answer, time.monotonic() - began

    async def _live(self) -> AsyncLLM:
        """The engine; one that died is replaced, once for all who wait for it."""
        if self._llm is not None and not self._llm.errored:
            return self._llm
        async with self._turn:
            if self._llm is not None and not self._llm.errored:
                return self._llm
            if self._barren == _BARREN:
                raise RunError(f"vLLM's engine died {_BARREN} times without giving an answer{self._reason()}")
            await self._end()
            self._barren += 1
            self._lifeline = Lifeline()
            starting = asyncio.ensure_future(asyncio.to_thread(self._start, self._lifeline))
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                self._lifeline.cut()  # a core that comes up is killed, and so the thread ends
                await asyncio.gather(starting, return_exceptions=True)
                await self._end()
                raise
            except BaseException:
                self._lifeline.cut()
                raise
            return self.llm

    def _start(self, lifeline: Lifeline) -> None:
        """Blocks until the model is loaded. Raises Missing, ConfigError, RunError."""
        with lifeline.spawning():
            try:
                from vllm.engine.arg_utils import AsyncEngineArgs
                from vllm.platforms import current_platform
                from vllm.usage.usage_lib import UsageContext
                from vllm.v1.engine.async_llm import AsyncLLM
            except ImportError as error:
                raise Missing(f"vllm cannot be imported: {error}; pip install 'datafactory[vllm]'") from error
            known = list(AsyncEngineArgs.__dataclass_fields__)
            if unknown := [name for name in self._arguments if name not in known]:
                raise ConfigError([f"vLLM's engine has no argument {name!r}{suggest(name, known)}" for name in unknown])
            # On processors, 0.32 dies of a seeded request whose prompt it takes in by parts.
            whole = {"enable_chunked_prefill": False} if current_platform.is_cpu() else {}
            # As for its own `LLM`: most tokens in all, rather than the first ones soon.
            bulk = UsageContext.LLM_CLASS
            try:
                config = AsyncEngineArgs(**whole | self._arguments).create_engine_config(bulk)
            except (ValueError, TypeError, KeyError, OSError, NotImplementedError) as error:
                raise ConfigError(f"vLLM cannot use the model {self._arguments['model']!r}: {error}") from error
            try:
                # Statistics cost time at every token, and nobody reads them here.
                # Not returned: what torch keeps of this thread's frames would hold the engine for ever.
                self._llm = AsyncLLM.from_vllm_config(config, usage_context=bulk, disable_log_stats=True)
            except (RuntimeError, ValueError, OSError) as error:
                why = lifeline.reason() or f": {error}"
                raise RunError(f"vLLM's engine does not start{why} (its log: {lifeline.keep_log()})") from error

    async def _end(self) -> None:
        """When this returns, whoever ends us in turn, no core is left."""
        llm, self._llm = self._llm, None
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is None:
            return

        def end() -> None:
            try:
                if llm is not None:
                    llm.shutdown()
            finally:
                lifeline.cut()
                lifeline.wait()

        ending = asyncio.ensure_future(asyncio.to_thread(end))
        try:
            await asyncio.shield(ending)
        finally:
            lifeline.cut()
            await asyncio.wait([ending])

    def _reason(self) -> str:
        return self._lifeline.reason() if self._lifeline is not None else ""
