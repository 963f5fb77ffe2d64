"""Reads what a model answered to a question that asks for JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from datafactory.types import Reject, Reply

M = TypeVar("M", bound=BaseModel)

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.S)
"""From a server that does not part a model's thinking from its answer."""
_FENCE = re.compile(r"```(?:json)?\s*\n(.*)\n```", re.S)


def read_answer(reply: Reply, model: type[M]) -> M | Reject:
    """The answer as a `model`, thoughts and a fence around it taken off. Reasons: `truncated`, `not_json`, `schema`."""
    if reply.cut:
        return Reject(reason="truncated", detail=f"cut off after {reply.usage.completion_tokens} tokens")
    text = _THOUGHT.sub("", reply.message.content).strip()
    fenced = _FENCE.fullmatch(text)
    text = fenced[1] if fenced else text
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return Reject(reason="not_json", detail=str(error) if text else "the answer is empty")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        return Reject(reason="schema", detail=_told(error.errors(include_url=False, include_input=False)))


def _told(errors: Sequence[Any]) -> str:
    shown = [f"{'.'.join(map(str, error['loc'])) or 'the answer'}: {error['msg']}" for error in errors[:5]]
    return "; ".join(shown) + (f"; and {len(errors) - 5} more" if len(errors) > 5 else "")
