"""What each curriculum takes of the rows, and in which order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datafactory.errors import FilterError
from filters.curricula.bands import Band, Bands
from filters.curricula.control import Control
from filters.curricula.easy_to_hard import EasyToHard
from filters.curricula.mixed import Mixed
from filters.curricula.staged import Phase, Staged

SCHEMA = {
    **dict.fromkeys(("id", "task_id", "domain", "repo", "generator", "difficulty"), pl.String),
    "solved": pl.Boolean,
    "n_turns": pl.Int64,
}


def row(task: int, attempt: int, **more: Any) -> dict[str, Any]:
    made = {"id": f"t{task}/{attempt}", "task_id": f"t{task}", "domain": "x", "repo": "", "generator": "terminal"}
    return {**made, "difficulty": "easy", "solved": True, "n_turns": 3, **more}


def frame(*rows: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=SCHEMA)


def arranged(curriculum: Any, rows: pl.LazyFrame, seed: int = 7) -> pl.DataFrame:
    """As `arrange` calls it: with a number for each row, which must stay."""
    made: pl.DataFrame = curriculum.arrange(rows.with_row_index("_row"), seed=seed).collect()
    assert "_row" in made.columns
    assert [name for name in made.columns if name.startswith("_")] == ["_row"], "nothing of its own is left behind"
    return made


def test_a_repository_gives_no_more_than_its_share():
    rows = frame(*(row(n, 0, repo=("toolz", "sympy", "")[n % 3]) for n in range(60)))
    found = Counter(arranged(Mixed(max_per_repo=5), rows)["repo"])
    assert found == {"toolz": 5, "sympy": 5, "": 20}


def test_a_temperature_evens_domains_out():
    rows = frame(*(row(n, 0, domain="big" if n < 900 else "small") for n in range(1000)))
    counts = {t: Counter(arranged(Mixed(temperature=t), rows)["domain"]) for t in (1, 2, 1000)}
    assert counts[1] == {"big": 900, "small": 100}
    assert counts[2]["big"] == 900 and 270 <= counts[2]["small"] <= 330, "three times: the root of nine"
    assert counts[1000]["small"] > 850


def test_a_size_is_drawn_from_what_is_left():
    rows = frame(*(row(n, a) for n in range(40) for a in range(3)))
    some = arranged(Mixed(max_per_task=2, size=30), rows)
    assert some.height == 30 and max(Counter(some["task_id"]).values()) <= 2
    assert arranged(Mixed(size=500), rows).height == 120
    assert set(arranged(Mixed(size=30), rows)["id"]) < set(arranged(Mixed(size=60), rows)["id"])


def test_phases_follow_one_another_and_each_is_shuffled():
    rows = frame(*(row(n, 0, generator=("hero", "zero")[n % 2], domain=f"d{n % 5}") for n in range(100)))
    zero, hero = Phase(where={"generator": "zero"}), Phase(where={"generator": "hero"}, size=20)
    found = arranged(Staged(phases=(zero, hero)), rows)
    assert found["phase"].to_list() == [0] * 50 + [1] * 20
    assert set(found.head(50)["generator"]) == {"zero"} and set(found.tail(20)["generator"]) == {"hero"}
    assert found.head(50)["_row"].to_list() != sorted(found.head(50)["_row"])


@pytest.mark.parametrize(("rest", "phases"), [("last", [0, 1, 1]), ("first", [0, 0, 1]), ("drop", [0, 1])])
def test_what_fits_no_phase_goes_where_it_is_told(rest: Any, phases: list[int]):
    rows = frame(row(0, 0, generator="a"), row(1, 0, generator="b"), row(2, 0, generator="c"))
    phases_ = (Phase(where={"generator": "a"}), Phase(where={"generator": ("b", "bb")}))
    assert arranged(Staged(phases=phases_, rest=rest), rows)["phase"].to_list() == phases


def test_a_row_is_of_the_first_phase_that_it_fits():
    both = (Phase(where={"solved": True}), Phase(where={"generator": "terminal"}))
    assert arranged(Staged(phases=both), frame(row(0, 0), row(1, 0, solved=False)))["phase"].to_list() == [0, 1]


def test_a_phase_names_columns_that_there_are():
    with pytest.raises(FilterError, match="the rows have no column 'orign'"):
        arranged(Staged(phases=(Phase(where={"orign": "x"}),)), frame(row(0, 0)))


def test_easy_tasks_come_first():
    outcomes = {"t0": (1, 1, 1, 1), "t1": (1, 0, 1, 0), "t2": (0, 0, 0, 1), "t3": (0, 0, 0, 0)}
    rows = frame(*(row(int(task[1]), a, solved=bool(s)) for task, all_ in outcomes.items() for a, s in enumerate(all_)))
    found = arranged(EasyToHard(jitter=0), rows)["task_id"].to_list()
    assert [task for task, after in pairwise([*found, ""]) if task != after] == ["t0", "t1", "t2", "t3"]
    labels = frame(*(row(n, 0, difficulty=("hard", "easy", "medium")[n % 3]) for n in range(9)))
    order = arranged(EasyToHard(by="difficulty", jitter=0), labels)["difficulty"].to_list()
    assert order == ["easy"] * 3 + ["medium"] * 3 + ["hard"] * 3


def test_jitter_moves_rows_a_little_or_anywhere():
    rows = frame(*(row(n, 0, n_turns=n) for n in range(200)))
    turns = {j: arranged(EasyToHard(by="n_turns", jitter=j), rows)["n_turns"].to_list() for j in (0.0, 0.1)}
    assert turns[0.0] == list(range(200)) != turns[0.1]
    assert max(abs(place - turn) for place, turn in enumerate(turns[0.1])) <= 20


def test_each_band_has_its_share_of_the_scarcest():
    def task(number: int, solved: int) -> list[dict[str, Any]]:
        return [row(number, a, solved=a < solved) for a in range(4)]

    tasks = (
        [task(n, 0) for n in range(30)] + [task(100 + n, 2) for n in range(10)] + [task(200 + n, 4) for n in range(50)]
    )
    found = arranged(Bands(), frame(*(each for made in tasks for each in made)))
    rate = Counter(int(id[1:].split("/")[0]) // 100 for id in found["id"])
    assert rate == {0: 13, 1: 40, 2: 13}, "the middle has 40 rows for a share of three: 13 for a share of one"


def test_bands_reach_from_nothing_to_all():
    for ends in ((0.5,), (0.5, 0.2, 1.0), (0.5, 0.5, 1.0)):
        with pytest.raises(ValidationError, match="up_to must rise from band to band, and be 1 in the last"):
            Bands(bands=tuple(Band(up_to=end, share=1) for end in ends))


def test_arms_are_of_one_size_in_every_domain():
    rows = frame(
        *(row(n, 0, domain="x", solved=n % 4 == 0) for n in range(80)),
        *(row(100 + n, 0, domain="y", solved=n % 4 != 0) for n in range(40)),
        row(999, 0, solved=None),
    )
    made = {arm: arranged(Control(arm=arm), rows) for arm in ("solved", "failed", "mixed")}
    assert {arm: sorted(Counter(found["domain"]).items()) for arm, found in made.items()} == {
        arm: [("x", 20), ("y", 10)] for arm in made
    }
    assert set(made["solved"]["solved"]) == {True} and set(made["failed"]["solved"]) == {False}
    assert set(made["mixed"]["solved"]) == {True, False}
    assert arranged(Control(arm="solved", size=7), rows).height == 7


def test_an_arm_is_one_of_the_comparison():
    with pytest.raises(ValidationError, match="arm 'mixed' is none of solved, failed"):
        Control(arm="mixed", of=("solved", "failed"))


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 9))
def test_the_order_of_the_file_does_not_matter(random: Any, which: int):
    rows = [row(n, a, solved=(n + a) % 3 > 0, domain=f"d{n % 2}", n_turns=n) for n in range(8) for a in range(3)]
    mixed = list(rows)
    random.shuffle(mixed)
    phases = (Phase(where={"domain": "d1"}, max_per_task=1), Phase(where={"domain": "d0"}))
    curricula = [Mixed(temperature=2, size=9), Staged(phases=phases), EasyToHard(), Bands(), Control(arm="failed")]
    curriculum = curricula[which % len(curricula)]
    assert arranged(curriculum, frame(*rows))["id"].to_list() == arranged(curriculum, frame(*mixed))["id"].to_list()
