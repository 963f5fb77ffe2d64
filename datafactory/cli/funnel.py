"""The funnel of a run, counted from what lies on disk: made, sound, tried, solved, kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datafactory.calls import CALLS, Spending, spending
from datafactory.cli.changes import reasons
from datafactory.cli.costs import Costs
from datafactory.errors import StorageError, boundary
from datafactory.storage import FAILURES, RECORDS, REJECTED, REJECTS, RunFolder, StageFolder, is_task
from datafactory.types import Trial

STEPS = ("made", "sound", "tried", "solved", "kept")


def is_attempt(row: Mapping[str, Any]) -> bool:
    """Whether a record is a trajectory."""
    return all(key in row for key in ("task_id", "attempt", "messages", "stop"))


def is_trial(row: Mapping[str, Any]) -> bool:
    """Whether a record is a student's trial."""
    return "student" in row and is_attempt(row.get("attempt") or {})


@dataclass
class StageTally:
    """What one stage's folder holds."""

    stage: str
    folder: str
    state: str
    """`complete`; `short`: items were lost and are not done since; `begun`; `new`: nothing is there."""
    records: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason."""
    reasons: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of filters, by their names: kinds of reasons, each with `rows`, a `reason` that stands for it, and some `ids`."""
    gathered: list[dict[str, Any]] = field(default_factory=list)
    """Of `gather`: its sources, as the manifest tells of them."""
    lost: Counter[str] = field(default_factory=Counter)
    """By boundary."""
    errors: dict[str, str] = field(default_factory=dict)
    """The last error at each boundary."""
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How far filters are right that can say it, by their names (`Measured`)."""


@dataclass
class Funnel:
    """A run in numbers; memory does not grow with its records."""

    name: str
    path: str
    seed: int
    stages: list[StageTally] = field(default_factory=list)
    generators: dict[str, Counter[str]] = field(default_factory=dict)
    """For each generator, `STEPS` and `judged`."""
    reached: set[str] = field(default_factory=set)
    """Which of `STEPS` the run has come to: a step that is not reached has no number, not 0."""
    stops: Counter[str] = field(default_factory=Counter)
    teachers: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    """Those that acted, by the attempts that each made."""
    spending: Spending = field(default_factory=Spending)
    """What the run's ledger says of its teachers."""
    held_out: Counter[str] = field(default_factory=Counter)
    """Tasks that are kept for evaluation, by what is held out with them: `combination` or `task`."""
    turns: int = 0
    rewards: float = 0.0
    judged: int = 0
    dataset: str | None = None
    """The table of the last columnar stage."""
    rows: int | None = None
    """Rows of `dataset`."""

    def total(self, step: str) -> int | None:
        """A step over all generators; None: not reached."""
        return sum(c[step] for c in self.generators.values()) if step in self.reached else None

    @property
    def mean_reward(self) -> float | None:
        """Over the attempts that were judged."""
        return self.rewards / self.judged if self.judged else None

    @property
    def mean_turns(self) -> float | None:
        """Over all attempts."""
        tried = self.total("tried")
        return self.turns / tried if tried else None

    @property
    def costs(self) -> Costs:
        """What was spent, and what came of it."""
        accepted = self.total("solved") if self.rows is None else self.rows
        return Costs(self.spending, accepted, kept=self.rows is not None, tried=self.total("tried"))

    def add(self, generator: str, step: str, count: int = 1) -> None:
        """Count something of a generator's."""
        self.reached.add(step)
        self.generators.setdefault(generator or "(unknown)", Counter())[step] += count

    def as_json(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return {
            "run": self.path,
            "name": self.name,
            "seed": self.seed,
            "funnel": {step: self.total(step) for step in STEPS},
            "judged": self.judged,
            "held_out": dict(self.held_out),
            "generators": {
                name: {step: counts[step] if step in self.reached else None for step in STEPS}
                for name, counts in sorted(self.generators.items())
            },
            "stages": [
                {
                    "stage": s.stage,
                    "folder": s.folder,
                    "state": s.state,
                    "records": s.records,
                    "rejected": dict(s.rejected.most_common()),
                    "reasons": s.reasons,
                    "gathered": s.gathered,
                    "lost": dict(s.lost.most_common()),
                    "errors": {what: s.errors[what] for what in s.lost},
                    "measured": s.measured,
                }
                for s in self.stages
            ],
            "stops": dict(self.stops.most_common()),
            "teachers": dict(self.teachers.most_common()),
            "models": dict(self.models.most_common()),
            "mean_reward": None if self.mean_reward is None else round(self.mean_reward, 6),
            "mean_turns": None if self.mean_turns is None else round(self.mean_turns, 3),
            "dataset": self.dataset,
            "rows": self.rows,
            "spent": self.costs.as_json(),
        }


def count(run: RunFolder) -> Funnel:
    """Count a run, whether it is finished or not; it may be written to at the same time. Raises DataError."""
    funnel = Funnel(run.name, str(run.path), run.seed, spending=spending(run.path / CALLS))
    for stage in run.stages:
        tally = StageTally(stage.name, str(stage.path), _state(stage))
        funnel.stages.append(tally)
        if tally.state == "new":
            continue
        tally.measured = (stage.manifest or {}).get("measured", {})
        tally.gathered = (stage.manifest or {}).get("gathered", [])
        lost: dict[str, str] = {}
        for row in stage.failures():
            what = str(row.get("boundary") or row.get("kind"))
            lost[str(row.get("key"))] = what
            tally.errors[what] = str(row.get("error"))
        _count_records(funnel, tally, stage, lost)
        _count_rejects(funnel, tally, stage, lost)
        if stage.table.exists() and not (stage.path / RECORDS).exists():
            _count_table(funnel, tally, stage)
        tally.lost = Counter(lost.values())
        if tally.lost and tally.state == "begun":
            tally.state = "short"
    return funnel


def _count_records(funnel: Funnel, tally: StageTally, stage: StageFolder, lost: dict[str, str]) -> None:
    first, new = "tried" not in funnel.reached, "sound" not in funnel.reached
    judged: Counter[str] = Counter()
    solved: Counter[str] = Counter()
    rewards = 0.0
    for row in stage.records():
        tally.records += 1
        if is_task(row):
            lost.pop(str(row.get("id")), None)
            if new:  # a later stage says more of the same tasks
                generator = (row.get("source") or {}).get("generator", "")
                funnel.add(generator, "made")
                funnel.add(generator, "sound")
                if row.get("held_out"):
                    funnel.held_out[row["held_out"]] += 1
        elif is_trial(row):
            lost.pop(Trial.key_of(row), None)
        elif is_attempt(row):
            lost.pop(f"{row['task_id']}/{row['attempt']}", None)
            if first:
                _count_attempt(funnel, row)
            if (verdict := row.get("verdict")) is not None:
                judged[row.get("generator", "")] += 1
                solved[row.get("generator", "")] += verdict["reward"] == 1.0
                rewards += verdict["reward"]
    # A later stage judges the same attempts again, or hands their verdicts on: they take the place of those before,
    # once they are as many.
    if judged and (tally.state == "complete" or sum(judged.values()) >= funnel.judged):
        for counts in funnel.generators.values():
            counts["solved"] = 0
        for name, number in solved.items():
            funnel.add(name, "solved", number)
        funnel.judged, funnel.rewards = sum(judged.values()), rewards


def _state(stage: StageFolder) -> str:
    if stage.manifest is not None:
        return "complete"
    return "begun" if any((stage.path / name).exists() for name in (RECORDS, REJECTS, FAILURES)) else "new"


def _count_attempt(funnel: Funnel, row: Mapping[str, Any]) -> None:
    funnel.add(row.get("generator", ""), "tried")
    funnel.stops[row["stop"]] += 1
    funnel.teachers[row.get("teacher", "")] += 1
    funnel.models[(row.get("lineage") or {}).get("model", "")] += 1
    funnel.turns += sum(message["role"] == "assistant" for message in row["messages"])


def _count_rejects(funnel: Funnel, tally: StageTally, stage: StageFolder, lost: dict[str, str]) -> None:
    drafting = stage.number == 1
    for row in stage.rejects():
        lost.pop(str(row.get("key")), None)
        reason = str(row.get("reason"))
        tally.rejected[reason] += 1
        if drafting and "#" in str(row.get("key")):  # a slot's own row is no draft
            funnel.add(row.get("generator", ""), "made")


def _count_table(funnel: Funnel, tally: StageTally, stage: StageFolder) -> None:
    import polars as pl

    with boundary(StorageError, f"reading {stage.table}"):
        rows = pl.scan_parquet(stage.table)
        kept = rows.group_by("generator").len().collect() if "generator" in rows.collect_schema() else None
        tally.records = rows.select(pl.len()).collect().item()
        dropped = stage.table.with_name(REJECTED)
        if dropped.exists():
            gone = pl.scan_parquet(dropped).select("id", "filter", "reason").collect(engine="streaming")
            tally.rejected = Counter(gone["filter"].to_list())
            tally.reasons = {name: reasons(gone.filter(filter=name), "reason") for name in tally.rejected}
    if funnel.stages[0] is tally and kept is not None:
        _count_gathered(funnel, stage)
    # A table that drops nothing tells no more than the one before: arrange repeats rows.
    if kept is not None and (funnel.dataset is None or dropped.exists()):
        funnel.reached.add("kept")
        for counts in funnel.generators.values():
            counts["kept"] = 0
        for generator, number in kept.iter_rows():
            funnel.add(generator, "kept", number)
    funnel.dataset, funnel.rows = str(stage.table), tally.records


def _count_gathered(funnel: Funnel, stage: StageFolder) -> None:
    """Attempts that a run begins with: tried and judged elsewhere."""
    import polars as pl

    counted = (
        pl.scan_parquet(stage.table)
        .group_by("generator", "teacher", "model", "stop", "solved")
        .agg(rows=pl.len(), turns=pl.col("n_turns").sum(), reward=pl.col("reward").sum())
        .collect(engine="streaming")
    )
    for row in counted.iter_rows(named=True):
        rows = row["rows"]
        funnel.add(row["generator"] or "", "tried", rows)
        for counts, name in ((funnel.stops, "stop"), (funnel.teachers, "teacher"), (funnel.models, "model")):
            counts[row[name] or "(unknown)"] += rows
        funnel.turns += row["turns"]
        if row["solved"] is not None:
            funnel.add(row["generator"] or "", "solved", rows if row["solved"] else 0)
            funnel.judged += rows
            funnel.rewards += row["reward"]
