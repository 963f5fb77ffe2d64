"""Quality bars: what a regeneration must reach, or it is held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SAME = ("duplicate", "near_duplicate")
"""Filters that drop what is there already, in the run or in an earlier release."""
LEAKED = ("decontaminate",)
"""Filters that drop what a benchmark holds."""


class Bars(BaseModel):
    """Each is left out where nothing is asked. A figure that the run does not have does not reach its bar."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: int | None = Field(default=None, ge=1)
    """The least rows of the dataset."""
    soundness: float | None = Field(default=None, ge=0, le=1)
    """The least share of drafts that proved sound."""
    kept: float | None = Field(default=None, ge=0, le=1)
    """The least share of attempts that became rows: the yield."""
    solved_min: float | None = Field(default=None, ge=0, le=1)
    """The least share of judged attempts that were solved: fewer, and tasks or boxes may be broken."""
    solved_max: float | None = Field(default=None, ge=0, le=1)
    """The largest: more, and the tasks have become too easy, or the checks."""
    duplicates: float | None = Field(default=None, ge=0, le=1)
    """The largest share of rows that `duplicate` and `near_duplicate` dropped; the latter compares with earlier
    releases by its `against`."""
    contamination: float | None = Field(default=None, ge=0, le=1)
    """The largest share of rows that `decontaminate` dropped."""

    def missed(self, facts: Mapping[str, float | int | None]) -> list[str]:
        """Why a run with these facts falls short, a line for each bar; none: it does not."""
        least = {"rows": self.rows, "soundness": self.soundness, "kept": self.kept, "solved": self.solved_min}
        most = {"solved": self.solved_max, "duplicates": self.duplicates, "contamination": self.contamination}
        said = []
        for bars, word in ((least, "under"), (most, "over")):
            for name, bar in bars.items():
                if bar is None:
                    continue
                value = facts.get(name)
                if value is None:
                    said.append(f"{name}: the run has no such figure, and the bar is {_shown(bar)}")
                elif (value < bar) if word == "under" else (value > bar):
                    said.append(f"{name}: {_shown(value)} is {word} the bar of {_shown(bar)}")
        return said


def measured(shown: Mapping[str, Any]) -> dict[str, float | int | None]:
    """The facts that bars are held against, of what `datafactory show --json` says of a run."""
    steps = shown["funnel"]
    return {
        "rows": shown["rows"],
        "soundness": _share(steps["sound"], steps["made"]),
        "kept": _share(shown["rows"], steps["tried"]),
        "solved": _share(steps["solved"], shown["judged"]),
        "duplicates": _dropped(shown["stages"], SAME),
        "contamination": _dropped(shown["stages"], LEAKED),
    }


def _dropped(stages: list[dict[str, Any]], filters: tuple[str, ...]) -> float | None:
    """The share that filters dropped of all rows that came to their stage; None: no `select` has run."""
    for stage in stages:
        if stage["stage"] == "select" and stage["state"] == "complete":
            all_rows = stage["records"] + sum(stage["rejected"].values())
            return _share(sum(stage["rejected"].get(name, 0) for name in filters), all_rows)
    return None


def _share(part: int | None, whole: int | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
