"""Tasks, from a generator's draft to a task that proved sound, and how an attempt at one is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from datafactory.types.files import Files
from datafactory.types.questions import Question
from datafactory.types.record import Record, digest_of

Outcome = Literal["passed", "failed", "crashed", "timeout"]
HeldOut = Literal["", "combination", "task"]
"""Why nobody learns from a task: its whole combination of skills is held out, or it alone; empty: it is not."""

DOMAINS = (
    "data_processing",
    "data_querying",
    "data_science",
    "debugging",
    "dependency_management",
    "file_operations",
    "scientific_computing",
    "security",
    "software_engineering",
)
"""The nine domains of Terminal-Task-Gen (arXiv 2602.21193, section 3.2)."""


_LATER = ("prepare", "collect", "question")
_ORIGIN = {"history", "facts"}
_ORIGINS = dict.fromkeys(("source", "id", "digest", "scores"), True)


class Check(Record):
    """One program that judges the state of a box after an attempt.

    Exit status 0 is a pass, 1 a failure; any other status, and an uncaught exception that is no
    AssertionError, is a crash: the check's own fault, told apart from a failure. With `reward_file`
    the score is the number that the program leaves there (Harbor's convention) and a missing or
    unreadable number is a crash.
    """

    name: str
    argv: tuple[str, ...] = Field(min_length=1)
    """Run in the box, from the task's workdir, after `files` were placed."""
    files: Files = {}
    """What the check brings along; the agent never sees it."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds."""
    weight: float = Field(default=1.0, gt=0)
    """Share in the reward, relative to the other checks (partial credit, section 3.2 there)."""
    reward_file: str | None = None
    """Path of a file that holds one number from 0 to 1 (`reward.txt`) or a flat JSON object (`reward.json`)."""


class CheckResult(Record):
    """What one check found."""

    name: str
    outcome: Outcome
    score: float = Field(ge=0, le=1)
    weight: float = 1.0
    log: str = ""
    """The end of what the check printed."""


class Verdict(Record):
    """How an attempt was judged."""

    reward: float = Field(ge=0, le=1)
    """Weighted mean of the scores; 1.0 exactly where every check passed."""
    checks: tuple[CheckResult, ...] = ()

    @property
    def solved(self) -> bool:
        """Whether every check passed."""
        return self.reward == 1.0

    @property
    def crashed(self) -> tuple[str, ...]:
        """Names of checks that broke rather than judged."""
        return tuple(c.name for c in self.checks if c.outcome == "crashed")


class Step(Record):
    """One step of a reference solution."""

    thought: str = ""
    """Why, in a sentence."""
    command: str
    """A line, or several, for bash; steps run one after another in one shell."""


class Source(Record):
    """Where a draft came from: enough to find its origin and its licence again."""

    generator: str
    """The generator's name in the pipeline file."""
    item: str = ""
    """The row, seed or file that it was made from; empty: none."""
    license: str = ""
    model: str = ""
    """The model that wrote it; empty: none did."""
    facts: dict[str, Any] = {}
    """Whatever else the generator wants kept (JSON values)."""


class Draft(Record):
    """A task as a generator makes it: not yet known to be sound."""

    prompt: str = Field(min_length=1)
    """The instruction that the agent reads."""
    image: str = "base"
    """Name of the image that the box is opened from."""
    workdir: str = "/app"
    """Where the agent's shell starts."""
    files: Files = {}
    """What lies in the box when the agent starts."""
    prepare: tuple[str, ...] = ()
    """Lines for bash that the factory runs in every box of the task once the files are in place: before an agent, and
    before the checks."""
    checks: tuple[Check, ...] = ()
    """What judges an attempt; at least one, unless the task is a question."""
    question: Question | None = None
    """Of a task that is answered from a corpus: no box is opened for it, the answer alone is judged."""
    artifacts: tuple[str, ...] = ("/app/",)
    """What is carried from the agent's box to the clean one: a file, or a whole folder (ends in ``/``)."""
    collect: tuple[str, ...] = ()
    """Lines that the factory runs in an agent's box when the attempt is over, to make artifacts of what it left."""
    solution: tuple[Step, ...] = ()
    """The reference solution; never shown to an agent."""
    skills: tuple[str, ...] = ()
    domain: str = "software_engineering"
    difficulty: Literal["easy", "medium", "hard"] = "medium"
    source: Source

    @field_validator("workdir")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith("/"):
            raise ValueError("must be an absolute path")
        return value

    @model_validator(mode="after")
    def _judged(self) -> Draft:
        if self.question is None and not self.checks:
            raise ValueError("needs at least one check, or a question")
        if self.question is not None and (self.checks or self.files or self.prepare or self.collect):
            raise ValueError("a question has no box: no checks, files, prepare or collect")
        return self

    @model_validator(mode="after")
    def _paths_absolute(self) -> Draft:
        for path in (*self.files, *self.artifacts, *(p for c in self.checks for p in c.files)):
            if not path.startswith("/") or "/../" in f"{path}/":
                raise ValueError(f"path must be absolute and free of '..': {path!r}")
        if len({c.name for c in self.checks}) != len(self.checks):
            raise ValueError("check names must differ")
        return self

    def content_digest(self) -> str:
        """Digest of everything that shapes an attempt and its judgement (not of the origin)."""
        shapes = self.model_dump(mode="json", exclude={**_ORIGINS, "question": _ORIGIN})
        # Fields that came later count only where they are used: older tasks keep their digests.
        return digest_of({key: value for key, value in shapes.items() if value or key not in _LATER})


class Score(Record):
    """What a judge says of a task or an attempt; a filter compares it later."""

    name: str
    """What was asked, such as `specificity` or the name of a rubric."""
    value: float | None = None
    """Its number, on the scale of its rubric; None: the judge gave none that can be read."""
    judge: str = ""
    """Name of the teacher that judged."""
    note: str = ""
    """Its reason, or why there is no number."""


class Task(Draft):
    """A draft that proved sound: own solution scores 1, doing nothing scores 0, repeats agree."""

    id: str
    """`<generator>-<slot>`: the same in every run of the same pipeline and seed."""
    digest: str
    """`content_digest()` of the draft."""
    scores: tuple[Score, ...] = ()
    """What judges said of the task itself; shapes no attempt."""
    held_out: HeldOut = ""
    """Whether it is kept for evaluation, and with what."""


class Reject(Record):
    """What a stage looked at and did not keep, with the reason; it stays on file."""

    key: str = ""
    """The item that it was; filled in by the run engine. A slot's try `r` has the key `<slot>#<r>`."""
    reason: str
    """A short word for the funnel, such as `solution_fails`."""
    detail: str = ""
    """One sentence or a log: what was seen."""
    generator: str = ""
    final: bool = False
    """Of a generator: no further try can fill the slot (its rows are used up)."""
    what: dict[str, Any] | None = None
    """The rejected record itself, as JSON; None: there was none to keep."""

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """The key of the item."""
        return str(row["key"])


class Failure(Record):
    """An item that the infrastructure lost: not the item's fault, never counted, tried again by the next run."""

    key: str
    boundary: str
    """What was being done, such as `opening a box`."""
    kind: str
    """Name of the error's class, such as `SandboxError`."""
    error: str
    tries: int
    at: str
    """ISO 8601, UTC."""

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """The key of the item."""
        return str(row["key"])
