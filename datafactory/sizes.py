"""Sizes and spans of time as people write them: `2g`, `512m`, `64k` or plain bytes; `30d`, `12h`."""

from __future__ import annotations

import re

from datafactory.errors import ConfigError

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def in_bytes(text: str) -> int:
    """Bytes in `text`, units being powers of 1024. Raises ConfigError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    if match is None or not float(match[1]):
        raise ConfigError(f"no size: {text!r}; write one like 512m or 2g")
    return int(float(match[1]) * _UNITS[match[2]])


def in_seconds(text: str) -> float:
    """Seconds in `text`. Raises ConfigError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip().lower())
    if match is None:
        raise ConfigError(f"no span of time: {text!r}; write one like 30d, 12h or 45m")
    return float(match[1]) * _SECONDS[match[2]]
