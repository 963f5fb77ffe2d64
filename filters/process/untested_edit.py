"""Drops attempts at repositories that hand in an edit after which nothing was tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from datafactory.spec import Spec
from filters.actions import Action, actions, changes
from filters.actions.changes import changes_of
from filters.actions.testing import run_of
from filters.process.patches import among, is_prose
from filters.spoken import judged
from filters.swe.looking.lines import commands

if TYPE_CHECKING:
    import polars as pl


class UntestedEdit(Spec):
    """Drops attempts at SWE tasks in which no test was run after the last edit of a file that is handed in.

    Attempts in a sandbox where nothing may be executed pass, and so do edits of documents and of files that are not in
    the patch in the end."""

    use_name: ClassVar[str] = "untested_edit"
    rowwise: ClassVar[bool] = True

    programs: bool = True
    """Whether any program that is run counts as a test: a script that shows the bug, code on the line."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `repo`, `model_patch`, `violations` and `lineage`."""
        import polars as pl

        sandbox = pl.col("lineage").str.json_path_match("$.sandbox").fill_null("")
        executes = (sandbox != "no_execution") & (pl.col("violations").list.len().fill_null(0) == 0)
        patched = pl.col("model_patch").str.strip_chars().fill_null("") != ""
        asked = (pl.col("repo").fill_null("") != "") & patched & executes
        return judged(asked, self._reason, "model_patch", "messages", "agent", "tools")

    def _reason(self, patch: str, messages: list[str], agent: str | None, tools: list[str] | None) -> str | None:
        from datafactory.formats.diff_paths import diff_paths

        paths = [path for path in diff_paths(patch) if not is_prose(path)]
        waiting: tuple[int, str] | None = None
        for action in actions(messages, agent or "", tools or ()):
            for what, path in _events(action):
                if what == "tests" or (what == "program" and self.programs):
                    waiting = None
                elif what == "edit" and among(path, paths):
                    waiting = action.place, path
        if waiting is None:
            return None
        return f"untested_edit: {waiting[1]} was edited in message {waiting[0] + 1}, and not tested after that"


def _events(action: Action) -> Iterator[tuple[Literal["edit", "tests", "program", ""], str]]:
    """Edits and runs of an action, in order; code that writes a file is an edit."""
    if action.kind != "command":
        yield from (("edit", change.path) for change in changes(action))
        return
    for command in commands(action.text):
        made = list(changes_of(command))
        yield from (("edit", change.path) for change in made)
        if not any(change.how == "program" for change in made):
            yield run_of(command), ""
