"""Sizes as people write them: `2g`, `512m`, `64k`, or plain bytes."""

from __future__ import annotations

import re

from datafactory.errors import ConfigError

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def in_bytes(text: str) -> int:
    """Bytes in `text`, units being powers of 1024. Raises ConfigError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    if match is None or not float(match[1]):
        raise ConfigError(f"no size: {text!r}; write one like 512m or 2g")
    return int(float(match[1]) * _UNITS[match[2]])
