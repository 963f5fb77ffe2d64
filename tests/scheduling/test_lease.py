"""Of keepers on several hosts one is at work, and the book gives each slot once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.schedule import SimulatedClock
from datafactory.errors import DataError
from datafactory.scheduling import Book, Lease, Slot
from datafactory.whole import make_once

AT = datetime(2026, 3, 27, 3, tzinfo=UTC)


def test_one_holds_it_until_it_is_given_back(tmp_path: Path) -> None:
    clock = SimulatedClock()
    one, two = (Lease(tmp_path, clock, host=name, pid=1) for name in ("one", "two"))
    assert one.hold()
    assert not two.hold()
    assert two.who() == "one/1"
    one.leave()
    assert two.who() == ""
    assert two.hold()
    assert not one.hold()


def test_no_beat_for_a_while_ends_a_term_by_the_clock_of_who_looks(tmp_path: Path) -> None:
    clock = SimulatedClock()
    one, two = (Lease(tmp_path, clock, host=name, pid=1, patience=60) for name in ("one", "two"))
    one.hold()
    for _ in range(5):
        assert not two.hold()
        clock.passed += 40
        assert one.hold()
    assert not two.hold()
    clock.passed += 61
    assert two.hold()


def test_a_process_of_this_host_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    clock = SimulatedClock()
    Lease(tmp_path, clock, host="here", pid=child).hold()
    assert Lease(tmp_path, clock, host="here", pid=os.getpid()).hold()


def test_many_that_see_the_end_of_a_term_give_one_holder(tmp_path: Path) -> None:
    clock = SimulatedClock()
    Lease(tmp_path, clock, host="gone", pid=1).hold()
    others = [Lease(tmp_path, clock, host=f"host{number}", pid=1) for number in range(12)]
    assert not any(other.hold() for other in others)
    clock.passed += 61
    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(Lease.hold, others)) == 1


def test_a_slot_is_taken_once_by_many(tmp_path: Path) -> None:
    books = [Book(tmp_path) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda book: book.take(Slot(job="nightly", at=AT)), books))
    assert sum(taken) == 1
    assert [slot.stamp for slot in Book(tmp_path).slots("nightly")] == ["20260327T0300Z"]


def test_the_book_never_goes_back(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.take(Slot(job="nightly", at=AT))
    assert Book(tmp_path).since("nightly", datetime(2020, 1, 1, tzinfo=UTC)) == AT


def test_a_file_that_is_no_slot_is_named(tmp_path: Path) -> None:
    Book(tmp_path).take(Slot(job="nightly", at=AT))
    (tmp_path / "nightly" / "20260327T0300Z.json").write_text("{")
    with pytest.raises(DataError, match=r"20260327T0300Z\.json: no slot's file"):
        list(Book(tmp_path).slots("nightly"))


def test_a_file_is_made_once_and_whole(tmp_path: Path) -> None:
    assert make_once(tmp_path / "a" / "b", "first")
    assert not make_once(tmp_path / "a" / "b", "second")
    assert [path.read_text() for path in (tmp_path / "a").iterdir()] == ["first"]
