"""Trajectories: what an agent did on a task, how it was judged, and the training examples made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from datafactory.types.files import Files
from datafactory.types.messages import Message, Usage
from datafactory.types.record import Record
from datafactory.types.tasks import Score, Verdict

Stop = Literal["submitted", "turn_limit", "token_limit", "time_limit", "truncated", "context_limit", "student_limit"]
"""Why an attempt ended. `truncated`: the model's answer was cut off; `context_limit`: the conversation no longer fits
the teacher's context; `student_limit`: it would no longer fit what the student is trained on."""


class Lineage(Record):
    """Enough to make the row again."""

    run: str = ""
    pipeline_digest: str = ""
    """Digest of the pipeline up to the stage that made the row."""
    prompt_digest: str = ""
    task_digest: str = ""
    model: str = ""
    model_revision: str = ""
    sampling: dict[str, Any] = {}
    """Temperature and the like, as sent."""
    image: str = ""
    image_digest: str = ""
    sandbox: str = ""
    seed: int = 0
    code_version: str = ""


class Violation(Record):
    """Something that an agent tried and was not allowed."""

    command: str
    """The line, or the words of the program, as it was given; or the file that was to be written."""
    reason: str


class Trajectory(Record):
    """One attempt at one task."""

    task_id: str
    attempt: int
    teacher: str
    """Name of the teacher; `oracle` marks the embedded expert, which is no model."""
    agent: str
    """The dialect: `terminus-2`, `tools` or `openhands`; `search` or `search-tags` where the task is a question."""
    domain: str = ""
    skills: tuple[str, ...] = ()
    generator: str = ""
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    """JSON schemas of the tools on offer, in the OpenAI shape; empty in a text dialect."""
    artifacts: Files = {}
    """What the task's `artifacts` held when the attempt ended."""
    artifacts_note: str = ""
    """What could not be carried over, and why (such as: too large)."""
    violations: tuple[Violation, ...] = ()
    """What a sandbox that forbids things refused, in order."""
    answer: str | None = None
    """What was answered to a question; None: nothing was, or the task is none."""
    found: tuple[str, ...] = ()
    """Urls of the pages whose passages a search showed, in order, each once."""
    visited: tuple[str, ...] = ()
    """Urls of the pages that were opened, in order, each once."""
    stop: Stop
    verdict: Verdict | None = None
    scores: tuple[Score, ...] = ()
    """What judges said of the attempt; the checks' word is the verdict."""
    usage: Usage = Usage()
    seconds: float = 0.0
    """What the model and the box took, without waiting for a server or for a place at it."""
    compacted: int = 0
    """How many messages, from the first, were shortened after the teacher had answered them: turns among them saw more
    than the row shows, and carry no loss."""
    student_tokens: int | None = None
    """Length of the whole row in the student's tokens, as its chat template renders it; None: no student was named."""
    lineage: Lineage = Lineage()

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """`<task>/<attempt>`, from JSON."""
        return f"{row['task_id']}/{row['attempt']}"

    @property
    def id(self) -> str:
        """`<task>/<attempt>`: the key of this row in every shelf."""
        return f"{self.task_id}/{self.attempt}"

    @property
    def turns(self) -> int:
        """How often the teacher spoke."""
        return sum(m.role == "assistant" for m in self.messages)


class Example(Record):
    """One row as a student is trained on it."""

    rank: int
    """Place in the curriculum, from 0."""
    phase: int | None = None
    """Phase of the curriculum, from 0; None: it has none."""
    task_id: str
    attempt: int
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    train_turns: tuple[bool, ...] = ()
    """For each message, whether its tokens carry loss (Nemotron's `metadata.train_turns`)."""
