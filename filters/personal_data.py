"""Drops attempts that show data of persons."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from datafactory.spec import Spec
from filters.personal_kinds import NATIONAL, SCREEN, Kind, personal_in
from filters.spoken import ROLES, Role, any_message, judged, passages, task_text

if TYPE_CHECKING:
    import polars as pl


class PersonalData(Spec):
    """Drops attempts in which addresses or numbers stand that could be a person's, said by whomever.

    What stands in the task itself was made up with it and does not count, nor does what documentation uses
    (`example.com`, test cards). A reason names kinds and numbers, never the data."""

    use_name = "personal_data"
    rowwise: ClassVar[bool] = True

    kinds: tuple[Kind, ...] = Field(default=("email", "phone", "card", "iban"), min_length=1)
    """What is looked for; `ip` (public addresses) only where named: logs are full of them, and versions look alike."""
    max_values: int = Field(default=0, ge=0)
    """Different finds that an attempt may have, of all kinds together."""
    roles: tuple[Role, ...] = Field(default=ROLES, min_length=1)
    """Whose messages are searched."""
    region: str | None = None
    """Country (two letters, such as `US`) whose phone numbers are also found without `+` and code."""
    planted: bool = True
    """Whether data that stand in the task itself (prompt, files, checks, solution) are left out."""

    @field_validator("region")
    @classmethod
    def _known(cls, region: str | None) -> str | None:
        from phonenumbers import SUPPORTED_REGIONS

        if region is not None and region not in SUPPORTED_REGIONS:
            raise ValueError(f"no country with phone numbers: {region!r}; two capital letters, such as US or DE")
        return region

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, and `task` with `planted`."""
        import polars as pl

        patterns = [SCREEN[kind] for kind in self.kinds]
        if self.region is not None and "phone" in self.kinds:
            patterns.append(NATIONAL)
        test = pl.any_horizontal([pl.element().str.contains(pattern) for pattern in patterns])
        columns = ("messages", "task") if self.planted else ("messages",)
        return judged(any_message(test), self._reason, *columns)

    def _reason(self, messages: list[str], task: str | None = None) -> str | None:
        found: dict[tuple[Kind, str], str] = {}
        for said in passages(messages):
            if said.role in self.roles or not said.role:
                for find in personal_in(said.text, self.kinds, self.region):
                    found.setdefault(find, said.where)
        if found and task:
            known = set(personal_in(task_text(task), self.kinds, self.region))
            found = {find: where for find, where in found.items() if find not in known}
        if len(found) <= self.max_values:
            return None
        counts = Counter(kind for kind, _ in found)
        listed = ", ".join(f"{counts[kind]} {kind}" for kind in self.kinds if counts[kind])
        return (
            f"personal_data: {len(found)} values > {self.max_values} ({listed}; first in {next(iter(found.values()))})"
        )
