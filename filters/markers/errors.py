"""Marks turns whose action failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, get_args

from pydantic import Field

from datafactory.spec import Spec
from filters.actions import actions, failure
from filters.actions.results import SUSPECT, FailureKind
from filters.markers.marking import marked
from filters.spoken import any_message

if TYPE_CHECKING:
    import polars as pl


class Errors(Spec):
    """Marks turns whose action failed, so that the student reads the mistake and learns what mended it, and not the
    mistake itself (error-step masking: SWE-Lego, arXiv 2601.01426).

    Of an answer with several tool calls one that failed is enough. Tests that fail have done their work; so has, in a
    repository, any program that is run."""

    use_name: ClassVar[str] = "errors"

    kinds: tuple[FailureKind, ...] = Field(default=get_args(FailureKind), min_length=1)
    """`unread`: no action could be read, or no tool takes it; `refused` by the sandbox; `editor`: nothing was edited or
    shown; `timeout`; `shell`: no such program, file or option; `exit`: another exit code that is not 0; `traceback`."""

    def mark(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `repo` and `n_faults`."""
        import polars as pl

        suspect = any_message(pl.element().str.contains(SUSPECT)) | (pl.col("n_faults") > 0)
        return marked(suspect, self._marks, "messages", "agent", "tools", "repo")

    def _marks(
        self, messages: list[str], agent: str | None, tools: list[str] | None, repo: str | None
    ) -> dict[int, str]:
        found: dict[int, str] = {}
        for action in actions(messages, agent or "", tools or ()):
            failed = failure(action, repo=bool(repo)) if action.place not in found else None
            if failed is not None and failed.kind in self.kinds:
                found[action.place] = f"errors: {failed}"
        return found
