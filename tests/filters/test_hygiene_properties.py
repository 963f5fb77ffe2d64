"""What holds for all filters on text, whatever the rows."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.protocols import Filter
from filters.foreign_script import ForeignScript
from filters.format import Format
from filters.length import Length
from filters.personal_data import PersonalData
from filters.repetition import Repetition
from filters.secrets import Secrets
from filters.teacher_identity import TeacherIdentity
from tests.filters.hygiene_rows import frame, said, shown, typed

FILTERS: list[Filter] = [
    TeacherIdentity(),
    ForeignScript(),
    Secrets(),
    PersonalData(),
    Repetition(),
    Format(),
    Length(max_turns=4),
]
PIECES = [
    "I am Qwen",
    "检查",
    "AKIA" + "Q3EGT7ZL4M2KXW5P",
    "marta@firma.pl",
    "ls",
    "```",
    "no " * 250,
    '{"',
    "\\",
    "\n",
    "é",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=4).map(" ".join)
MESSAGES = st.one_of(
    TEXTS.map(said), TEXTS.map(shown), TEXTS.map(typed), st.just(said("ls", calls=[{"command": "ls"}]))
)
ROWS = st.lists(st.lists(MESSAGES, max_size=6).map(lambda messages: {"messages": messages}), max_size=5)


def left(rows: pl.LazyFrame, *filters: Filter) -> pl.DataFrame:
    """The rows that filters keep, one after another."""
    for chosen in filters:
        rows = rows.filter(chosen.reject(rows).is_null())
    return rows.collect()


@settings(max_examples=25, deadline=None)
@given(ROWS, st.permutations(FILTERS))
def test_what_is_kept_is_whole_and_owes_nothing_to_the_order(rows: list[dict], order: list[Filter]):
    given_rows = frame(*rows)
    kept = left(given_rows, *FILTERS)
    assert kept.equals(left(given_rows, *order))
    assert kept.equals(given_rows.filter(pl.col("id").is_in(kept["id"].to_list())).collect())


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_a_row_is_judged_alike_alone_and_among_others(rows: list[dict]):
    whole = frame(*rows)
    for chosen in FILTERS:
        together = whole.select(why=chosen.reject(whole)).collect()["why"].to_list()
        alone = [single.select(why=chosen.reject(single)).collect()["why"].item() for single in map(frame, rows)]
        assert together == alone
        assert all(reason is None or reason.startswith(f"{chosen.use_name}: ") for reason in together)


def test_each_says_that_it_judges_row_by_row():
    assert all(chosen.rowwise for chosen in FILTERS)


def test_each_accepts_a_table_without_rows():
    empty = frame()
    for chosen in FILTERS:
        assert empty.select(why=chosen.reject(empty)).collect()["why"].dtype == pl.String
