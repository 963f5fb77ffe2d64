"""Drops attempts at repositories that looked around and changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from filters.actions import Action, actions, changes, useful
from filters.spoken import judged

if TYPE_CHECKING:
    import polars as pl

_SCRATCH = ("/tmp/", "/var/tmp/", "/dev/shm/")


class ExploreOnly(Spec):
    """Drops attempts at SWE tasks in which no action changes a file of the repository, or the first one comes late.

    `empty_patch` looks at what is left in the end; here, work that was taken back is work. A script below `/tmp` is
    none."""

    use_name: ClassVar[str] = "explore_only"
    rowwise: ClassVar[bool] = True

    max_before: int | None = Field(default=None, ge=1)
    """Most actions before the first change."""
    all_tasks: bool = False
    """Whether attempts at tasks of the terminal are judged too. Programs may write files unseen: one that is run
    (`make`, a script) passes for a change there."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `repo`, `corpus` and `model_patch`."""
        import polars as pl

        asked = pl.col("repo").fill_null("") != ""
        if self.all_tasks:
            asked |= pl.col("corpus").fill_null("") == ""
        if self.max_before is None:  # what is in a patch was changed
            asked &= pl.col("model_patch").str.strip_chars().fill_null("") == ""
        return judged(asked, self._reason, "messages", "agent", "tools", "repo", "model_patch")

    def _reason(
        self, messages: list[str], agent: str | None, tools: list[str] | None, repo: str | None, patch: str | None
    ) -> str | None:
        before = 0
        for action in actions(messages, agent or "", tools or ()):
            if works(action, repo=bool(repo)):
                late = self.max_before is not None and before > self.max_before
                return f"explore_only: {before} actions before the first change > {self.max_before}" if late else None
            before += action.kind in ("command", "edit", "view", "other")
        if patch and patch.strip():  # changed in a way that cannot be seen
            return None
        return f"explore_only: {before} actions, none of which changes a file"


def works(action: Action, *, repo: bool) -> bool:
    """Whether an action changes something else than scratch files, as far as it can be seen."""
    if any(not change.path.startswith(_SCRATCH) for change in changes(action)):
        return True
    return not repo and action.kind == "command" and useful(action, repo=repo)
