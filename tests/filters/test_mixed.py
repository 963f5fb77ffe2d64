"""The order in which a student sees the rows."""

from collections import Counter

import polars as pl
import pytest
from pydantic import ValidationError

from datafactory.protocols import Curriculum
from filters import CURRICULA, TABLE
from filters.mixed import Mixed


def rows(tasks: int = 50, attempts: int = 4) -> pl.LazyFrame:
    """Attempts at tasks of two domains."""
    made = [
        {"id": f"t-{t}/{a}", "task_id": f"t-{t}", "attempt": a, "domain": ("x", "y")[t % 2]}
        for t in range(tasks)
        for a in range(attempts)
    ]
    return pl.LazyFrame(made)


def ids(curriculum: Mixed, seed: int = 7, of: pl.LazyFrame | None = None) -> list[str]:
    """The rows' ids, in order."""
    return curriculum.arrange(rows() if of is None else of, seed=seed).collect()["id"].to_list()


def test_all_rows_are_there_once_and_not_in_order():
    found = ids(Mixed())
    given = rows().collect()["id"].to_list()
    assert sorted(found) == sorted(given) and found != given


def test_the_order_follows_from_seed_and_ids_alone():
    assert ids(Mixed()) == ids(Mixed(), of=rows().reverse())
    assert ids(Mixed()) != ids(Mixed(), seed=8)
    some = rows().filter(pl.col("attempt") != 1)
    left = set(some.collect()["id"])
    assert ids(Mixed(), of=some) == [id for id in ids(Mixed()) if id in left]


def test_the_order_is_the_same_on_every_machine():
    assert ids(Mixed(), of=rows(3, 2)) == PINNED


PINNED = ["t-0/1", "t-2/1", "t-2/0", "t-0/0", "t-1/1", "t-1/0"]
"""Worked out once; a change of it reshuffles every published dataset."""


def test_columns_stay_as_they_are():
    assert Mixed(max_per_task=1, domains={"x": 2}).arrange(rows(), seed=1).collect_schema() == rows().collect_schema()


def test_a_task_gives_no_more_than_its_share_and_which_is_drawn():
    found = Mixed(max_per_task=2).arrange(rows(), seed=7).collect()
    assert set(Counter(found["task_id"]).values()) == {2} and found.height == 100
    assert len(set(found["attempt"])) == 4


def test_domains_are_thinned_and_repeated():
    counts = Counter(id for id in ids(Mixed(domains={"x": 0.0, "y": 2.0})))
    assert set(counts.values()) == {2} and len(counts) == 100
    half = Mixed(domains={"x": 0.5}).arrange(rows(400), seed=7).collect()["domain"].value_counts()
    shares = dict(half.iter_rows())
    assert shares["y"] == 800 and 340 < shares["x"] < 460
    places = [
        i for i, id in enumerate(ids(Mixed(domains={"x": 0.5}), of=rows(400))) if int(id[2:].split("/")[0]) % 2 == 0
    ]
    assert 500 < sum(places) / len(places) < 700, "the thinned domain is spread over the whole order"


def test_a_weight_must_be_a_number_of_times():
    with pytest.raises(ValidationError):
        Mixed(domains={"x": -1})


def test_the_tables_name_what_there_is():
    import importlib

    from datafactory.protocols import Filter

    for table, protocol in ((TABLE, Filter), (CURRICULA, Curriculum)):
        for address in table.values():
            module, _, name = address.partition(":")
            assert isinstance(getattr(importlib.import_module(module), name).model_construct(), protocol)


def test_no_rows_are_no_trouble():
    assert ids(Mixed(max_per_task=1, domains={"x": 2}), of=rows().head(0)) == []
