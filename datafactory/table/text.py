"""JSON text that every reader of the dataset can parse."""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def json_text(value: Any) -> str:
    """`value` as JSON. What readers choke on is written as near as can be:

    an integer past 64 bits as a string of its digits (the parser of `datasets` refuses it, or wraps it
    around), a number that is not finite as null, half a surrogate pair as U+FFFD.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return orjson.dumps(_mended(value)).decode()


def _mended(value: Any) -> Any:
    if isinstance(value, dict):
        return {_mended(str(key)): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    if isinstance(value, str):
        return LONE_SURROGATE.sub("�", value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
