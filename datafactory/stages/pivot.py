"""Pivot: finds the turns of attempts at which a policy is sometimes right and sometimes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from datafactory import __version__
from datafactory.local import CORES
from datafactory.pivots import Differs, Match, Spread, candidates
from datafactory.protocols import Sandbox, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.profiling import Answers, Moment, Scorer, answers
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import LocalRollout, Pivot, Record, Reject, Task, Trajectory, digest_of


class FindPivots(Stage):
    """Makes pivots of attempts (PivotRL, arXiv 2603.21383): at each turn a policy answers the same history several
    times, and nothing follows on its answers. Turns stay at which some answers do what the expert did and some do not.

    An answer is right where it does the same as the expert's turn: by what it does, by what comes of it in a box that
    was restored (`execute`), or by a judge's word (docs/pivots.md).
    """

    use_name: ClassVar[str] = "pivot"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Pivot

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """The policy that is profiled: the student before its training, usually; left out: the pipeline's teacher."""
    attempts: Literal["solved", "all"] = "solved"
    """Whose turns are an expert's: those of attempts that were solved, or of all."""
    turns: int | None = Field(default=8, ge=1)
    """Turns of each attempt that are looked at, at most; each costs `rollouts` calls. Null: all."""
    spread: Spread = "even"
    """Which turns, where there are more: `even` takes the first, the last and some between them, `drawn` draws."""
    rollouts: int = Field(default=8, ge=2)
    """Answers at each turn; PivotRL takes 8."""
    max_mean: float = Field(default=0.75, gt=0, le=1)
    """Turns at which this share of the answers is right, or more, are too easy (the paper's lambda; the number here is
    our own)."""
    match: Match = Match()
    """How near an answer must come: `command`, `edit`, `view`, `query` (docs/pivots.md)."""
    execute: bool = False
    """Whether other actions are carried out, and count where the same comes of them. Each costs a box in which the
    turns before are carried out again. Questions have no box."""
    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where they are carried out; left out: the pipeline's."""
    command_seconds: float = Field(default=60.0, gt=0)
    """What one command may take there at most."""
    judge: Annotated[Teacher | None, Component("teacher")] = None
    """Who has the last word on answers that nothing else showed to be right; left out: they are wrong."""
    judge_chars: int = Field(default=20_000, ge=2000)
    """Characters of the history that the judge is shown."""
    at_once: int = Field(default=min(64, 8 * CORES), ge=1, exclude=True)
    """Turns at a time; with `execute` each holds a box."""

    def wants(self) -> Set[str]:
        """A policy, and a sandbox to carry out actions."""
        return {"teacher", "sandbox"} if self.execute else {"teacher"}

    def expected(self, before: int | None) -> int | None:
        """Turns, at most; None: nobody knows how many attempts will have."""
        return None if before is None or self.turns is None else before * self.turns

    def calls(self, items: int) -> str:
        """Calls of the policy, and at most a box, and a judge's word, for each; one box more for the expert."""
        asked = [f"at most {items * self.rollouts:,} teacher calls"]
        if self.execute:
            asked.append(f"{items * (self.rollouts + 1):,} boxes")
        if self.judge is not None:
            asked.append(f"{items * self.rollouts:,} calls of the judge")
        return ", ".join(asked)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Profile turns as attempts come."""
        assert source is not None

        async def turns() -> AsyncIterator[tuple[str, Moment | Reject]]:
            async for attempt in source.follow():
                for found in self._of(attempt, run):
                    yield found.key, found

        async def profile(key: str, item: Moment | Reject) -> Pivot | Reject:
            return item if isinstance(item, Reject) else await self._profiled(item, run)

        await run.each(turns(), profile, at_once=self.at_once)

    def _of(self, attempt: Trajectory, run: Run[Any]) -> list[Moment | Reject]:
        """The turns to look at, or why there are none."""
        if self.attempts == "solved" and attempt.verdict is None:
            return [
                Reject(
                    key=attempt.id,
                    reason="not_verified",
                    detail="no verdict; put `verify` before, or take `attempts: all`",
                )
            ]
        if self.attempts == "solved" and attempt.verdict is not None and not attempt.verdict.solved:
            return [Reject(key=attempt.id, reason="not_solved", detail=f"reward {attempt.verdict.reward:g}")]
        found = candidates(attempt, most=self.turns, spread=self.spread, seed=run.seed)
        if not found:
            return [Reject(key=attempt.id, reason="no_turns", detail="no turn does anything that can be understood")]
        task = run.find(Task, attempt.task_id)
        return [Moment(attempt, task, turn, place) for turn, place in found]

    async def _profiled(self, moment: Moment, run: Run[Any]) -> Pivot | Reject:
        assert self.teacher is not None
        given = await answers(moment, self.teacher, run, count=self.rollouts)
        scorer = Scorer(
            moment,
            run,
            self.match,
            sandbox=self.sandbox if self.execute else None,
            command_seconds=self.command_seconds,
            judge=self.judge,
            judge_chars=self.judge_chars,
        )
        scored = await scorer.score(given.replies)
        if isinstance(scored, Differs):
            return Reject(reason="replay_differs", detail=scored.where, generator=moment.attempt.generator)
        pivot = self._pivot(moment, given, scored, scorer.verifier, run)
        return _reject(pivot) or pivot

    def _pivot(self, moment: Moment, given: Answers, scored: list[LocalRollout], verifier: str, run: Run[Any]) -> Pivot:
        attempt = moment.attempt
        passed = sum(rollout.score == 1.0 for rollout in scored)
        mean = passed / len(scored)
        lineage = attempt.lineage.but(
            run=run.name,
            pipeline_digest=run.digest,
            prompt_digest=digest_of([message.wire() for message in moment.history]),
            model=given.replies[-1].model,
            model_revision="",
            sampling=given.teacher.sampling(),
            seed=run.seed,
            code_version=__version__,
        )
        return Pivot(
            task_id=attempt.task_id,
            attempt=attempt.attempt,
            turn=moment.turn,
            turns=attempt.turns,
            agent=attempt.agent,
            domain=attempt.domain,
            generator=attempt.generator,
            messages=tuple(message.but(logprobs=None) for message in moment.history),
            tools=attempt.tools,
            expected=moment.expected.but(logprobs=None),
            expert=attempt.teacher,
            expert_model=attempt.lineage.model,
            reward=attempt.verdict.reward if attempt.verdict is not None else None,
            policy=given.teacher.name,
            rollouts=tuple(scored),
            passed=passed,
            total=len(scored),
            mean=round(mean, 6),
            variance=round(mean * (1 - mean), 6),
            max_mean=self.max_mean,
            verifier=verifier,
            usage=given.usage,
            lineage=lineage,
        )


def _reject(pivot: Pivot) -> Reject | None:
    """Why a turn is no pivot; None: it is one. The history is left out of what stays on file: the attempt has it."""
    said = f"{pivot.passed} of {pivot.total} answers do what the expert did"
    if pivot.passed == 0:
        reason = "never_right"
    elif pivot.passed == pivot.total:
        reason = "always_right"
    elif pivot.mean >= pivot.max_mean:
        reason, said = "too_easy", f"{said}: {pivot.mean:.2f} >= {pivot.max_mean:g}"
    else:
        return None
    what = pivot.model_dump(mode="json", exclude={"messages", "tools"})
    return Reject(reason=reason, detail=said, generator=pivot.generator, what=what)
