"""Drops attempts at repositories that hand in nothing, or something else than what was worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datafactory.spec import Spec
from filters.actions import actions, changes
from filters.process.patches import among, is_test
from filters.spoken import judged

if TYPE_CHECKING:
    import polars as pl


class Submission(Spec):
    """Drops attempts at SWE tasks that were not handed in, or that hand in an untouched repository, tests alone, or a
    patch that holds none of the files that were edited. Attempts at other tasks pass."""

    use_name: ClassVar[str] = "submission"
    rowwise: ClassVar[bool] = True

    unfinished: bool = False
    """Whether attempts stay that a limit ended."""
    tests_alone: bool = False
    """Whether patches stay that change nothing but tests."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `repo`, `stop`, `model_patch`, `messages`, `agent` and `tools`."""
        import polars as pl

        asked = pl.col("repo").fill_null("") != ""
        blank = pl.col("model_patch").str.strip_chars() == ""
        reasons: list[pl.Expr] = []
        if not self.unfinished:
            reasons.append(pl.when(pl.col("stop") != "submitted").then(pl.format("submission: ended by {}", "stop")))
        reasons.append(pl.when(blank).then(pl.lit("submission: the repository was left as it was")))
        patched = asked & ~blank.fill_null(True)
        reasons.append(judged(patched, self._reason, "model_patch", "messages", "agent", "tools"))
        return pl.when(asked).then(pl.coalesce(reasons))

    def _reason(self, patch: str, messages: list[str], agent: str | None, tools: list[str] | None) -> str | None:
        from datafactory.formats.diff_paths import diff_paths

        paths = sorted(diff_paths(patch))
        if paths and not self.tests_alone and all(map(is_test, paths)):
            return f"submission: tests alone were changed: {', '.join(paths[:3])}"
        named = [change.path for action in actions(messages, agent or "", tools or ()) for change in changes(action)]
        if not paths or not named or "" in named or any(among(name, paths) for name in named):
            return None
        return f"submission: of {len(set(named))} files that were edited, such as {named[-1]}, none is in the patch"
