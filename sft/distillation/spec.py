"""What both distillations are told: the student, its teachers, how it samples and how it is optimized."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from datafactory.errors import Missing
from datafactory.spec import Spec
from datafactory.types import Model
from sft.starting import trained

DEFAULT = "default"
"""What the teacher of all other rows is called in the journal."""


class Teacher(BaseModel):
    """A model that scores what the student wrote. It must have the student's tokenizer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str = Field(min_length=1)
    """A model on the Hugging Face hub, or its folder, loaded beside the student; with `base_url`: what the server calls
    the model."""
    revision: str | None = None
    """Of a model on the hub that is loaded: a commit or tag."""
    base_url: str | None = Field(default=None, exclude=True)
    """Address, up to and with `/v1`, of a vLLM server that has the model; left out: the model is loaded here. The key
    is OPENAI_API_KEY, where there is one."""
    at_once: int = Field(default=32, ge=1, exclude=True)
    """Answers that are on their way to the server at a time."""
    tries: int = Field(default=6, ge=1, exclude=True)
    """How often one request is sent where the server is busy, broken or gone."""

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(f"the address must start with http:// or https://, found {value!r}")
        return value.rstrip("/") if value is not None else None


class Distillation(Spec):
    """A student that samples answers to the histories in rows, and teachers that say what they think of them."""

    student: str = Field(min_length=1)
    """A model on the Hugging Face hub, or its folder: one that can already answer, such as `trl` leaves it."""
    revision: str | None = None
    """Of a model on the hub: a commit or tag."""
    teacher: Teacher | None = None
    """Who scores answers, of all rows that `teachers` does not give to another."""
    teachers: dict[str, Teacher] = {}
    """Who scores answers, by what a row has in the column `teacher_by`."""
    teacher_by: str = Field(default="domain", min_length=1)
    """The column of the table that chooses among `teachers`."""
    max_length: int = Field(default=32_768, ge=2)
    """Tokens of the longest history with its answer; rows are cut at the end of an answer, as `trl` does."""
    max_tokens: int = Field(default=4096, ge=1)
    """Tokens of an answer that is sampled, at most."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the student's sampling."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over all marked answers of all rows; the first in the curriculum's order but for windows of 4,096."""
    steps: int | None = Field(default=None, ge=1)
    """Steps of the optimizer, in place of `epochs`."""
    batch: int = Field(default=128, ge=1)
    """Histories of one step."""
    learning_rate: float = Field(default=2e-6, gt=0)
    """At its height."""
    least_rate: float = Field(default=0.0, ge=0)
    """At the end of a cosine."""
    schedule: Literal["cosine", "linear", "constant"] = "constant"
    """How the learning rate falls after the warm-up."""
    warmup_steps: int = Field(default=30, ge=0)
    """Steps in which it rises."""
    weight_decay: float = Field(default=0.0, ge=0)
    """AdamW's, of matrices."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm."""
    seed: int = Field(default=0, ge=0)
    """Of the order of histories, and of what is sampled."""
    tokens_at_once: int | None = Field(default=None, ge=2, exclude=True)
    """Tokens of one pass through the model, at least `max_length`; left out: `max_length`."""
    sampled_at_once: int = Field(default=64, ge=1, exclude=True)
    """Answers that are written side by side."""
    checkpointing: bool = Field(default=False, exclude=True)
    """Whether activations are computed again rather than kept: slower, and a fraction of the memory."""
    save_every: int = Field(default=20, ge=1, exclude=True)
    """Steps between checkpoints; a training that was stopped goes on from the last."""
    processes: int = Field(default=max(1, (os.cpu_count() or 1)), ge=1, exclude=True)
    """Processes that render rows."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.teacher is None and not self.teachers:
            raise ValueError("name a teacher: one for all rows, or teachers by what rows have in a column")
        if DEFAULT in self.teachers:
            raise ValueError(f"teachers: {DEFAULT!r} is no value of rows; the teacher of all others is `teacher`")
        if self.tokens_at_once is not None and self.tokens_at_once < self.max_length:
            raise ValueError(f"tokens_at_once ({self.tokens_at_once}) is less than max_length ({self.max_length})")
        return self

    def all_teachers(self) -> Mapping[str, Teacher]:
        """By the name that the journal calls each: the value that chooses it, or `default`."""
        return {**self.teachers, **({DEFAULT: self.teacher} if self.teacher is not None else {})}

    def problems(self) -> Iterable[str]:
        """Packages that are not there."""
        missing = [name for name in ("torch", "transformers", "trl") if find_spec(name) is None]
        if missing:
            yield f"distillation needs {', '.join(missing)}: pip install 'datafactory[train]'"

    def inputs(self) -> Iterable[Path]:
        """The files of the student and of teachers that lie in folders here."""
        names = {self.student} | {each.model for each in self.all_teachers().values() if each.base_url is None}
        for folder in sorted(map(Path, names)):
            if (folder / "config.json").is_file():
                yield from sorted(path for path in folder.iterdir() if path.is_file())

    async def train(self, table: Path, folder: Path) -> Model:
        """Distil on an arranged table, in a process of its own; goes on from the last checkpoint in `folder`.

        Leaves there `model/` and `steps.jsonl`. Raises RunError with the end of what the program said.
        """
        if problems := list(self.problems()):
            raise Missing("; ".join(problems))
        command = [sys.executable, "-m", "sft.distillation.program", self.use_name]
        facts = await trained(self, table, folder, command)
        return Model(
            folder="model",
            base=self.student,
            base_on_hub=True,
            base_revision=self.revision or "",
            seconds=facts.pop("seconds"),
            facts=facts,
        )
