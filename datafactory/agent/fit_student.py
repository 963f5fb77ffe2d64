"""The student that rows are made for: its tokenizer, and the length that it is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datafactory.errors import ConfigError, Missing, TeacherError, boundary

if TYPE_CHECKING:
    from datafactory.agent.fit_tokens import Ruler

FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
)
"""What of a model's folder shapes its tokens; weights do not."""
RESERVE = 1024
"""Tokens kept free for the next answer where the file says nothing: a long turn of an agent."""


class Student(BaseModel):
    """What an attempt must fit, so that a row too long to train on is known before it is paid for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tokenizer: str = Field(min_length=1)
    """A model on the Hugging Face hub, or a folder."""
    revision: str | None = None
    """Of a model on the hub: a commit or tag; left out: the newest, which may change."""
    max_length: int = Field(ge=1)
    """Tokens of the longest row that it is trained on (TRL's `max_length`)."""
    policy: Literal["stop", "compact", "mark"] = "stop"
    """What happens at that length: the attempt stops, older observations are shortened, or the row only says it."""
    reserve: int | None = Field(default=None, ge=0)
    """Tokens kept free for the next answer: a call that leaves it less is not made. Left out: an eighth of
    `max_length`, at most 1,024."""
    chat_template: Path | None = None
    """A Jinja file that takes the place of the tokenizer's own template, such as the one that a trainer uses."""

    @model_validator(mode="after")
    def _reserve_leaves_room(self) -> Self:
        if self.free >= self.max_length:
            raise ValueError(f"reserve ({self.free}) leaves nothing of max_length ({self.max_length})")
        return self

    @property
    def free(self) -> int:
        """Tokens kept free for the next answer."""
        return min(RESERVE, self.max_length // 8) if self.reserve is None else self.reserve

    @property
    def folder(self) -> Path | None:
        """The tokenizer's folder; None: it is on the hub."""
        path = Path(self.tokenizer).expanduser()
        return path if path.is_dir() or path.is_absolute() or self.tokenizer.startswith((".", "~")) else None

    def problems(self) -> Iterator[str]:
        """What can be told before anything runs: a package or a file that is not there."""
        if find_spec("transformers") is None:
            yield f"student: {_needs()}"
        if self.folder is not None and not any(self.files()):
            yield f"student.tokenizer: no tokenizer in the folder {self.tokenizer!r}"
        if self.chat_template is not None and not self.chat_template.is_file():
            yield f"student.chat_template: no such file: {self.chat_template}"

    def files(self) -> Iterator[Path]:
        """The tokenizer's own files, where it is a folder."""
        if self.folder is not None:
            found = (*(self.folder / name for name in FILES), *sorted(self.folder.glob("additional_chat_templates/*")))
            yield from (path for path in found if path.is_file())

    def inputs(self) -> Iterator[Path]:
        """Files of the user's whose content shapes the data."""
        yield from self.files()
        if self.chat_template is not None:
            yield self.chat_template

    def load(self, agent: str) -> Ruler:
        """The tokenizer, tried on a conversation in the dialect `agent`; takes seconds, and may download.

        Raises Missing without `transformers`, and ConfigError where there is no such tokenizer, or its chat template
        is missing or cannot show such a conversation.
        """
        from datafactory.agent.fit_tokens import Ruler

        with boundary(TeacherError, f"loading the tokenizer of the student {self.tokenizer}"):
            return Ruler(self, self._tokenizer(), agent)

    def _tokenizer(self) -> Any:
        try:
            from transformers import AutoTokenizer
        except ImportError as error:
            raise Missing(f"student: {_needs()}") from error
        where = str(self.folder or self.tokenizer)
        try:
            made = AutoTokenizer.from_pretrained(where, revision=self.revision or "main")
            if self.chat_template is not None:
                made.chat_template = self.chat_template.read_text(encoding="utf-8")
        except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
            said = " ".join(str(error).split())[:300]
            raise ConfigError(f"student: the tokenizer {self.tokenizer!r} cannot be loaded: {said}") from error
        if not getattr(made, "chat_template", None):
            raise ConfigError(
                f"student: the tokenizer {self.tokenizer!r} has no chat template; name a file with chat_template"
            )
        return made


def _needs() -> str:
    return "counting a student's tokens needs transformers: pip install 'datafactory[train]'"
