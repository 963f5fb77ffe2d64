"""Vectors of words, the words that set topics apart, and names: from terms and from a teacher."""

from __future__ import annotations

import random

import numpy as np
import pytest

from datafactory.topics.naming import naming, read_name
from datafactory.topics.terms import names_of, terms_of
from datafactory.topics.tfidf import Tfidf
from datafactory.types import Message, Reply
from tests.topics.planted import SUBJECTS, prompt, tasks


def test_prompts_of_a_subject_are_nearer_each_other_than_others() -> None:
    made = tasks(odd=0)
    vectors = Tfidf(dims=8).fit(list(made.values()), seed=1)(list(made.values()))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(made)))
    subjects = np.array([id.partition("-")[0] for id in made])
    same = subjects[:, None] == subjects[None, :]
    cosines = vectors @ vectors.T
    assert cosines[same].mean() > 0.8
    assert abs(cosines[~same].mean()) < 0.2


def test_text_without_a_known_word_is_a_row_of_zeros() -> None:
    encode = Tfidf(dims=4).fit(list(tasks().values()), seed=1)
    assert not encode(["", "12 34", "zyxw"]).any()


@pytest.mark.parametrize("sample", [[], [""], ["1 2 3"], ["the of and"], ["one prompt alone"], ["same"] * 30])
def test_any_sample_can_be_learnt_from(sample: list[str]) -> None:
    vectors = Tfidf().fit(sample, seed=1)([*sample, "new"])
    assert vectors.dtype == np.float32
    assert len(vectors) == len(sample) + 1
    assert np.isfinite(vectors).all()


def test_terms_are_those_of_the_subject() -> None:
    rng = random.Random(1)
    texts = [[prompt(subject, rng) for _ in range(10)] for subject in SUBJECTS]
    for subject, terms in zip(SUBJECTS, terms_of(texts), strict=True):
        assert set(terms[:5]) <= set(SUBJECTS[subject].split())


def test_a_plural_is_no_second_term_and_words_of_no_weight_do() -> None:
    assert terms_of([["file files file"], ["dog dog dogs cat"]]) == [["file"], ["dog", "cat"]]
    assert terms_of([["the of"], ["and"]]) == [["of", "the"], ["and"]]
    assert terms_of([["1 2"], [""]]) == [[], []]
    assert terms_of([]) == []


def test_no_two_topics_have_the_same_name() -> None:
    words = ["a", "b", "c", "d"]
    assert names_of([words, words, words, [], ["x"]]) == ["a, b, c", "a, b, c, d", "topic 2", "topic 3", "x"]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ('{"name": " Regular   expressions "}', "Regular expressions"),
        ('{"name": "one two three four five six"}', None),
        ('{"name": ""}', None),
        ('{"title": "x"}', None),
        ("Regular expressions", None),
    ],
)
def test_a_name_is_read_or_there_is_none(answer: str, name: str | None) -> None:
    assert read_name(Reply(message=Message(role="assistant", content=answer))) == name


def test_a_cut_answer_has_no_name() -> None:
    assert read_name(Reply(message=Message(role="assistant", content='{"name": "x"}'), finish="length")) is None


def test_a_teacher_is_shown_the_nearest_tasks_and_the_terms() -> None:
    text = naming([f"task number {n} " + "x" * 1000 for n in range(12)], ["oven", "flour"])
    assert "oven, flour" in text
    assert "task number 7" in text and "task number 8" not in text
    assert "x" * 601 not in text
    assert "in 5 words at most" in text
