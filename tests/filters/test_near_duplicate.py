"""Near-duplicates, held against Jaccard indices of plain Python sets."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from filters.near_duplicate import NearDuplicate

VOCABULARY = [f"word{n}" for n in range(900)]
SCHEMA = {"id": pl.String, "task_id": pl.String, "attempt": pl.Int64, "instruction": pl.String} | {
    "messages": pl.List(pl.String)
}


def talk(user: str, teacher: str = "done") -> list[str]:
    said = (("user", user), ("assistant", teacher))
    return [json.dumps({"role": role, "content": content}) for role, content in said]


def frame(*rows: dict | str) -> pl.LazyFrame:
    """Rows that differ in what is given; a text is a prompt, and what the user says."""
    made = []
    for number, row in enumerate(rows):
        given_row = {"instruction": row, "messages": talk(row)} if isinstance(row, str) else row
        plain = {"task_id": f"t{number}", "attempt": 0, "instruction": "", "messages": []}
        whole = plain | given_row
        made.append({"id": f"{whole['task_id']}/{whole['attempt']}"} | whole)
    return pl.LazyFrame(made, schema=SCHEMA)


def reasons(chosen: NearDuplicate, rows: pl.LazyFrame) -> list[str | None]:
    """For each row, why it was dropped."""
    return rows.select(why=chosen.reject(rows)).collect()["why"].to_list()


def shingles(text: str, length: int = 5) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + length]) for i in range(max(1, len(words) - length + 1))} if words else set()


def jaccard(one: str, other: str, length: int = 5) -> float:
    mine, its = shingles(one, length), shingles(other, length)
    return len(mine & its) / len(mine | its) if mine or its else 0.0


def text(rng: random.Random, words: int = 200) -> str:
    return " ".join(rng.choices(VOCABULARY, k=words))


def changed(rng: random.Random, of: str, run: int) -> str:
    """The text with a run of words replaced."""
    words = of.split()
    at = rng.randrange(len(words) - run)
    return " ".join([*words[:at], *rng.choices(VOCABULARY, k=run), *words[at + run :]])


def test_the_first_by_task_and_attempt_stays_and_is_named_with_the_likeness():
    rng = random.Random(1)
    first = text(rng)
    later = changed(rng, first, 6)
    rows = [
        {"task_id": "b", "attempt": 10, "instruction": later},
        {"task_id": "b", "attempt": 2, "instruction": first},
        {"task_id": "a", "instruction": text(rng)},
    ]
    said = f"near_duplicate: {int(jaccard(first, later) * 100) / 100:.2f} similar to b/2"
    assert re.fullmatch(r"near_duplicate: 0\.\d\d similar to b/2", said)
    assert reasons(NearDuplicate(on="prompt"), frame(*rows)) == [said, None, None]
    assert reasons(NearDuplicate(on="prompt"), frame(*rows[::-1])) == [None, None, said]


def test_case_and_spacing_make_no_difference():
    assert reasons(NearDuplicate(), frame("One two, three four five six.", "one  TWO three\nfour five (six)")) == [
        None,
        "near_duplicate: 1.00 similar to t0/0",
    ]


def test_what_is_just_under_the_threshold_stays():
    words = VOCABULARY[:40]
    one, other = " ".join(words), " ".join([*words[:36], "x"])
    likeness = jaccard(one, other)
    rows = frame(one, other)
    assert reasons(NearDuplicate(on="prompt", threshold=likeness), rows)[1] is not None
    assert reasons(NearDuplicate(on="prompt", threshold=likeness + 1e-9), rows) == [None, None]


def test_what_is_compared_can_be_chosen():
    rng = random.Random(2)
    long, ends = text(rng), ("I list the files of it now", "Nothing at all was found in there")
    rows = frame(*({"instruction": f"{end} {n}", "messages": talk(long, end)} for n, end in enumerate(ends)))
    assert [why is None for why in reasons(NearDuplicate(on="messages"), rows)] == [True, False]
    assert reasons(NearDuplicate(on="trajectory"), rows) == [None, None]
    assert reasons(NearDuplicate(on="prompt"), rows) == [None, None]
    same = frame(*({"messages": talk(text(rng), "I list the files of it now")} for _ in range(2)))
    assert [why is None for why in reasons(NearDuplicate(on="trajectory"), same)] == [True, False]


def test_rows_of_other_tasks_can_be_left_alone():
    rows = frame(*({"task_id": task, "attempt": a, "instruction": "a b c d e f"} for task in "xy" for a in (0, 1)))
    assert [why is None for why in reasons(NearDuplicate(on="prompt"), rows)] == [True, False, False, False]
    within = reasons(NearDuplicate(on="prompt", within="task"), rows)
    same = "near_duplicate: 1.00 similar to {}/0"
    assert within == [None, same.format("x"), None, same.format("y")]


def test_no_row_goes_for_the_sake_of_one_that_went():
    words = VOCABULARY[:100]
    chain = [" ".join([*words[:100], *VOCABULARY[100 : 100 + more]]) for more in (0, 20, 40)]
    assert jaccard(chain[0], chain[1]) >= 0.8 > jaccard(chain[0], chain[2])
    assert jaccard(chain[1], chain[2]) >= 0.8
    found = reasons(NearDuplicate(on="prompt"), frame(*chain))
    assert found[0] is None and found[1] is not None and found[2] is None


def test_texts_without_words_are_like_nothing():
    assert reasons(NearDuplicate(on="prompt"), frame("", "", "...", "...")) == [None] * 4
    assert reasons(NearDuplicate(), frame()) == []


@pytest.mark.parametrize(("threshold", "words", "longest"), [(0.8, 60, 5), (0.8, 400, 50), (0.5, 60, 25)])
def test_planted_duplicates_are_found_and_nothing_else(threshold, words, longest):
    rng = random.Random(words)
    texts, best = [], []
    for _ in range(300):
        original = text(rng, words)
        copy = changed(rng, original, rng.randrange(1, longest))
        texts += [original, copy]
        best += [0.0, jaccard(original, copy)]
    found = reasons(NearDuplicate(on="prompt", threshold=threshold), frame(*texts))
    wanted = {at for at, likeness in enumerate(best) if likeness >= threshold}
    got = {at for at, why in enumerate(found) if why is not None}
    assert got <= wanted and len(got) >= 0.99 * len(wanted) and 80 < len(wanted) < 290


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join), max_size=8),
    threshold=st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    ngram=st.integers(1, 3),
)
def test_each_row_that_goes_is_like_the_row_that_it_names_which_stays(texts, threshold, ngram):
    found = reasons(NearDuplicate(on="prompt", threshold=threshold, ngram=ngram), frame(*texts))
    for at, why in enumerate(found):
        if why is None:
            continue
        said = re.fullmatch(r"near_duplicate: (\d\.\d\d) similar to t(\d+)/0", why)
        assert said is not None
        original = int(said[2])
        assert original < at and found[original] is None
        likeness = jaccard(texts[at], texts[original], ngram)
        assert likeness >= threshold and said[1] == f"{int(likeness * 100 + 1e-9) / 100:.2f}"
    kept = [texts[at] for at, why in enumerate(found) if why is None]
    assert reasons(NearDuplicate(on="prompt", threshold=threshold, ngram=ngram), frame(*kept)) == [None] * len(kept)


def test_rows_of_earlier_releases_stay_and_are_named(tmp_path: Path):
    rng = random.Random(3)
    old, own = text(rng), text(rng)
    folder = tmp_path / "first-release"
    (folder / "data").mkdir(parents=True)
    frame(old, old, own[:40]).collect().write_parquet(folder / "data" / "train-0.parquet")
    objects = pl.DataFrame({"messages": [[{"role": "user", "content": own}, {"role": "assistant", "content": "done"}]]})
    objects.write_parquet(tmp_path / "objects.parquet")
    rows = frame(changed(rng, old, 4), own, text(rng))
    found = reasons(NearDuplicate(against=(str(folder), str(tmp_path / "objects.parquet"))), rows)
    assert re.fullmatch(rf"near_duplicate: 0\.9\d similar to t[01]/0 of {folder}", found[0] or "")
    assert found[1] == f"near_duplicate: 1.00 similar to row 0 of {tmp_path / 'objects.parquet'}"
    assert found[2] is None
    filter = NearDuplicate(against=(str(folder),))
    assert list(filter.inputs()) == [folder / "data" / "train-0.parquet"] and not list(filter.problems())


def test_a_release_that_cannot_be_compared_is_said_before_the_run(tmp_path: Path):
    pl.DataFrame({"text": ["x"]}).write_parquet(tmp_path / "other.parquet")
    pl.DataFrame({"messages": ["x"]}).write_parquet(tmp_path / "flat.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "empty").mkdir()
    chosen = NearDuplicate(
        against=tuple(str(tmp_path / name) for name in ("other.parquet", "flat.parquet", "torn.parquet", "empty", "no"))
    )
    said = list(chosen.problems())
    for problem, words in zip(
        said, ["no column 'messages'; there are: text", "list of messages", "not a table", "no Parquet", "no run"],
        strict=True,
    ):  # fmt: skip
        assert problem.startswith("against: ") and words in problem


def test_ids_that_are_there_twice_are_refused():
    with pytest.raises(DataError, match=r"the id 'x/0' is there more than once; put `duplicate` before it"):
        reasons(NearDuplicate(), frame({"task_id": "x"}, {"task_id": "x"}))
