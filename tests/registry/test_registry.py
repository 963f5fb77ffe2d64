"""The registry: components by name or by place, nested ones included, and mistakes with their paths."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from datafactory.errors import ConfigError
from datafactory.registry import KINDS, Problem, build, component, fill, find, show, suggest, table, walk
from datafactory.spec import Component, Spec


class Pen(Spec):
    """A filter of these tests."""

    use_name: ClassVar[str] = "pen"

    width: float = Field(default=1.0, gt=0)
    """In millimetres."""
    speed: int = Field(default=1, exclude=True)

    def reject(self, rows: Any) -> Any:
        raise NotImplementedError


class Box(Spec):
    """Holds pens."""

    best: Annotated[Pen | None, Component("filter"), SkipValidation] = None
    pens: tuple[Annotated[Pen, Component("filter"), SkipValidation], ...] = ()
    label: str = ""


PEN = {"use": f"{__name__}:Pen"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "trainer"])
def test_every_table_names_classes_that_are_there(kind: str) -> None:
    for name in table(kind):
        assert issubclass(find(kind, name), Spec), f"{kind} {name}"


def test_a_name_in_a_table_is_the_name_that_the_recipe_is_known_by() -> None:
    for kind in ("generator", "sandbox", "teacher"):
        for name in table(kind):
            assert find(kind, name).use_name == name, f"{kind} {name}"


def test_nested_components_are_built_from_names_and_mappings() -> None:
    problems: list[Problem] = []
    made = fill(Box, {"best": PEN["use"], "pens": [PEN, {**PEN, "width": 2}]}, (), problems)
    assert problems == []
    assert isinstance(made, Box)
    assert made.best == Pen()
    assert [pen.width for pen in made.pens] == [1.0, 2.0]
    assert [show(place) for place, _ in walk(made, ("box",))] == ["box", "box.best", "box.pens[0]", "box.pens[1]"]


def test_every_mistake_is_found_each_with_its_path_and_once() -> None:
    problems: list[Problem] = []
    made = fill(Box, {"best": {**PEN, "widht": 1}, "pens": [{**PEN, "width": 0}, 3], "label": 5}, ("box",), problems)
    assert made is None
    assert sorted(str(problem) for problem in problems) == [
        "box.best.widht: unknown key; did you mean 'width'?",
        "box.label: must be text, not 5; put it in quotes",
        "box.pens[0].width: must be more than 0, not 0",
        "box.pens[1]: expected a filter: its name, or a mapping with 'use', not a number",
    ]


def test_a_component_that_is_built_stays() -> None:
    pen = Pen(width=3)
    assert build("filter", pen, (), []) is pen


def test_a_recipe_tells_its_fields_without_the_knobs_of_speed() -> None:
    box = Box(best=Pen(speed=9), pens=(Pen(width=2),))
    pen = {"use": "pen"}
    assert box.describe() == {
        "use": f"{__name__}:Box",
        "best": {**pen, "width": 1.0},
        "pens": [{**pen, "width": 2.0}],
        "label": "",
    }


def test_fields_that_hold_components_are_known() -> None:
    kinds = {name: component(field) for name, field in Box.model_fields.items()}
    assert kinds == {"best": "filter", "pens": "filter", "label": None}


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("lenght", ["length", "solved"], "; did you mean 'length'?"),
        ("xyz", ["length", "solved"], "; one of: length, solved"),
        ("xyz", [], ""),
    ],
)
def test_suggestions(word: str, known: list[str], said: str) -> None:
    assert suggest(word, known) == said


def test_paths_are_shown_as_a_person_writes_them() -> None:
    assert show(("stages", 0, "generators", 1, "count")) == "stages[0].generators[1].count"
    assert show(()) == "(top)"


@pytest.mark.parametrize("name", [":Pen", "a b:Pen", ".relative:Pen", "x:", "x:y:z", "1x:Pen", "x.:Pen"])
def test_a_place_that_is_none_is_a_mistake_and_no_crash(name: str) -> None:
    with pytest.raises(ConfigError, match=r"a class of your own is written package\.module:Class"):
        find("filter", name)


class Size(BaseModel):
    """A plain model within a component."""

    model_config = ConfigDict(extra="forbid")

    width: float = 1.0
    height: float = 1.0


class Frame(Spec):
    """Has a size, and names for some."""

    size: Size | None = None
    named: dict[Annotated[str, Field(max_length=3)], Size] = {}


def test_mistakes_within_plain_models_and_mappings_are_shown_where_they_stand() -> None:
    problems: list[Problem] = []
    assert (
        fill(Frame, {"size": {"widht": 1, "height": "x"}, "named": {"long": {}, "b": {"depth": 1}}}, (), problems)
        is None
    )
    assert sorted(str(problem) for problem in problems) == [
        "named.b.depth: unknown key",
        "named.long: string should have at most 3 characters (it is 'long')",
        "size.height: must be a number, not 'x'",
        "size.widht: unknown key; did you mean 'width'?",
    ]
