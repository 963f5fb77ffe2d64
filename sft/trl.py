"""The trainer `trl`: supervised fine-tuning of a student on packs, by TRL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datafactory.errors import Missing
from datafactory.spec import Spec
from datafactory.types import Model
from sft.scratch import Scratch
from sft.starting import trained


class Lora(BaseModel):
    """Trains small matrices beside the weights, and adds them to the weights at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rank: int = Field(default=16, ge=1)
    """Rank of the matrices."""
    alpha: int = Field(default=32, ge=1)
    """Their scale is `alpha / rank`."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of their inputs that is dropped."""
    targets: tuple[str, ...] = ()
    """Names of the layers; empty: every linear layer but the head."""


class Trl(Spec):
    """Full or LoRA fine-tuning with TRL's SFTTrainer.

    Rows are packed into sequences of `max_length` tokens in which no row sees another, loss is on the answers that
    `train_turns` marks, and the head is computed for their tokens alone. The defaults are those of Nemotron-Terminal
    (arXiv 2602.21193, section 4.1): learning rate 2e-5, 2 epochs, 32,768 tokens, cosine with 10 % of warm-up.
    """

    use_name: ClassVar[str] = "trl"

    student: str | None = None
    """A model on the Hugging Face hub, or its folder."""
    revision: str | None = None
    """Of a model on the hub: a commit or tag."""
    scratch: Scratch | None = None
    """In place of `student`: a model that is made on the spot, its tokenizer learned from the rows."""
    max_length: int = Field(default=32_768, ge=2)
    """Tokens of a pack, and of the longest row; what lies past it is cut at the end of an answer."""
    epochs: float = Field(default=2.0, gt=0)
    """Passes over all packs; the first in the curriculum's order, each later one shuffled anew within a phase."""
    batch: int = Field(default=8, ge=1)
    """Packs of one step of the optimizer, over all devices."""
    learning_rate: float = Field(default=2e-5, gt=0)
    """At its height."""
    least_rate: float = Field(default=0.0, ge=0)
    """At the end of a cosine."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which it rises."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """AdamW's."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm."""
    lora: Lora | None = None
    """Left out: every weight is trained."""
    yarn: float | None = Field(default=None, gt=1)
    """Stretches the positions of the student by this factor (YaRN, arXiv 2309.00071), for rows that are longer than it
    was made for."""
    seed: int = Field(default=0, ge=0)
    """Of the weights that are drawn, and of the shuffles."""
    packs_at_once: int = Field(default=1, ge=1, exclude=True)
    """Packs that one device works on at a time; the rest of a step's is gathered."""
    checkpointing: bool = Field(default=False, exclude=True)
    """Whether activations are computed again rather than kept: slower, and a fraction of the memory."""
    compiled: bool = Field(default=False, exclude=True)
    """Whether the model is compiled (`torch.compile`): a minute more at the start, and faster steps on a GPU."""
    devices: int = Field(default=1, ge=1, exclude=True)
    """GPUs; more than one are driven by `accelerate launch`."""
    accelerate: Path | None = Field(default=None, exclude=True)
    """A configuration of accelerate's, such as for FSDP or DeepSpeed."""
    save_every: int = Field(default=200, ge=1, exclude=True)
    """Steps between checkpoints; a training that was stopped goes on from the last."""
    processes: int = Field(default=max(1, (os.cpu_count() or 1)), ge=1, exclude=True)
    """Processes that render rows."""

    @model_validator(mode="after")
    def _one_student(self) -> Self:
        if (self.student is None) == (self.scratch is None):
            raise ValueError("name a student (a model or its folder), or give the shape of one from scratch")
        return self

    def problems(self) -> Iterable[str]:
        """Packages that are not there."""
        missing = [name for name in ("torch", "transformers", "trl", "accelerate") if find_spec(name) is None]
        missing += ["peft"] if self.lora is not None and find_spec("peft") is None else []
        if missing:
            yield f"training needs {', '.join(missing)}: pip install 'datafactory[train]'"
        if self.accelerate is not None and not self.accelerate.is_file():
            yield f"accelerate: no such file: {self.accelerate}"

    async def train(self, table: Path, folder: Path) -> Model:
        """Train on an arranged table, in a process of its own; goes on from the last checkpoint in `folder`.

        Leaves there `base/` (a student from scratch as it was before), `model/`, and `steps.jsonl`. Raises RunError
        with the end of what the program said.
        """
        if problems := list(self.problems()):
            raise Missing("; ".join(problems))
        facts = await trained(self, table, folder, self._command())
        return Model(
            folder="model",
            base=self.student or "base",
            base_on_hub=self.student is not None,
            base_revision=self.revision or "",
            seconds=facts.pop("seconds"),
            facts=facts,
        )

    def _command(self) -> list[str]:
        program = ["-m", "sft.training.program"]
        if self.devices == 1 and self.accelerate is None:
            return [sys.executable, *program]
        config = ["--config_file", str(self.accelerate)] if self.accelerate is not None else []
        launch = ["-m", "accelerate.commands.launch", *config, "--num_processes", str(self.devices)]
        return [sys.executable, *launch, *program]
