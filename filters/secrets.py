"""Drops attempts that show a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from datafactory.spec import Spec
from filters.secret_kinds import KINDS, OWN, PLUGINS, SCREEN, secrets_in
from filters.spoken import ROLES, Role, any_message, judged, passages, task_text

if TYPE_CHECKING:
    import polars as pl


def _kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"no kind of secret: {name!r}; one of: {', '.join(KINDS)}")
    return name


class Secrets(Spec):
    """Drops attempts in which keys, tokens or passwords stand that look like real ones, said by whomever.

    By the rules of detect-secrets (Yelp; the fork that Bridgecrew keeps) and a few more, without its detectors by
    entropy. A reason names the kind and the place, never the secret."""

    use_name = "secrets"
    rowwise: ClassVar[bool] = True

    allow: tuple[Annotated[str, AfterValidator(_kind)], ...] = ()
    """Kinds that stay."""
    roles: tuple[Role, ...] = Field(default=ROLES, min_length=1)
    """Whose messages are searched."""
    planted: bool = True
    """Whether a secret stays that stands in the task itself (prompt, files, checks, solution), as bait or as data."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, and `task` with `planted`."""
        import polars as pl

        kinds = self._kinds()
        literals = [word for kind in kinds for word in (PLUGINS[kind][2] if kind in PLUGINS else OWN[kind][1])]
        test = pl.element().str.contains_any(literals) if literals else pl.lit(False)
        patterns = [SCREEN[kind] for kind in kinds if kind in SCREEN]
        if patterns:
            test |= pl.element().str.contains("|".join(patterns))
        columns = ("messages", "task") if self.planted else ("messages",)
        return judged(any_message(test), self._reason, *columns)

    def _kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in KINDS if kind not in self.allow)

    def _reason(self, messages: list[str], task: str | None = None) -> str | None:
        found: dict[str, tuple[str, str]] = {}
        for said in passages(messages):
            if said.role in self.roles or not said.role:
                for kind, value in secrets_in(said.text, self._kinds()):
                    found.setdefault(value, (kind, said.where))
        if found and task:
            known = task_text(task)
            found = {value: what for value, what in found.items() if value not in known}
        if not found:
            return None
        kind, where = next(iter(found.values()))
        return f"secrets: {len(found)} found, first of kind {kind} ({where})"
