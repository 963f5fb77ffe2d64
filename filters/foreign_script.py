"""Drops attempts in which the teacher writes in a script that nobody asked for."""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from datafactory.spec import Spec
from filters.spoken import any_message, by, judged, passages

if TYPE_CHECKING:
    import polars as pl

SHOWN = 12
"""Characters of an example in a reason."""
_NAMED = (
    "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari",
    "Bengali", "Tamil", "Telugu", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Georgian", "Armenian", "Ethiopic",
)  # fmt: skip
"""Tried in this order; a letter of another script is named by the first word of its name in Unicode."""


def _script(name: str) -> str:
    import regex

    try:
        regex.compile(rf"\p{{Script={name}}}")
    except regex.error as error:
        raise ValueError(f"{name!r} is no script of Unicode; such as {', '.join(_NAMED)}") from error
    return name


class ForeignScript(Spec):
    """Drops attempts whose teacher wrote letters of a script that is not allowed, thoughts and tool arguments included.

    Nemotron-Terminal drops every answer with Chinese characters (arXiv 2602.21193). Here the scripts of the
    task's prompt are allowed too, and words that the teacher was shown before (in a file, say) do not count."""

    use_name = "foreign_script"
    rowwise: ClassVar[bool] = True

    scripts: tuple[Annotated[str, AfterValidator(_script)], ...] = Field(default=("Latin", "Greek"), min_length=1)
    """Scripts that are allowed, by their names in Unicode. Greek is there for formulas."""
    max_chars: int = Field(default=0, ge=0)
    """Foreign letters that an attempt may have."""
    max_share: float = Field(default=0.0, ge=0, le=1)
    """Largest share of foreign letters among all letters that the teacher wrote; an attempt goes if it passes both."""
    prompt: bool = True
    """Whether scripts of the task's prompt are allowed."""
    quotes: bool = True
    """Whether words that the teacher was shown before are allowed."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages` and `instruction`."""
        import polars as pl

        known = "".join(rf"\p{{{name}}}" for name in (*self.scripts, "Common", "Inherited"))
        # the second half: JSON of other writers, that escapes what is no ASCII
        test = pl.element().str.contains(rf"[\p{{L}}--[{known}]]|\\u(?:0[3-9a-fA-F]|[1-9a-fA-F])")
        return judged(any_message(by("assistant") & test), self._reason, "messages", "instruction")

    def _reason(self, messages: list[str], instruction: str | None) -> str | None:
        import regex

        known = "".join(rf"\p{{Script={name}}}" for name in (*self.scripts, "Common", "Inherited"))
        foreign = regex.compile(rf"[\p{{L}}--[{known}]]+", regex.VERSION1)
        asked = instruction or ""
        allowed = {name_of(letter) for word in foreign.findall(asked) for letter in word} if self.prompt else set()
        shown, letters, found = [asked], 0, []
        for said in passages(messages):
            if said.role != "assistant":
                shown.append(said.text)
                continue
            letters += sum(map(str.isalpha, said.text))
            for word in foreign.findall(said.text):
                if not (self.quotes and any(word in text for text in shown)):
                    found += [(name_of(letter), word, said.where) for letter in word if name_of(letter) not in allowed]
        share = len(found) / max(letters, 1)
        if len(found) <= self.max_chars or share <= self.max_share:
            return None
        script, word, where = found[0]
        limit = f"{len(found)} {script} letters > {self.max_chars}"
        names = {name for name, _, _ in found}
        if len(names) > 1:
            limit = f"{len(found)} letters of {' and '.join(sorted(names))} > {self.max_chars}"
        wider = f", {share:.2%} > {self.max_share:.2%}" if self.max_share else ""
        return f'foreign_script: {limit}{wider}, first "{word[:SHOWN]}" ({where})'


@functools.lru_cache(maxsize=4096)
def name_of(letter: str) -> str:
    """The script of a letter."""
    for name, pattern in _patterns():
        if pattern.match(letter):
            return name
    return unicodedata.name(letter, "unknown").split()[0].capitalize()


@functools.cache
def _patterns() -> list[tuple[str, Any]]:
    import regex

    return [(name, regex.compile(rf"\p{{Script={name}}}")) for name in _NAMED]
