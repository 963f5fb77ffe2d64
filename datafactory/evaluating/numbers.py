"""Plain questions whose answers are numbers: what they ask, and whether an answer is right."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from pydantic import BaseModel, ConfigDict, Field

from datafactory.errors import DataError

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
_ASKED = re.compile(r"####\s*[$€£]?\s*([-+]?[\d,]*\.?\d+)")


@dataclass(frozen=True)
class Asked:
    """One question of the file."""

    id: str
    """`<file>-<row>`, the row counted from 0."""
    file: str
    """Its name, without the ending."""
    text: str
    answer: Decimal


class Prompts(BaseModel):
    """A file of questions outside what was trained on, which shows what training costs elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    file: Path
    """JSON lines, such as GSM8K's; an answer is the number after its last `####`, or the whole of it."""
    count: int = Field(default=200, ge=1)
    """Questions that are asked, drawn by the pipeline's seed; all where there are fewer."""
    question: str = "question"
    """The field that holds the question."""
    answer: str = "answer"
    """The field that holds the answer."""

    def problems(self) -> Iterable[str]:
        """A file that is not there, or a row that cannot be read."""
        try:
            self.rows()
        except DataError as error:
            yield f"prompts: {error}"

    def rows(self) -> list[Asked]:
        """Every question of the file. Raises DataError with the line of one that cannot be read."""
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.file}: cannot be read ({error})") from error
        made = []
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                text, answer = str(row[self.question]), _decimal(str(row[self.answer]).rpartition("####")[2])
            except (ValueError, KeyError, TypeError) as error:
                said = f"no {error}" if isinstance(error, KeyError) else str(error)
                raise DataError(f"{self.file}:{number + 1}: {said}") from error
            made.append(Asked(f"{self.file.stem}-{number:05d}", self.file.stem, text.strip(), answer))
        if not made:
            raise DataError(f"{self.file}: no questions")
        return made

    def drawn(self, seed: int) -> list[Asked]:
        """The questions that are asked, in the file's order."""
        rows = self.rows()
        kept = random.Random(seed).sample(range(len(rows)), min(self.count, len(rows)))
        return [rows[number] for number in sorted(kept)]


@cache
def _template() -> jinja2.Template:
    text = (files("datafactory.evaluating") / "prompts" / "number.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)


def prompt(asked: Asked) -> str:
    """What a student is asked."""
    return _template().render(question=asked.text)


def number_in(text: str) -> tuple[Decimal | None, bool]:
    """The number that an answer comes to, and whether it is written as asked, after `####`; else it is the last number
    in the text. None: there is none."""
    if asked := _ASKED.findall(text):
        return _decimal(asked[-1]), True
    found = _NUMBER.findall(text)
    return (_decimal(found[-1]) if found else None), False


def _decimal(text: str) -> Decimal:
    """Raises ValueError."""
    try:
        made = Decimal(text.strip().replace(",", "").lstrip("$€£"))
    except InvalidOperation:
        raise ValueError(f"the answer is no number: {text.strip()[:60]!r}") from None
    if not made.is_finite():
        raise ValueError(f"the answer is no finite number: {text.strip()[:60]!r}")
    return made
