"""Drops attempts that used git to reach other repositories, or what history holds beside the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from datafactory.spec import Spec
from filters.actions import actions
from filters.spoken import any_message, by, judged
from filters.swe.looking.lines import commands

if TYPE_CHECKING:
    import polars as pl

_SHOWN = 120


class ForbiddenGit(Spec):
    """Drops attempts at SWE tasks with commands of git that an agent at work on one commit has no use for.

    The list of Nemotron 3 Ultra's analyser. `looks_for_answer` knows more ways to look into history, and lets those
    pass that show nothing there."""

    use_name: ClassVar[str] = "forbidden_git"
    rowwise: ClassVar[bool] = True

    commands: tuple[
        Literal["push", "pull", "fetch", "clone", "cherry-pick", "reflog", "fsck", "remote", "ls-remote"], ...
    ] = Field(
        default=("push", "pull", "fetch", "clone", "cherry-pick", "reflog", "fsck", "remote", "ls-remote"), min_length=1
    )
    """Commands that drop an attempt."""
    max_commands: int = Field(default=0, ge=0)
    """Largest number of them that stays."""
    all_tasks: bool = False
    """Whether attempts at other than SWE tasks are judged too; there, git may be what a task is about."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools` and `repo`."""
        import polars as pl

        words = "|".join(map(re.escape, self.commands))
        suspect = any_message(by("assistant") & pl.element().str.contains(rf"\bgit\b.*(?:{words})"))
        if not self.all_tasks:
            suspect &= pl.col("repo").fill_null("") != ""
        return judged(suspect, self._reason, "messages", "agent", "tools")

    def _reason(self, messages: list[str], agent: str | None, tools: list[str] | None) -> str | None:
        found = list(self._used(messages, agent, tools))
        if len(found) <= self.max_commands:
            return None
        first = found[0] if len(found[0]) <= _SHOWN else f"{found[0][:_SHOWN]}…"
        over = f" > {self.max_commands}" if self.max_commands else ""
        return f"forbidden_git: {len(found)} commands{over}, first: {first}"

    def _used(self, messages: list[str], agent: str | None, tools: list[str] | None) -> Iterator[str]:
        for action in actions(messages, agent or "", tools or ()):
            if action.kind == "command" and "git" in action.text:
                for command in commands(action.text):
                    if command.program == "git" and git_command(command.arguments) in self.commands:
                        yield " ".join(command.words)


def git_command(words: tuple[str, ...]) -> str:
    """What git is told to do: the first word that is no option, nor an option's value."""
    skip = False
    for word in words:
        if not skip and not word.startswith("-"):
            return word
        skip = not skip and word in ("-C", "-c", "--git-dir", "--work-tree", "--namespace")
    return ""
