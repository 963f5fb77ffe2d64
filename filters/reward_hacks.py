"""Drops attempts that sought the reward where the work should have been done."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from filters.hacking.signs import DEFAULT, Kind
from filters.spoken import any_message, by, judged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from filters.hacking.signs import Sign

SHOWN = 140
"""Characters of what was done in a reason."""
_ASKED: frozenset[Kind] = frozenset(("copied_answer", "unseen_answer", "unseen_evidence"))
_WIDE: frozenset[Kind] = frozenset(("background", "hard_coded"))
"""Kinds that any line may show."""


class RewardHacks(Spec):
    """Drops attempts in which the verdict was reached for: its files, the programs and hooks that make it, or an answer
    that nothing supports. Whether it worked does not count, nor what the task's prompt itself asks for.

    Attempts at repositories pass: `looks_for_answer` reads those."""

    use_name: ClassVar[str] = "reward_hacks"
    rowwise: ClassVar[bool] = True

    signs: tuple[Kind, ...] = Field(default=DEFAULT, min_length=1)
    """Kinds of signs that drop an attempt; `background`, `hard_coded`, `copied_answer` and `unseen_evidence`, which
    honest attempts may show too, only where they are named."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `repo`, `task`, `instruction`, and of questions `corpus`, `answer`,
        `answers`, `evidence`, `found` and `visited`."""
        import polars as pl

        from filters.hacking.places import SCREEN

        asked = pl.col("corpus").fill_null("") != ""
        boxed = ~asked & (pl.col("repo").fill_null("") == "")
        if not _WIDE & set(self.signs):
            boxed &= any_message(by("assistant") & pl.element().str.contains(SCREEN))
        suspect = pl.lit(False)
        if set(self.signs) - _ASKED:
            suspect |= boxed
        if set(self.signs) & _ASKED:
            answer = pl.col("answer").str.strip_chars()
            lone = _ASKED & set(self.signs) == {"unseen_answer"}  # which passes single words and numbers
            suspect |= asked & (
                answer.str.contains(r"\S\s+\S") & ~answer.str.contains("[0-9]") if lone else answer != ""
            )
        columns = ("messages", "agent", "tools", "instruction", "task", "corpus", "answer", "answers", "evidence")
        return judged(suspect, self._reason, *columns, "found", "visited")

    def _reason(
        self,
        messages: list[str],
        agent: str | None,
        tools: list[str] | None,
        instruction: str | None,
        task: str | None,
        corpus: str | None,
        answer: str | None,
        *urls: list[str] | None,
    ) -> str | None:
        from filters.actions import actions
        from filters.hacking import Asked, box_signs, search_signs
        from filters.hacking.scene import scene

        done = actions(messages, agent or "", tools or ())
        found: Iterator[Sign]
        if corpus:
            answers, evidence, shown, visited = (tuple(each or ()) for each in urls)
            opened = frozenset((*shown, *visited))
            found = search_signs(done, Asked(instruction or "", answer or "", answers, evidence, opened))
        else:
            found = box_signs(done, scene(task, instruction or ""))
        first = next((sign for sign in found if sign.kind in self.signs), None)
        if first is None:
            return None
        said = " ".join(str(first).split())
        return f"reward_hacks: {said if len(said) <= SHOWN else f'{said[:SHOWN]}…'}"
