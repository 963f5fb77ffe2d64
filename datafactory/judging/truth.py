"""Judges held against execution: how far scores agree with the verdicts on the same attempts.

The measures are those of PPE (arXiv 2410.14872): pairwise accuracy, its worst domain, ROC AUC, and what the best of k
by the judge's word loses against the best there is; with Brier score and calibration, where scores are chances.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from datafactory.judging.ranking import best_of, pairs
from datafactory.judging.resampling import Estimate, estimates

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    Array = np.ndarray[Any, Any]

BINS = 10
"""Bins of the calibration curve, equally wide."""
DOMAIN_PAIRS = 10
"""Pairs that a domain needs to be the worst one: below, chance decides which is."""
MOST_K = 32
"""Of the best-of-k curve (PPE's k)."""
MOST_THRESHOLDS = 20


@dataclass(frozen=True)
class Bin:
    """Attempts with scores between two edges."""

    low: float
    high: float
    count: int
    said: float
    """Mean score."""
    solved: float
    """Share that the checks found solved."""


@dataclass(frozen=True)
class Threshold:
    """What a filter would do that keeps attempts with at least this score."""

    least: float
    kept: int
    precision: Estimate | None
    """Share of the kept that is solved; None: nothing is kept in too many draws."""
    recall: Estimate | None
    """Share of the solved that is kept; None: none is solved."""


@dataclass(frozen=True)
class BestOf:
    """The reward to expect of the best of k attempts, over the tasks that have as many."""

    k: int
    tasks: int
    judge: Estimate
    """The best by the judge's word."""
    oracle: Estimate
    """The best by the verdict: the most there is."""
    loss: Estimate
    """What the judge's choice loses."""
    chance: float
    """Any attempt."""


@dataclass(frozen=True)
class Curves:
    """What the plots are drawn from: at each score, from the highest, the shares of solved and unsolved kept."""

    scores: list[float] = field(default_factory=list)
    solved_kept: list[float] = field(default_factory=list)
    unsolved_kept: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Truth:
    """What can be said of one judge; what is not defined for its attempts is None, and `notes` say why."""

    attempts: int
    tasks: int
    solved: float
    """Share of the attempts."""
    pairs: int
    """Pairs of attempts at one task with different rewards."""
    accuracy: Estimate | None = None
    auc: Estimate | None = None
    brier: Estimate | None = None
    constant_brier: float | None = None
    """The Brier score of saying the share of solved attempts of each one."""
    ece: Estimate | None = None
    bins: list[Bin] = field(default_factory=list)
    domains: dict[str, tuple[Estimate, int]] = field(default_factory=dict)
    """Pairwise accuracy by domain, and its pairs."""
    best: list[BestOf] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    curves: Curves = field(default_factory=Curves)
    notes: list[str] = field(default_factory=list)

    @property
    def worst(self) -> tuple[str, Estimate, int] | None:
        """The domain with the lowest pairwise accuracy of those with enough pairs; None: there is none."""
        enough = [(name, found, count) for name, (found, count) in self.domains.items() if count >= DOMAIN_PAIRS]
        return min(enough, key=lambda item: (item[1].value, item[0])) if enough else None


def truth_of(rows: pl.DataFrame) -> Truth:
    """Hold the scores of one judge against verdicts.

    `rows`: an attempt a row, all with a score and a verdict: `task_id`, `domain`, `reward` (0 to 1), `value`. Solved is
    a reward of 1, as everywhere; pairs and best-of-k use the reward itself.
    """
    if not rows.height:
        return Truth(0, 0, 0.0, 0, notes=["no attempt has both a score that can be read and a verdict"])
    return _Held(rows).truth()


class _Held:
    """The rows as arrays, and what is worked out of them once."""

    def __init__(self, rows: pl.DataFrame) -> None:
        import numpy as np

        _, first, self.task = np.unique(rows["task_id"].to_numpy(), return_index=True, return_inverse=True)
        self.reward, self.value = rows["reward"].to_numpy(), rows["value"].to_numpy()
        self.solved = self.reward == 1.0
        named = rows["domain"].fill_null("").to_numpy()[first].astype(str)
        self.domains, self.domain = np.unique(named, return_inverse=True)
        self.levels, self.level = np.unique(self.value, return_inverse=True)
        self.right, self.pairs = pairs(self.task, self.value, self.reward)
        self.chances = bool(self.value.min() >= 0 and self.value.max() <= 1)
        self.bin = np.minimum((self.value * BINS).astype(int), BINS - 1) if self.chances else None
        most = int(np.bincount(self.task).max())
        self.ks = list(range(1, min(most, MOST_K) + 1)) if most > 1 else []
        self.best = {k: best_of(self.task, self.value, self.reward, k) for k in self.ks}
        self.oracle = {k: best_of(self.task, self.reward, self.reward, k) for k in self.ks}
        self.asked = self._asked()

    def _asked(self) -> Array:
        """Places in `levels` of the thresholds that are told."""
        import numpy as np

        if len(self.levels) <= MOST_THRESHOLDS:
            return np.arange(len(self.levels))
        of = np.quantile(self.value, np.linspace(0, 1, MOST_THRESHOLDS), method="lower")
        return np.unique(np.searchsorted(self.levels, of))

    def statistics(self, weights: Array) -> dict[str, float]:
        """All numbers of a sample that has each task so often."""
        import numpy as np

        row = weights[self.task]
        with np.errstate(invalid="ignore", divide="ignore"):
            made = {"accuracy": np.divide(weights @ self.right, weights @ self.pairs)}
            right, of = (np.bincount(self.domain, weights * counts) for counts in (self.right, self.pairs))
            made |= {f"domain:{name}": share for name, share in zip(self.domains, right / of, strict=True)}
            good = np.bincount(self.level, row * self.solved)
            bad = np.bincount(self.level, row * ~self.solved)
            made["auc"] = (good * (np.cumsum(bad) - bad / 2)).sum() / np.float64(good.sum() * bad.sum())
            kept = np.cumsum(good[::-1])[::-1], np.cumsum((good + bad)[::-1])[::-1]
            for place in self.asked:
                made[f"precision:{place}"] = kept[0][place] / kept[1][place]
                made[f"recall:{place}"] = kept[0][place] / kept[0][0]
            if self.bin is not None:
                made["brier"] = row @ (self.value - self.solved) ** 2 / row.sum()
                off = np.bincount(self.bin, row * (self.value - self.solved))
                made["ece"] = np.abs(off).sum() / row.sum()
            for k in self.ks:
                there = ~np.isnan(self.best[k])
                count = weights[there].sum()
                made[f"best:{k}"] = weights[there] @ self.best[k][there] / count
                made[f"oracle:{k}"] = weights[there] @ self.oracle[k][there] / count
                made[f"loss:{k}"] = made[f"oracle:{k}"] - made[f"best:{k}"]
        return made

    def truth(self) -> Truth:
        """Everything, with intervals."""

        tasks = len(self.right)
        found = estimates(self.statistics, tasks, len(self.value))
        base = float(self.solved.mean())
        made = Truth(
            attempts=len(self.value),
            tasks=tasks,
            solved=base,
            pairs=int(self.pairs.sum()),
            accuracy=found.get("accuracy"),
            auc=found.get("auc"),
            brier=found.get("brier"),
            constant_brier=base * (1 - base) if self.bin is not None else None,
            ece=found.get("ece"),
            bins=self._bins(),
            domains={
                str(name): (found[f"domain:{name}"], int(self.pairs[self.domain == place].sum()))
                for place, name in enumerate(self.domains)
                if f"domain:{name}" in found
            },
            best=[self._best(k, found) for k in self.ks],
            thresholds=[self._threshold(place, found) for place in map(int, self.asked)],
            curves=self._curves(),
        )
        return replace(made, notes=self._notes(made))

    def _bins(self) -> list[Bin]:
        import numpy as np

        if self.bin is None:
            return []
        inside = [(int(number), self.bin == number) for number in np.unique(self.bin)]
        return [
            Bin(n / BINS, (n + 1) / BINS, int(at.sum()), float(self.value[at].mean()), float(self.solved[at].mean()))
            for n, at in inside
        ]

    def _best(self, k: int, found: dict[str, Estimate]) -> BestOf:
        import numpy as np

        there = ~np.isnan(self.best[k])
        of = (found[f"best:{k}"], found[f"oracle:{k}"], found[f"loss:{k}"])
        return BestOf(k, int(there.sum()), *of, chance=float(self.best[1][there].mean()))

    def _threshold(self, place: int, found: dict[str, Estimate]) -> Threshold:
        least = float(self.levels[place])
        kept = int((self.level >= place).sum())
        return Threshold(least, kept, found.get(f"precision:{place}"), found.get(f"recall:{place}"))

    def _curves(self) -> Curves:
        import numpy as np

        good = np.cumsum(np.bincount(self.level, self.solved)[::-1])
        bad = np.cumsum(np.bincount(self.level, ~self.solved)[::-1])
        if not good[-1] or not bad[-1]:
            return Curves()
        parts = (self.levels[::-1], good / good[-1], bad / bad[-1], good / (good + bad))
        return Curves(*(part.tolist() for part in parts))

    def _says_the_same_of_a_task(self) -> bool:
        import numpy as np

        of = np.full(len(self.right), np.nan)
        of[self.task] = self.value
        return bool((of[self.task] == self.value).all())

    def _notes(self, made: Truth) -> list[str]:
        said = []
        if made.solved in (0.0, 1.0):
            word = "solved" if made.solved else "unsolved"
            said.append(
                f"all {made.attempts:,} attempts are {word}: no ROC AUC, and precision says nothing of the judge"
            )
        if not made.pairs:
            said.append("no task has attempts with different rewards: no pairwise accuracy")
        if len(self.levels) == 1:
            said.append(f"the judge gives {self.levels[0]:g} to every attempt")
        elif made.tasks < made.attempts and self._says_the_same_of_a_task():
            said.append("all attempts at a task have the same score: it is a score of tasks, and ranks no attempts")
        if self.bin is None:
            said.append("scores lie outside 0 to 1 and are no chances: no Brier score, no calibration")
        if made.auc is not None and made.auc.low <= 0.5 <= made.auc.high:
            said.append("by ROC AUC it cannot be told from guessing: 0.5 lies within the interval")
        if made.tasks < 30:
            said.append(f"only {made.tasks} tasks: the intervals are rough")
        if made.pairs and made.worst is None:
            said.append(f"no domain has {DOMAIN_PAIRS} pairs: no worst domain")
        return said
