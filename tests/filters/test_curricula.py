"""Phases, easy to hard, bands and controls: who is in, in which order, and why."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from datafactory.errors import ConfigError
from datafactory.registry import build
from filters.curricula.bands import Bands
from filters.curricula.control import Control
from filters.curricula.easy_to_hard import EasyToHard
from filters.curricula.staged import Staged
from filters.mixed import Mixed

Row = dict[str, Any]


def rows(solved_of_8: int = 9, **more: Any) -> pl.LazyFrame:
    """Eight attempts at each of so many tasks; of task `t3` three are solved."""
    made = [
        {
            "id": f"t{t}/{a}",
            "task_id": f"t{t}",
            "domain": "xy"[t % 2],
            "solved": a < t,
            "difficulty": ("easy", "medium", "hard")[t % 3],
            "n_turns": 3 * a + t,
            "n_chars": 100 * (a + 1),
            "student_tokens": None,
            "origin": ("zero", "hero")[a % 2],
            **more,
        }
        for t in range(solved_of_8)
        for a in range(8)
    ]
    return pl.LazyFrame(made, schema_overrides={"student_tokens": pl.Int64})


def arranged(curriculum: Any, given: pl.LazyFrame | None = None, seed: int = 7) -> pl.DataFrame:
    """The rows in the curriculum's order."""
    return curriculum.arrange(rows() if given is None else given, seed=seed).collect()


def rises(values: list[Any]) -> bool:
    """Whether none is smaller than the one before it."""
    return all(a <= b for a, b in pairwise(values))


def test_phases_follow_each_other_and_are_numbered():
    zero, hero = Mixed(where={"origin": "zero"}, max_per_task=1), Mixed(where={"origin": "hero", "solved": True})
    found = arranged(Staged(phases=(zero, hero)))
    assert rises(found["phase"].to_list()) and found["phase"].dtype == pl.Int64
    assert found.filter(phase=0).drop("phase").equals(arranged(zero))
    assert found.filter(phase=1).drop("phase").equals(arranged(hero))
    assert set(found.filter(phase=1)["solved"]) == {True}


def test_a_row_of_two_phases_is_seen_in_both_and_one_of_none_is_left_out():
    found = arranged(Staged(phases=(Mixed(where={"task_id": "t1"}), Mixed(where={"task_id": ["t1", "t2"]}))))
    assert Counter(found["task_id"].to_list()) == {"t1": 16, "t2": 8}


def test_phases_are_read_from_a_pipeline_file_and_account_for_themselves():
    problems: list[Any] = []
    phases = [{"use": "mixed", "where": {"origin": "zero"}}, {"use": "easy_to_hard", "where": {"origin": "hero"}}]
    made: Any = build("curriculum", {"use": "staged", "phases": phases}, (), problems)
    assert not problems
    said = [(step["phase"], step["rule"], step["rows"]) for step in made.account(rows(), seed=7)]
    assert said == [(0, "where origin zero", 36), (1, "where origin hero", 36)]
    assert made.describe()["phases"][0]["where"] == {"origin": "zero"}


def test_a_phase_has_no_phases_of_its_own():
    inner = Staged(phases=(Mixed(), Mixed()))
    with pytest.raises(ValidationError, match="a phase may not have phases of its own"):
        Staged(phases=(Mixed(), inner))


def test_tasks_that_were_solved_often_come_first():
    found = arranged(EasyToHard())
    tasks = list(dict.fromkeys(found["task_id"]))
    assert tasks == [f"t{t}" for t in range(8, -1, -1)]
    assert found["id"].to_list()[:8] != sorted(found["id"].to_list()[:8]), "equals are shuffled"
    assert list(dict.fromkeys(arranged(EasyToHard(reverse=True))["task_id"])) == tasks[::-1]


def test_the_pass_rate_is_that_of_all_rows_whichever_are_seen():
    found = arranged(EasyToHard(where={"solved": True}))
    assert list(dict.fromkeys(found["task_id"])) == [f"t{t}" for t in range(8, 0, -1)]


def test_few_attempts_say_less_and_none_say_nothing():
    made = [("often", True)] * 8 + [("once", True)] + [("never", None)] + [("missed", False)]
    given = pl.LazyFrame([{"id": f"{t}/{at}", "task_id": t, "solved": s} for at, (t, s) in enumerate(made)])
    assert list(dict.fromkeys(arranged(EasyToHard(), given)["task_id"])) == ["often", "once", "never", "missed"]


@pytest.mark.parametrize(("measure", "column"), [("turns", "n_turns"), ("chars", "n_chars")])
def test_short_attempts_come_first(measure, column):
    assert rises(arranged(EasyToHard(measure=measure))[column].to_list())


def test_the_generators_label_sorts():
    assert list(dict.fromkeys(arranged(EasyToHard(measure="difficulty"))["difficulty"])) == ["easy", "medium", "hard"]


def test_tokens_that_nobody_counted_cannot_sort():
    with pytest.raises(ConfigError, match="measure tokens: 72 rows have no student_tokens"):
        arranged(EasyToHard(measure="tokens"))


