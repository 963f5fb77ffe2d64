"""The oracle's wording: sentences from phrase files, chosen by its random numbers."""

from __future__ import annotations

import random
import re
from functools import cache
from importlib.resources import files
from typing import Any

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(])|\n\s*\n")


_LABEL = re.compile(
    r"^\s*(?:[-*•]\s+|\[[ x]\]\s+|\(?(?:\d{1,2}|[a-z])[.)]\s+|(?:step \d+|first of all|first|then|next):\s+)+", re.I
)
_VERBS = re.compile(
    r"(?:please )?(?:add|analy[sz]e|append|apply|audit|build|calculate|change|check|clean|collect|combine|compare"
    r"|compile|complete|compute|concatenate|configure|convert|copy|correct|correlate|count|create|cross-tabulate|debug"
    r"|decode|decide|deduplicate|delete|derive|describe|detect|determine|differentiate|drop|encode|estimate|export|extract"
    r"|fill|filter|find|fingerprint|fit|fix|flatten|generate|give|group|hold|how|identify|implement|index|install|invert|judge"
    r"|keep|left-join|list|locate|lock|look|make|mask|measure|merge|move|normali[sz]e|one-hot|organi[sz]e|pack|parse"
    r"|print|produce|pseudonymi[sz]e|put|query|rank|read|recover|redact|refactor|remove|rename|repair|replace|report"
    r"|resample|resolve|restore|run|save|scale|search|select|set|smooth|solve|sort|split|strip|sum|summari[sz]e|tabulate"
    r"|take|trace|train|transform|triage|turn|unfold|unpack|update|use|validate|verify|which|write)\b",
    re.I,
)
_MADE = re.compile(r"`[^`]+`/?(?: \([^)]*\))?(?::| gets\b| takes\b| must\b| tells\b| counts\b| repeats\b| is `)")
_NAMES = re.compile(r"`|\w/\w|\w\.\w")


@cache
def _phrases(name: str) -> tuple[str, ...]:
    text = (files(__package__) / "phrases" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line.strip())


def say(rng: random.Random, phrase: str, /, **values: Any) -> str:
    """One line of phrases/<phrase>.txt with `values` in place."""
    return rng.choice(_phrases(phrase)).format(**values)


def first_sentence(text: str, limit: int = 220) -> str:
    """How a text begins: its first sentence, with an ellipsis where that is long."""
    sentence = " ".join(_SENTENCE.split(text.strip(), maxsplit=1)[0].split())
    return sentence if len(sentence) <= limit else sentence[: limit - 1].rsplit(" ", 1)[0] + "…"


def goal(text: str) -> str:
    """The first sentence of a task that asks for something and names a file; failing that, one that asks at all, a
    question, or the first that is no heading or greeting."""
    blocks = [_LABEL.sub("", line) for line in text.splitlines() if not line.lstrip().startswith("#")]
    said = [" ".join(part.split()) for block in blocks for part in _SENTENCE.split(block.strip())]
    said = [part for part in said if part.count(" ") >= 2 and not part.endswith(":")]
    asked = [part for part in said if _VERBS.match(part)]
    named = [part for part in said if _MADE.match(part) or (_NAMES.search(part) and _VERBS.match(part))]
    ranked = (named, asked, [part for part in said if part.endswith("?")], said, [text])
    return first_sentence(next(found for found in ranked if found)[0])


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
