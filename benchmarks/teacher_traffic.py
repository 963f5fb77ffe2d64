"""What the teacher benchmark asks: the same texts for every arm, in exact numbers of tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from teacher_model import LETTERS
from tokenizers import Tokenizer

from datafactory.types import Message


@dataclass(frozen=True)
class Single:
    """Bulk work: one question each, nothing shared."""

    calls: int = 1024
    read: int = 512
    """Tokens of a prompt, the chat template's few aside."""
    write: int = 256
    """Tokens of an answer."""


@dataclass(frozen=True)
class Agents:
    """Episodes that share a long beginning, grow with every turn, and pause while their tools run."""

    episodes: int = 256
    turns: int = 20
    shared: int = 3000
    """Tokens of instructions that all episodes begin with."""
    task: int = 100
    """Tokens of an episode's own task."""
    seen: int = 200
    """Tokens of what a tool shows after each turn."""
    write: int = 64
    """Tokens of an answer."""
    gap: tuple[float, float] = (0.1, 2.0)
    """Seconds that a tool takes, drawn evenly."""


class Texts:
    """Made-up words; `salt` keeps one arm's prompts out of another's prefix cache."""

    def __init__(self, model: Path, salt: str) -> None:
        self._path = model / "tokenizer.json"
        self._salt = salt

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's own."""
        return Tokenizer.from_file(str(self._path))

    def words(self, name: str, tokens: int) -> str:
        """A text of that many tokens, the same for the same name and salt."""
        rng = random.Random(f"{self._salt}/{name}")
        typed = " ".join("".join(rng.choices(LETTERS, k=rng.randint(2, 9))) for _ in range(tokens))
        return str(self.tokenizer.decode(self.tokenizer.encode(typed).ids[:tokens]))

    def questions(self, single: Single) -> Iterator[tuple[str, list[Message]]]:
        """Keyed conversations of one message."""
        for number in range(single.calls):
            yield f"q-{number:05d}", [Message(role="user", content=self.words(f"q{number}", single.read))]

    def openings(self, agents: Agents) -> Iterator[tuple[str, list[Message]]]:
        """How each episode begins."""
        shared = Message(role="system", content=self.words("shared", agents.shared))
        for number in range(agents.episodes):
            yield f"e-{number:05d}", [shared, Message(role="user", content=self.words(f"t{number}", agents.task))]

    def turn(self, agents: Agents, key: str, number: int) -> tuple[tuple[Message, Message], float]:
        """What a turn adds, and the seconds that its tool takes.

        The answer on record is made up as well: what random weights say would not be read back into the same
        tokens, and every arm must read the same.
        """
        rng = random.Random(f"{key}/{number}")
        said = Message(role="assistant", content=self.words(f"a{number}", agents.write))
        seen = Message(role="user", content=self.words(f"s{key}/{number}", agents.seen))
        return (said, seen), rng.uniform(*agents.gap)
