"""Rubrics: what a judge is asked, on which scale, and what it is shown."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self, cast

import jinja2
import yaml
from jsonschema import Draft202012Validator, SchemaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from datafactory.errors import ConfigError

Part = Literal["prompt", "transcript", "answer", "diff"]
"""`prompt`: the task's; `transcript`: what was said and shown; `answer`: what the agent said last, or the answer to a
question; `diff`: what an attempt at a repository changed."""

REASON_CHARS = 1000
"""Characters of a reason at most, by the schema: a model that rambles must come to its number."""


class Rubric(BaseModel):
    """One question to a judge. Frozen; read from a file with front matter in YAML and the criteria below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """What its scores are called, in the dataset and in filters."""
    scale: tuple[float, float]
    """Least and largest number."""
    whole: bool = False
    """Whether only whole numbers are answers."""
    sees: tuple[Part, ...] = Field(default=("prompt", "transcript"), min_length=1)
    """What the judge is shown, in this order."""
    pairs: bool = False
    """Whether two attempts are compared (the stage `compare`), rather than one judged."""
    own_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    """JSON schema of the answer; None: `reasoning`, then `score` on the scale."""
    criteria: str = Field(min_length=1)
    """The text that says what is judged, jinja2 with `low` and `high`."""

    @field_validator("scale")
    @classmethod
    def _leaves_room(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not value[0] < value[1]:
            raise ValueError(f"the least number must be below the largest, and they are {value[0]:g} and {value[1]:g}")
        return value

    @model_validator(mode="after")
    def _reason_comes_first(self) -> Self:
        if self.own_schema is None:
            return self
        if self.pairs:
            raise ValueError("schema: comparisons have a schema of their own")
        try:
            Draft202012Validator.check_schema(self.own_schema)
        except SchemaError as error:
            raise ValueError(f"schema: no JSON schema: {error.message}") from error
        keys = list(self.own_schema.get("properties", {}))
        if "score" not in keys or "score" not in self.own_schema.get("required", []):
            raise ValueError("schema: needs `score` among its properties, and in `required`")
        if keys[0] == "score":
            raise ValueError("schema: `score` comes first; a judge that gives its number before its reason defends it")
        return self

    @property
    def schema_of_answers(self) -> dict[str, Any]:
        """JSON schema of an answer; the reason is written before the number."""
        if self.own_schema is not None:
            return self.own_schema
        kind, (low, high) = ("integer" if self.whole else "number"), self.scale
        return {
            "type": "object",
            "properties": {
                "reasoning": {"type": "string", "maxLength": REASON_CHARS},
                "score": {"type": kind, "minimum": _short(low), "maximum": _short(high)},
            },
            "required": ["reasoning", "score"],
            "additionalProperties": False,
        }

    def text(self) -> str:
        """The criteria with the scale filled in. Raises ConfigError."""
        try:
            template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
            low, high = self.scale
            return template.from_string(self.criteria).render(low=_short(low), high=_short(high)).strip()
        except jinja2.TemplateError as error:
            raise ConfigError(
                f"rubric {self.name}: {error}; its text may use {{{{ low }}}} and {{{{ high }}}}"
            ) from error


def _short(number: float) -> int | float:
    return int(number) if number == int(number) else number


def packaged() -> dict[str, Path]:
    """The rubrics that come along, by name."""
    folder = cast(Path, files("datafactory.judging") / "rubrics")
    return {path.stem: path for path in sorted(folder.glob("*.md"))}


def own_file(named: str) -> Path | None:
    """The file that a rubric's name in a pipeline stands for; None: it is one that comes along."""
    return None if named in packaged() else Path(named).expanduser()


def load_rubric(named: str, *, pairs: bool = False) -> Rubric:
    """A rubric by its name, or from a file; `pairs`: one that compares. Raises ConfigError with the file and what is
    wrong in it."""
    path = packaged().get(named) or Path(named).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(packaged())
        raise ConfigError(f"rubric {named!r}: no rubric of that name ({known}), and no file: {error}") from error
    head, found, body = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not found:
        raise ConfigError(f"{path}: a rubric begins with front matter: a line `---`, keys in YAML, a line `---`")
    try:
        keys = yaml.safe_load(head)
        made = Rubric.model_validate({**keys, "criteria": body.strip()})
    except (yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"{path}: its front matter is no YAML mapping: {error}") from error
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'rubric'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: {said}") from error
    made.text()
    if made.pairs != pairs:
        stage, other = ("compare", "judge") if made.pairs else ("judge", "compare")
        raise ConfigError(f"rubric {named!r} is one of the stage {stage} (its key `pairs`), not of {other}")
    return made
