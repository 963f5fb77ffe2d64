"""Drops attempts in which the teacher says who it is."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from filters.spoken import any_message, by, judged, own_words, passages

if TYPE_CHECKING:
    import polars as pl

NAMES = Path(__file__).with_name("teacher_names.json")
SHOWN = 80
"""Characters of a sentence in a reason."""


class TeacherIdentity(Spec):
    """Drops attempts whose teacher names itself or its maker, as Nemotron-Terminal does (arXiv 2602.21193):
    a student would learn to be somebody else.

    Only what the teacher says of itself, in prose: commands, tool arguments, code in backticks, and sentences that it
    was shown before do not count."""

    use_name = "teacher_identity"
    rowwise: ClassVar[bool] = True

    names: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """More names of models or makers, literally."""
    unnamed: bool = False
    """Whether "as an AI language model" goes too, although it names nobody."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages` and `instruction`."""
        table = _table()
        models = [*table["model_words"], *self.names, *((" ai ", "language model") if self.unnamed else ())]
        spoken = _says(table["maker_phrases"]) & _says([*table["maker_words"], *self.names])
        test = _says(models) | spoken
        return judged(any_message(by("assistant") & test), self._reason, "messages", "instruction")

    def _reason(self, messages: list[str], instruction: str | None) -> str | None:
        pattern, shown, found = _pattern(self.names, self.unnamed), [instruction or ""], []
        for said in passages(messages):
            if said.role != "assistant":
                shown.append(said.text)
                continue
            for match in pattern.finditer(own_words(said)):
                if not any(match[0] in text for text in shown):
                    found.append((said.where, " ".join(match[0].split())))
        if not found:
            return None
        where, sentence = found[0]
        clipped = sentence if len(sentence) <= SHOWN else f"{sentence[:SHOWN]}…"
        return f'teacher_identity: {len(found)} times, first "{clipped}" ({where})'


def _says(words: list[str]) -> pl.Expr:
    """Inside `messages.list.eval`: whether one of the words is in a message (JSON text)."""
    import polars as pl

    # other writers of JSON escape what is no ASCII
    escaped = [json.dumps(word)[1:-1] for word in words if not word.isascii()]
    return pl.element().str.contains_any([*words, *escaped], ascii_case_insensitive=True)


@functools.cache
def _table() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(NAMES.read_text(encoding="utf-8"))
    return made


@functools.cache
def _pattern(more: tuple[str, ...], unnamed: bool) -> re.Pattern[str]:
    """Ways of speaking of oneself, each with a name in it."""
    own = [re.escape(name) for name in more]
    # Chinese has no spaces: a name ends where its script does
    models = "|".join([*_table()["models"], *own])
    model = rf"(?<![A-Za-z0-9_/.])(?:{models})(?![A-Za-z_/]|\.[a-z])(?:[-\s]?v?\d(?:[\w.-]*\w)?)?"
    maker = rf"(?:{'|'.join([*_table()['makers'], *own])})(?![A-Za-z0-9_/])"
    made = r"(?:made|created|developed|trained|built|designed|provided|released|published)"
    kind = (
        r"(?:(?:large |advanced |helpful )*(?:AI|artificial intelligence|language|chat|coding)[\w\s,()-]{0,40}?"
        r"(?:model|assistant|agent|system)|(?:AI|assistant|chatbot|model|LLM)(?:\s\(\w+\))?)"
    )
    by = rf"{made}\s+(?:and \w+ )?by\s+(?:(?:the|a|team|company|researchers|people|at|of|folks)\s+){{0,4}}{maker}"
    called = r"(?:(?:an?|the|called|named|known as|actually|really|just|based on|powered by|not|also)\s+){0,3}"
    either = rf"(?:{kind},?\s+(?:(?:called|named|known as)\s+{model}|(?:that was |which was )?{by})|{model})"
    ways = [
        rf"\bI(?:\s+am|[’']m|\s+was),?\s+(?:{called}{either}(?:,?\s+(?:{kind}\s+)?{by})?(?!\s+(?:user|fan|expert|api)))",
        rf"\bI(?:\s+am|[’']m|\s+was|\s+have been|[’']ve been)\s+(?:\w+\s+)?{by}",
        rf"\bI,\s+{model},",
        rf"(?<!such )(?<!same )(?<!known )\bas\s+{called}{either}(?:,?\s+(?:{kind}\s+)?{by})?,?\s+I\b",
        rf"\bas\s+{called}{kind}\s+(?:that was |which was )?{by}",
        rf"\b(?:my name is|you can call me|call me|my name’s|my name's)\s+{model}",
        rf"\bmy\s+(?:creators?|developers?|makers?|parent company)\s+(?:is|are|at|from)\s+{maker}",
        rf"(?:我是|我叫|作为)(?:一个|一款)?(?:由\s*{maker}[^，。]{{0,12}}的)?[^，。A-Za-z]{{0,8}}{model}",
        rf"我[是由][^，。]{{0,6}}{maker}[^，。]{{0,8}}(?:开发|训练|研发|创造|推出)",
    ]
    if unnamed:
        ways.append(rf"\b(?:as|I\s+am|I[’']m)\s+(?:just\s+)?an?\s+{kind}")
    return re.compile("|".join(ways), re.IGNORECASE)