def test_jitter_moves_rows_no_further_than_it_says():
    given, strict = rows(40), EasyToHard(measure="chars")
    loose = arranged(EasyToHard(measure="chars", jitter=0.2), given)
    places = {id: at / 320 for at, id in enumerate(loose["id"])}
    # A row's key is 0.8 times its place among 8 lengths, plus up to 0.2.
    before = {id: (length / 100 - 0.5) / 8 for id, length in loose.select("id", "n_chars").iter_rows()}
    moved = [abs(places[id] - before[id]) for id in places]
    assert 0.05 < max(moved) < 0.3
    assert not rises(loose["n_chars"].to_list())
    assert (
        arranged(EasyToHard(measure="chars", jitter=1), given)["id"].to_list()
        != arranged(strict, given)["id"].to_list()
    )


def test_bands_have_their_shares_and_no_row_twice():
    found = arranged(Bands(edges=(0, 0.5, 0.9), shares=(0, 2, 1, 0)))
    of_task = Counter(found["task_id"].to_list())
    low, high = (sum(of_task[f"t{t}"] for t in some) for some in ((1, 2, 3, 4), (5, 6, 7)))
    assert (low, high) == (32, 16) and set(of_task) <= {f"t{t}" for t in range(1, 8)}
    assert found["id"].is_unique().all() and found.columns == rows().collect_schema().names()


def test_bands_take_a_size_and_weights():
    sized = Bands(edges=(0.5,), shares=(3, 1), rows=40, domains={"x": 0})
    found = arranged(sized)
    assert set(found["domain"]) == {"y"}
    assert Counter("high" if int(t[1:]) > 4 else "low" for t in found["task_id"]) == {"low": 16, "high": 16}
    assert [step["rule"] for step in sized.account(rows(), seed=7)] == [
        "verified",
        "shares 3:1, weights by domain, 40 rows",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"edges": (0.5, 0.5), "shares": (1, 1, 1)}, "edges must rise, and are 0.5, 0.5"),
        ({"edges": (0.5,), "shares": (1,)}, "1 edges make 2 bands, and shares has 1"),
        ({"edges": (0.5,), "shares": (0, 0)}, "shares are all 0"),
        ({"temperature": 2}, "`temperature` and `by` have no say"),
    ],
)
def test_bands_that_cannot_be_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Bands(**fields)


def test_arms_have_one_size_and_hold_what_they_name():
    found = {arm: arranged(Control(arm=arm)) for arm in ("solved", "failed", "mixed")}
    assert {frame.height for frame in found.values()} == {36}  # of 72, t solved of each 8
    assert set(found["solved"]["solved"]) == {True} and set(found["failed"]["solved"]) == {False}
    assert set(found["mixed"]["solved"]) == {True, False}


def test_matched_arms_have_as_many_rows_of_each_task():
    found = {arm: arranged(Control(arm=arm, match=("task",))) for arm in ("solved", "failed", "mixed")}
    counts = [Counter(frame["task_id"].to_list()) for frame in found.values()]
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] == {f"t{t}": min(t, 8 - t) for t in range(1, 8)}


def test_matching_by_length_and_domain_holds_for_their_pairs():
    given = {arm: arranged(Control(arm=arm, match=("domain", "length"), rows=20)) for arm in ("solved", "failed")}
    sizes = {arm: frame.height for arm, frame in given.items()}
    assert sizes == {"solved": 20, "failed": 20}
    lengths = [
        Counter((d, n.bit_length()) for d, n in frame.select("domain", "n_chars").iter_rows())
        for frame in given.values()
    ]
    assert lengths[0] == lengths[1] and len(lengths[0]) > 2


def test_arms_of_ones_own_and_what_they_could_give():
    control = Control(arm="zero", arms={"zero": {"origin": "zero"}, "hero": {"origin": "hero"}}, max_per_task=2)
    assert control.account(rows(), seed=7) == [
        {"rule": "arm zero: origin zero", "rows": 18},
        {"rule": "arm hero: origin hero", "rows": 18},
        {"rule": "rows that every arm can give", "rows": 18},
    ]
    assert set(arranged(control)["origin"]) == {"zero"}


def test_an_arm_that_is_not_there_is_refused():
    with pytest.raises(ValidationError, match="arm: there is no 'solvd'; did you mean 'solved'"):
        Control(arm="solvd")


CURRICULA = [
    EasyToHard(jitter=0.3, max_per_task=3),
    Bands(),
    Control(arm="mixed", match=("domain",)),
    Staged(phases=(Mixed(temperature=2), EasyToHard())),
]


@pytest.mark.parametrize("curriculum", CURRICULA, ids=lambda made: made.use_name)
def test_the_order_of_the_rows_and_their_text_do_not_matter(curriculum):
    given = rows()
    found = arranged(curriculum, given)
    assert found.height and found.equals(arranged(curriculum, given.reverse()))
    assert not found.equals(arranged(curriculum, given, seed=8))
    once = found.drop("phase", strict=False).unique("id", maintain_order=True)
    assert once.equals(given.collect()[[given.collect()["id"].index_of(id) for id in once["id"]]]), "rows stay whole"


@pytest.mark.parametrize("curriculum", CURRICULA, ids=lambda made: made.use_name)
def test_no_rows_are_no_trouble(curriculum):
    assert arranged(curriculum, rows().head(0)).height == 0
