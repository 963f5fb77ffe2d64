"""Slots are those of the cron line, each once, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.scheduling.slots import endless, following, slots

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)


def shown(cron: str, timezone: str, after: datetime, count: int) -> list[str]:
    return [f"{at:%d %H:%M}" for at in islice(endless(cron, timezone, after), count)]


def test_hours_are_those_of_the_time_zone() -> None:
    assert shown("0 3 * * *", BERLIN, datetime(2026, 7, 1, tzinfo=UTC), 2) == ["01 01:00", "02 01:00"]
    assert shown("0 3 * * 1", "UTC", datetime(2026, 7, 1, tzinfo=UTC), 2) == ["06 03:00", "13 03:00"]


def test_an_hour_that_is_left_out_is_made_up_for_right_after_it() -> None:
    assert shown("30 2 * * *", BERLIN, SPRING, 2) == ["29 01:00", "30 00:30"]


def test_an_hour_that_comes_twice_counts_once_for_fixed_hours_and_twice_for_every_half_hour() -> None:
    assert shown("30 2 * * *", BERLIN, AUTUMN, 2) == ["25 00:30", "26 01:30"]
    assert shown("*/30 * * * *", BERLIN, AUTUMN + timedelta(hours=4), 5) == [
        "25 00:30",
        "25 01:00",
        "25 01:30",
        "25 02:00",
        "25 02:30",
    ]


@given(
    minutes=st.lists(st.integers(0, 12 * 60), max_size=6),
    cron=st.sampled_from(["*/7 * * * *", "30 2 * * *", "15 */2 * * *", "0,30 1-3 * * *"]),
    begin=st.sampled_from([SPRING, AUTUMN]),
)
def test_looking_in_pieces_finds_what_looking_once_finds(minutes: list[int], cron: str, begin: datetime) -> None:
    until = begin + timedelta(hours=12)
    cuts = [begin, *sorted(begin + timedelta(minutes=minute) for minute in minutes), until]
    pieces = [at for one, other in pairwise(cuts) for at in slots(cron, BERLIN, one, other)]
    assert pieces == list(slots(cron, BERLIN, begin, until))


@pytest.mark.parametrize("line", ["every day", "0 0 30 2 *", "99 * * * *", "0 0 3 * * 1", ""])
def test_a_line_that_is_none_says_what_one_looks_like(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no cron line .* such as '0 3 "):
        following(line, "UTC", SPRING)
