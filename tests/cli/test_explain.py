"""`datafactory explain`: every component there is, and every key of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import Field

from datafactory import registry
from datafactory.cli.keys import example, in_words, keys
from datafactory.protocols import Filter, Sandbox
from datafactory.spec import Component, Spec

Call = Callable[..., Any]

NAMED = [(kind, name) for kind in registry.KINDS for name in registry.table(kind)]


class Sample(Spec):
    """Does a thing.

    A second paragraph that explain leaves out.
    """

    path: Path
    """Where it reads."""
    mode: Literal["fast", "slow"]
    """How."""
    share: float = Field(default=0.5, gt=0, le=1)
    names: tuple[str, ...] = Field(default=(), max_length=3)
    limit: int | None = Field(default=None, ge=1)
    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    filters: tuple[Annotated[Filter, Component("filter")], ...] = ()
    at_once: int = Field(default=4, exclude=True)
    """Items at a time."""


def test_types_bounds_and_defaults_are_said_in_words() -> None:
    said = {key.key: key for key in keys(Sample)}
    assert said["path"].required
    assert said["path"].type == "path"
    assert said["mode"].type == "fast or slow"
    assert said["share"].type == "number, more than 0, at most 1"
    assert said["share"].default == 0.5
    assert said["names"].type == "list of text, at most 3 long"
    assert said["limit"].type == "whole number or null, at least 1"
    assert (said["sandbox"].type, said["sandbox"].component) == ("a sandbox", "sandbox")
    assert (said["filters"].type, said["filters"].component) == ("list of filters", "filter")
    assert said["at_once"].speed
    assert not said["share"].speed
    assert said["path"].doc == "Where it reads."


def test_types_are_readable() -> None:
    assert in_words(dict[str, list[int]]) == "mapping of text to list of whole number"
    assert in_words(dict[str, Any]) == "mapping"
    assert in_words(int | str) == "whole number or text"


def test_the_example_fills_in_what_is_required_and_shows_the_defaults() -> None:
    text = example("generator", "sample", Sample)
    assert yaml.safe_load(text) == {"generators": [{"use": "sample", "path": "...", "mode": "fast"}]}
    assert "# share: 0.5" in text
    assert "# at_once: 4   # speed only" in text


@pytest.mark.parametrize(("kind", "name"), NAMED, ids=lambda value: value)
def test_every_component_explains_every_key(kind: str, name: str) -> None:
    cls = registry.find(kind, name)
    assert (cls.__doc__ or "").strip()
    assert [key.key for key in keys(cls) if not key.doc] == [], "a key without a docstring under it"
    recipe = yaml.safe_load(example(kind, name, cls))
    made = recipe.get(kind) or recipe[f"{kind}s"][0]
    assert made["use"] == name
    assert {k for k, field in cls.model_fields.items() if field.is_required()} <= set(made)


def test_without_a_kind_every_component_is_listed(call: Call) -> None:
    made = json.loads(call("explain", "--json").stdout)
    assert set(made) == set(registry.KINDS)
    assert set(made["filter"]) == set(registry.table("filter"))
    said = call("explain").stdout
    assert all(name in said for _, name in NAMED)
    assert max(map(len, said.splitlines())) <= 80


def test_one_component_is_explained_for_people_and_for_scripts(call: Call) -> None:
    said = call("explain", "filter", "length").stdout
    for word in ("max_turns", "whole number or null, at least 1", "default none", "filters:\n  - use: length"):
        assert word in said
    made = json.loads(call("explain", "filter", "length", "--json").stdout)
    assert made["class"] == "filters.length:Length"
    assert {"key", "type", "required", "default", "doc", "speed", "component"} == set(made["keys"][0])


def test_knobs_of_speed_and_nested_components_are_marked(call: Call) -> None:
    said = " ".join(call("explain", "stage", "synthesize").stdout.split())
    assert "does not change the data" in said
    assert "See: datafactory explain generator." in said


def test_the_top_of_the_file_is_explained_too(call: Call) -> None:
    done = call("explain", "pipeline")
    assert done.returncode == 0, done.stderr
    assert "seed" in done.stdout


def test_a_class_of_the_users_own_is_explained(call: Call, tmp_path: Path) -> None:
    text = '"""Mine."""\nfrom datafactory.spec import Spec\n\n\nclass NoCurl(Spec):\n    """Drops what curls."""\n\n'
    text += "    word: str = 'curl'\n    'The word.'\n\n    def reject(self, rows):\n        return None\n"
    (tmp_path / "mine.py").write_text(text)
    done = call("explain", "filter", "mine:NoCurl")
    assert done.returncode == 0, done.stderr
    assert "Drops what curls." in done.stdout
    assert "The word." in done.stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("filer",), "did you mean 'filter'?"),
        (("filter", "lenght"), "did you mean 'length'?"),
        (("filter", "nowhere.at.all:X"), "no module 'nowhere'"),
    ],
)
def test_what_is_unknown_gets_a_suggestion(call: Call, words: tuple[str, ...], hint: str) -> None:
    done = call("explain", *words)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
