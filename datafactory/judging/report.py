"""The report on a run's judges: each judge and rubric, held against the verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafactory.judging.resampling import Estimate
from datafactory.judging.truth import Truth, truth_of

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Standing:
    """One judge with one rubric, and what is true of it."""

    rubric: str
    judge: str
    scores: int
    unreadable: int
    """Scores without a number."""
    unverified: int
    """Scores of attempts without a verdict; they count nowhere."""
    truth: Truth

    def as_json(self) -> dict[str, Any]:
        """All of it, for scripts; an estimate is `[value, low, high]`, or null where it is not defined."""
        truth, worst = self.truth, self.truth.worst
        return {
            "rubric": self.rubric,
            "judge": self.judge,
            "scores": self.scores,
            "unreadable": self.unreadable,
            "unverified": self.unverified,
            "attempts": truth.attempts,
            "tasks": truth.tasks,
            "solved": round(truth.solved, 6),
            "pairs": truth.pairs,
            "pairwise_accuracy": _json(truth.accuracy),
            "worst_domain": None if worst is None else {"domain": worst[0], "accuracy": _json(worst[1])},
            "domains": {
                name: {"accuracy": _json(found), "pairs": count} for name, (found, count) in truth.domains.items()
            },
            "roc_auc": _json(truth.auc),
            "brier": _json(truth.brier),
            "constant_brier": truth.constant_brier,
            "ece": _json(truth.ece),
            "calibration": [vars(made) for made in truth.bins],
            "best_of_k": [
                {
                    "k": best.k,
                    "tasks": best.tasks,
                    "judge": _json(best.judge),
                    "oracle": _json(best.oracle),
                    "loss": _json(best.loss),
                    "chance": round(best.chance, 6),
                }
                for best in truth.best
            ],
            "thresholds": [
                {
                    "min": found.least,
                    "kept": found.kept,
                    "precision": _json(found.precision),
                    "recall": _json(found.recall),
                }
                for found in truth.thresholds
            ],
            "notes": truth.notes,
        }


def _json(found: Estimate | None) -> list[float] | None:
    return None if found is None else found.as_json()


def standings(rows: pl.DataFrame) -> list[Standing]:
    """Every judge with every rubric, by name. `rows`: as in `Scored.rows`."""
    import polars as pl

    made = []
    for (rubric, judge), of in sorted(rows.partition_by("name", "judge", as_dict=True).items()):
        readable = pl.col("value").is_finite() & pl.col("value").is_not_null()
        known = of.filter(readable & pl.col("reward").is_not_null())
        unreadable = of.height - of.filter(readable).height
        truth = truth_of(known)
        made.append(Standing(rubric, judge, of.height, unreadable, of["reward"].null_count(), truth))
    return made
