"""Drops attempts that edit and test again and again, and come no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from filters.actions import Outcome, actions, changes, outcome, runs
from filters.spoken import by, judged

if TYPE_CHECKING:
    import polars as pl

SCREEN = r"(?i)test|check|tox|nox|jest|mocha|rspec|\bava\b|karma|cypress|trial|ward|bats|verify|playwright"
"""What an answer must have that runs tests."""


class EditTestLoop(Spec):
    """Drops attempts in which edits are followed by tests that fail as before, too many times in a row.

    As before: all tests that failed fail still, or as many, or (where a run names and counts none) the same is printed
    but for times and addresses. A run that fails less, or passes, begins anew; one without an edit before it does not
    count."""

    use_name: ClassVar[str] = "edit_test_loop"
    rowwise: ClassVar[bool] = True

    max_rounds: int = Field(default=3, ge=1)
    """Most rounds of edit and test without progress that stay."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent` and `tools`."""
        import polars as pl

        tests = pl.col("messages").list.eval(by("assistant") & pl.element().str.contains(SCREEN)).list.sum()
        return judged(tests > self.max_rounds, self._reason, "messages", "agent", "tools")

    def _reason(self, messages: list[str], agent: str | None, tools: list[str] | None) -> str | None:
        done = actions(messages, agent or "", tools or ())
        ended = {at: end for at, action in enumerate(done) if runs(action) == "tests" and (end := outcome(action))}
        if sum(end.failed for end in ended.values()) <= self.max_rounds:
            return None
        last: Outcome | None = None
        rounds, before = 0, 0
        for at, end in ended.items():
            if last is None or not end.failed or not end.no_better_than(last):
                rounds = 0
            elif any(change for action in done[before : at + 1] for change in changes(action)):
                rounds += 1
            last, before = (end if end.failed else None), at + 1
            if rounds > self.max_rounds:
                return f"edit_test_loop: {rounds} rounds without progress > {self.max_rounds}, the last: {end}"
        return None
