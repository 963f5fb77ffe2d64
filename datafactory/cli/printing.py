"""Printing of what strangers wrote: models, tools and data sets may not steer the terminal that shows their text."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 (but tab and newline), DEL and C1: escape sequences begin with one of them
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or they turn the text around
    "\U000e0000-\U000e007f"  # tags, which hide text within text
    "\ud800-\udfff]"  # half a surrogate pair: no UTF-8 terminal can be sent one
)


def clean(text: object, *, one_line: bool = False) -> str:
    """The text with every character that could steer a terminal, or hide, made visible (ESC is shown as ``␛``)."""
    made = _STEERING.sub(_visible, str(text).replace("\r\n", "\n"))
    return " ".join(made.split()) if one_line else made


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def shorten(text: object, width: int) -> str:
    """One clean line of at most `width` characters."""
    line = clean(text, one_line=True)
    return line if len(line) <= width else f"{line[: max(width - 1, 0)]}…"


def excerpt(text: object, lines: int = 12, width: int = 400) -> str:
    """The clean text, cut in the middle to about `lines` lines of at most `width` characters each."""
    made = [line if len(line) <= width else f"{line[: width - 1]}…" for line in clean(text).rstrip().split("\n")]
    if len(made) <= lines:
        return "\n".join(made)
    head = lines - lines // 3
    left_out = len(made) - lines
    return "\n".join([*made[:head], f"… {left_out:,} lines left out …", *made[len(made) - lines // 3 :]])


def bar(share: float, width: int = 8) -> str:
    """A share from 0 to 1 as a bar; what is more than nothing shows."""
    full = min(width, max(round(share * width), int(share > 0)))
    return "\u2501" * full + "\u2504" * (width - full)


def words(text: object, style: str = "") -> Text:
    """Clean text for rich, in which brackets are no markup."""
    from rich.text import Text

    return Text(clean(text), style=style)


def console() -> Console:
    """The console of standard output; a character that its encoding lacks becomes ``?``, never an error."""
    from rich.console import Console

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, markup=False, emoji=False)


def say_json(value: Any) -> None:
    """Print JSON, all of it ASCII: safe in any terminal, and the same for any reader."""
    import json

    print(json.dumps(value, ensure_ascii=True, default=str))


def span(seconds: float) -> str:
    """A length of time as a clock shows it: ``0:07``, ``12:30``, ``3:05:00``."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def short(number: float) -> str:
    """In at most seven characters: ``3.5``, ``1,204``, ``34.1 k``, ``3.41 M``."""
    if number < 10_000:
        return f"{number:,.0f}" if number == int(number) or number >= 100 else f"{number:.1f}"
    for unit in ("k", "M", "G"):
        number /= 1000
        if number < 999.5 or unit == "G":
            break
    return f"{number:.3g} {unit}" if number < 999.5 else f"{number:,.0f} {unit}"


def size(count: int) -> str:
    """A number of bytes for people: ``512 B``, ``1.5 KiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
