"""One student's trials, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from datafactory import __version__
from datafactory.errors import TeacherError, boundary
from datafactory.evaluating.held_out import Exam
from datafactory.evaluating.numbers import Asked, number_in, prompt
from datafactory.holding_out import combination_of
from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.stages.acting import Acting
from datafactory.stages.live import line_to
from datafactory.stages.verify import judged_attempt
from datafactory.types import (
    CheckResult,
    Lineage,
    Message,
    Model,
    Pupil,
    Reply,
    Stop,
    Trajectory,
    Trial,
    Verdict,
    digest_of,
)


@dataclass(frozen=True)
class Sitting:
    """A student at its exams."""

    stage: Acting
    judge: Teacher | None
    pupil: Pupil
    model: Model
    teacher: Teacher
    """Who answers for it."""
    served: bool
    """Whether that is the student itself, and nobody who stands in."""
    run: Run[Any]

    @cached_property
    def scope(self) -> str:
        """Of its calls in the ledger. A student that was trained anew in the same folder is another one, and must not
        get the answers of the first."""
        return f"evaluate:{digest_of(self.model.model_dump(mode='json'), 12)}:{self.pupil}"

    async def attempts(self, exam: Exam, number: int) -> Trial:
        """One attempt at a task, judged. Raises TeacherError, SandboxError, SearchError."""
        stage, scope = self.stage, f"{self.scope}:{exam.task.id}/{number}"
        place = await stage.place(self.run, exam.agent)
        made = await stage.attempt(
            exam.task, number, self.teacher, run=self.run, place=place, agent=exam.agent, scope=scope
        )
        made = await judged_attempt(
            made, exam.task, self.run, sandbox=stage.sandbox, judge=self.judge, scope=f"{scope}:judge"
        )
        return self._trial(made, exam)

    async def answers(self, asked: Asked) -> Trial:
        """One answer to a question, judged. Raises TeacherError."""
        seed = int(digest_of([self.run.seed, asked.id]), 16) % (1 << 31)
        episode = Episode(id=f"{asked.id}/0", seed=seed)
        line = await line_to(self.run, self.teacher, scope=f"{self.scope}:{asked.id}", episode=episode)
        question = Message(role="user", content=prompt(asked))
        with boundary(TeacherError, "asking a student"):
            reply = await line.reply([question], episode=episode)
        number, as_asked = number_in(reply.message.content)
        right = number == asked.answer
        check = CheckResult(name="answer", outcome="passed" if right else "failed", score=float(right))
        made = Trajectory(
            task_id=asked.id,
            attempt=0,
            teacher=line.teacher.name,
            agent="",
            domain=asked.file,
            messages=(question, reply.message.but(fault=None if as_asked else "no number after ####")),
            stop=_stop(reply),
            answer=None if number is None else f"{number:f}",
            verdict=Verdict(reward=float(right), checks=(check,)),
            usage=reply.usage,
            seconds=round(reply.seconds or 0.0, 3),
            lineage=Lineage(
                run=self.run.name,
                pipeline_digest=self.run.digest,
                prompt_digest=digest_of(question.content),
                model=reply.model,
                sampling=line.teacher.sampling(),
                seed=seed,
                code_version=__version__,
            ),
        )
        return self._trial(made, None)

    def _trial(self, attempt: Trajectory, exam: Exam | None) -> Trial:
        if self.served:  # the server calls it by the folder that it lies in
            name = self.model.id if self.pupil == "trained" else self.model.base_name
            attempt = attempt.but(lineage=attempt.lineage.but(model=name))
        part, combination = (exam.part, combination_of(exam.task)) if exam is not None else ("prompts", "")
        return Trial(student=self.pupil, part=part, combination=combination, attempt=attempt)


def _stop(reply: Reply) -> Stop:
    if reply.finish == "context":
        return "context_limit"
    return "truncated" if reply.cut else "submitted"
