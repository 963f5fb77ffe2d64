"""The oracle's wording: sentences from phrase files, chosen by its random numbers."""

from __future__ import annotations

import random
import re
from functools import cache
from importlib.resources import files
from typing import Any

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(])|\n\s*\n")


@cache
def _phrases(name: str) -> tuple[str, ...]:
    text = (files("datafactory.teachers") / "phrases" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line.strip())


def say(rng: random.Random, phrase: str, /, **values: Any) -> str:
    """One line of phrases/<phrase>.txt with `values` in place."""
    return rng.choice(_phrases(phrase)).format(**values)


def first_sentence(text: str, limit: int = 220) -> str:
    """How a text begins: its first sentence, with an ellipsis where that is long."""
    sentence = " ".join(_SENTENCE.split(text.strip(), maxsplit=1)[0].split())
    return sentence if len(sentence) <= limit else sentence[: limit - 1].rsplit(" ", 1)[0] + "…"


def sentence(text: str) -> str:
    """A thought as a sentence of its own."""
    text = " ".join(text.split())
    if not text:
        return "Run the next command."
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:…`" else ".")


def listed(names: list[str], limit: int = 3) -> str:
    """Names as a phrase: "a.csv, b.csv and 2 more"."""
    if not names:
        return "the directory"
    shown = names[:limit]
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
