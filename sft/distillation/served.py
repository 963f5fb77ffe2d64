"""A teacher on a vLLM server: it is sent token ids, and says how likely each of them was."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np

from datafactory.errors import DataError, TeacherError
from sft.distillation.samples import Sample
from sft.distillation.spec import Teacher
from sft.distillation.vocabulary import same_spelling

_BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
"""Refusals after which the same request may be answered."""
_PAUSE = 0.5
"""Seconds before the second try; each later pause is twice as long."""
_LONGEST_PAUSE = 30.0
_TIMEOUT = aiohttp.ClientTimeout(total=1800.0, sock_connect=30.0)


class ServedTeacher:
    """Scores answers with `/v1/completions` and `prompt_logprobs`, which are vLLM's."""

    def __init__(self, spec: Teacher, name: str) -> None:
        assert spec.base_url is not None
        self._spec, self._name, self._address = spec, name, spec.base_url

    def check(self, tokenizer: Any, longest: int) -> None:
        """Raises DataError where its tokens are not the student's, or answers are longer than it can read."""
        listed = asyncio.run(self._all([("GET", f"{self._address}/models", None)]))[0]
        here = {str(each.get("id")): each for each in listed.get("data", [])}
        if self._spec.model not in here:
            served = ", ".join(map(repr, here)) or "none"
            raise DataError(f"the server of teacher {self._name!r} has no model {self._spec.model!r}; it has {served}")
        context = here[self._spec.model].get("max_model_len")
        if context is not None and context < longest + 1:
            raise DataError(
                f"the teacher {self._name!r} reads {context:,} tokens, and {longest + 1:,} may come: serve it with "
                "a greater --max-model-len, or lower max_length or max_tokens"
            )
        same_spelling(tokenizer, self, self._name)

    def spell(self, ids: Sequence[int]) -> str | None:
        """The text of tokens; None: the server knows one of them not."""
        asked = {"model": self._spec.model, "tokens": list(ids)}
        try:
            told = asyncio.run(self._all([("POST", f"{self._address.removesuffix('/v1')}/detokenize", asked)]))[0]
        except _Refused as error:
            if error.status == 404:
                raise TeacherError(f"{error}: is it a vLLM server?") from error
            return None
        return str(told["prompt"])

    def score(self, samples: Sequence[Sample]) -> list[np.ndarray[Any, Any]]:
        """Log-probability (nats) of each token of each answer. Raises TeacherError."""
        asked = [
            {
                "model": self._spec.model,
                "prompt": [*sample.history.tolist(), *sample.answer.tolist()],
                "prompt_logprobs": 0,
                "max_tokens": 1,
                "temperature": 1.0,
            }
            for sample in samples
        ]
        told = asyncio.run(self._all([("POST", f"{self._address}/completions", each) for each in asked]))
        return [self._read(sample, answer) for sample, answer in zip(samples, told, strict=True)]

    def _read(self, sample: Sample, answer: dict[str, Any]) -> np.ndarray[Any, Any]:
        places = (answer.get("choices") or [{}])[0].get("prompt_logprobs")
        if places is None:
            raise TeacherError(f"{self._address} gives no prompt_logprobs: is it a vLLM server?")
        if len(places) != len(sample):
            raise TeacherError(f"{self._address} scored {len(places):,} tokens of {len(sample):,}")
        said = zip(sample.answer.tolist(), places[len(sample.history) :], strict=True)
        return np.asarray([each[str(token)]["logprob"] for token, each in said], dtype=np.float32)

    async def _all(self, requests: Sequence[tuple[str, str, Any]]) -> list[dict[str, Any]]:
        key = os.environ.get("OPENAI_API_KEY", "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        gate = asyncio.Semaphore(self._spec.at_once)
        async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers) as session:

            async def one(method: str, url: str, body: Any) -> dict[str, Any]:
                async with gate:
                    return await self._send(session, method, url, body)

            return await asyncio.gather(*(one(*each) for each in requests))

    async def _send(self, session: aiohttp.ClientSession, method: str, url: str, body: Any) -> dict[str, Any]:
        """The answer to a request, sent again where the server is busy, broken or gone."""
        for left in reversed(range(self._spec.tries)):
            try:
                async with session.request(method, url, json=body) as answer:
                    if answer.status < 400:
                        made: dict[str, Any] = await answer.json()
                        return made
                    refusal = _Refused(f"{url}: {answer.status}: {(await answer.text())[:500]}", answer.status)
                    if answer.status not in _BUSY or not left:
                        raise refusal
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if not left:
                    raise TeacherError(f"{url}: {type(error).__name__}: {error}") from error
            passed = self._spec.tries - left - 1
            await asyncio.sleep(min(_LONGEST_PAUSE, _PAUSE * 2**passed) * random.uniform(0.5, 1.0))
        raise AssertionError("the last try returns or raises")


class _Refused(TeacherError):
    """The server said no."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.status = status
