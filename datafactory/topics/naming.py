"""Names of topics by a teacher: what it is asked, and how its answer is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import jinja2
from pydantic import BaseModel, ConfigDict, ValidationError

from datafactory.types import Record, Reply, digest_of

WORDS = 5
"""Words of a name at most (BenchBuilder's limit)."""
SHOWN = 8
"""Tasks of a topic that a teacher is shown."""
CHARS = 600
"""Characters of each."""


class Topic(Record):
    """One topic, as it is listed beside the table."""

    id: str
    """Number and digest of the tasks nearest its centre: another clustering has other ids."""
    cluster: int
    name: str
    tasks: int
    terms: tuple[str, ...] = ()
    """Words that set it apart, the heaviest first."""
    nearest: tuple[str, ...] = ()
    """Ids of the tasks nearest its centre."""


class Named(BaseModel):
    """What a teacher is to answer."""

    model_config = ConfigDict(extra="forbid")

    name: str


def naming(texts: Sequence[str], terms: Sequence[str]) -> str:
    """What a teacher is asked about a topic, given the prompts nearest its centre."""
    shown = [text[:CHARS] for text in texts[:SHOWN]]
    code = digest_of(["topic", *shown], length=24)
    return _template().render(tasks=shown, terms=list(terms), words=WORDS, code=code)


def read_name(reply: Reply) -> str | None:
    """The name; None: the answer is cut off, of another form, empty or longer than allowed."""
    if reply.cut:
        return None
    try:
        name = " ".join(Named.model_validate_json(reply.message.content).name.split())
    except ValidationError:
        return None
    return name if 1 <= len(name.split()) <= WORDS and len(name) <= 80 else None


@cache
def _template() -> jinja2.Template:
    text = (files("datafactory.topics") / "prompts" / "name.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)
