"""Rubrics of the user's own, and how answers to them are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datafactory.errors import ConfigError
from datafactory.judging import Rubric, combined, load_rubric, packaged, read_answer, request, score_of
from datafactory.judging.answering import Answer
from datafactory.judging.evidence import Room
from datafactory.types import Message, Reply, Score
from tests.judging.attempts import a_task, an_attempt

OWN = """---
name: tidy
scale: [1, 5]
whole: true
sees: [transcript]
---
How tidy is it, from {{ low }} to {{ high }}?
"""


@pytest.fixture
def own(tmp_path: Path):
    """Load a rubric of the user's, given its text."""

    def loaded(text: str = OWN) -> Rubric:
        path = tmp_path / "tidy.md"
        path.write_text(text)
        return load_rubric(str(path))

    return loaded


def says(content: object, **more: object) -> Reply:
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(message=Message(role="assistant", content=text), **more)  # type: ignore[arg-type]


def test_every_rubric_that_comes_along_can_be_read_and_has_its_files_name():
    assert list(packaged()) == ["better", "quality", "success"]
    for name in packaged():
        rubric = load_rubric(name, pairs=name == "better")
        assert rubric.name == name
        assert list(rubric.schema_of_answers["properties"]) == ["reasoning", "score"]


def test_a_rubric_of_ones_own_says_what_is_seen_and_on_which_scale(own):
    text = request(own(), a_task(), an_attempt(), Room(), seed=1)
    assert "How tidy is it, from 1 to 5?" in text
    assert "a whole number from 1 to 5" in text
    assert "prompt begins" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name: tidy\n", ""), "name: Field required"),
        (("[1, 5]", "[5, 1]"), "the least number must be below the largest"),
        (("[transcript]", "[verdict]"), "sees.0: Input should be"),
        (("---\nname", "name"), "begins with front matter"),
        (("{{ low }}", "{{ lowest }}"), "'lowest' is undefined"),
        (("{{ low }}", "{{ low"), "rubric tidy"),
        (("whole: true", "wholly: true"), "wholly: Extra inputs"),
        (("whole: true", "schema: {properties: {score: {}, reasoning: {}}, required: [score]}"), "`score` comes first"),
        (("whole: true", "schema: {properties: {reasoning: {}}}"), "needs `score` among its properties"),
        (("whole: true", "schema: {type: numbr}"), "no JSON schema"),
        (("[1, 5]", "[1"), "no YAML mapping"),
    ],
)
def test_a_rubric_that_is_wrong_names_the_file_and_what_is_wrong(own, change, said):
    with pytest.raises(ConfigError) as caught:
        own(OWN.replace(*change))
    assert said in str(caught.value)
    assert "tidy" in str(caught.value)


def test_a_name_that_is_neither_a_rubric_nor_a_file_lists_the_rubrics():
    with pytest.raises(ConfigError, match=r"no rubric of that name \(better, quality, success\), and no file"):
        load_rubric("succes")


def test_a_rubric_that_compares_is_none_that_judges_and_the_other_way_round():
    with pytest.raises(ConfigError, match="'better' is one of the stage compare"):
        load_rubric("better")
    with pytest.raises(ConfigError, match="'success' is one of the stage judge"):
        load_rubric("success", pairs=True)


def test_an_answer_is_its_number_and_its_reason(own):
    assert read_answer(says({"reasoning": "neat", "score": 4}), own()) == Answer(4.0, "neat")
    assert read_answer(says('{"reasoning": "neat\nand short", "score": 4}'), own()) == Answer(4.0, "neat\nand short")
    assert read_answer(says('```json\n{"reasoning": "neat", "score": 5}\n```'), own()) == Answer(5.0, "neat")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("I would say 4.", "unreadable: no JSON"),
        ('{"reasoning": "so neat that', "unreadable: no JSON"),
        ({"reasoning": "neat"}, "'score' is a required property"),
        ({"reasoning": "neat", "score": 6}, "6 is greater than the maximum of 5"),
        ({"reasoning": "neat", "score": 3.5}, "3.5 is not of type 'integer'"),
        ({"reasoning": "neat", "score": "4"}, "'4' is not of type 'integer'"),
        ({"reasoning": "neat", "score": True}, "True is not of type 'integer'"),
        ('{"reasoning": "neat", "score": NaN}', "NaN is no JSON"),
        ([4], "[4] is not of type 'object'"),
        ("", "unreadable: no JSON"),
    ],
)
def test_an_answer_that_cannot_be_read_gives_no_number_and_says_why(own, content, said):
    answer = read_answer(says(content), own())
    assert answer.value is None
    assert said in answer.note


def test_an_answer_that_was_cut_off_gives_no_number_even_if_it_parses(own):
    answer = read_answer(says({"reasoning": "neat", "score": 4}, finish="length"), own())
    assert answer == Answer(None, "unreadable: the answer was cut off (length)")


def test_a_schema_of_ones_own_is_held_against_the_scale_too(own):
    schema = "schema: {type: object, properties: {flaws: {type: array}, score: {}}, required: [flaws, score]}"
    rubric = own(OWN.replace("whole: true", schema))
    assert read_answer(says({"flaws": ["mess"], "score": 2}), rubric) == Answer(2.0, '{"flaws": ["mess"]}')
    assert read_answer(says({"flaws": [], "score": 9}), rubric).note == "unreadable: score 9 is no number from 1 to 5"
    assert read_answer(says({"flaws": [], "score": True}), rubric).value is None
    assert '"flaws"' in request(rubric, a_task(), an_attempt(), Room(), seed=1)


def test_samples_that_cannot_be_read_do_not_count(own):
    score = score_of([Answer(2.0, "messy"), Answer(None, "unreadable: no JSON"), Answer(5.0, "neat")], own(), "j")
    assert score.value == 3.5
    assert score.note == "mean of 2 of 3 samples (2, -, 5); the first says: messy"
    assert score_of([Answer(None, "unreadable: x")], own(), "j") == Score(name="tidy", judge="j", note="unreadable: x")


@pytest.mark.parametrize(
    ("values", "how", "value"),
    [
        ((1.0, 2.0, 5.0), "mean", 2.666667),
        ((1.0, 2.0, 5.0), "median", 2.0),
        ((1.0, 2.0, 5.0), "majority", 1.0),
        ((1.0, 5.0, 3.0), "majority", None),
        ((4.0, 5.0, None), "majority", 5.0),
        ((4.0, None), "mean", None),
        ((4.0, 2.0, None), "mean", 3.0),
    ],
)
def test_judges_together(own, values, how, value):
    scores = [Score(name="tidy", judge=f"j{number}", value=given) for number, given in enumerate(values)]
    made = combined(scores, own(), how)
    assert (made.judge, made.name, made.value) == ("combined", "tidy", value)
    assert "j0" in made.note
