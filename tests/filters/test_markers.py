"""Markers name the turns that a student should not learn, with the reason, and leave the others."""

from __future__ import annotations

from typing import Any

from datafactory.protocols import Marker
from filters.markers.errors import Errors
from filters.markers.repeats import Repeats
from filters.markers.unfinished import Unfinished
from tests.filters.process_rows import Message, bash, call, edit, frame, result, said

WRONG = result("bash: frob: command not found\n[exit code 127]")


def marks(marker: Marker, *messages: Message, **row: Any) -> dict[int, str]:
    rows = frame({"messages": [said("Mend it.", "user"), *messages], **row})
    column = rows.select(m=marker.mark(rows)).collect()["m"].to_list()[0]
    assert len(column) == len(messages) + 1
    return {place: reason for place, reason in enumerate(column) if reason is not None}


def test_a_turn_that_failed_is_marked_and_the_one_that_mends_it_is_not() -> None:
    found = marks(
        Errors(), bash("frob"), WRONG, bash("ls"), result(), edit("a.py"), result("No replacement: ERROR: none")
    )
    assert set(found) == {1, 5} or set(found) == {1}
    assert found[1].startswith("errors: ")
    assert "127" in found[1] or "not found" in found[1]


def test_tests_that_fail_have_done_their_work() -> None:
    assert marks(Errors(), bash("pytest -q"), result("1 failed\n[exit code 1]")) == {}


def test_kinds_of_errors_can_be_chosen() -> None:
    assert marks(Errors(kinds=("timeout",)), bash("frob"), WRONG) == {}


def test_what_is_done_again_without_a_change_is_marked_once_more_only() -> None:
    look = [bash("ls src"), result("core.py\n[exit code 0]")]
    found = marks(Repeats(), *look, *look, *look)
    assert found == {
        3: "repeats: message 2 again, with the same result",
        5: "repeats: message 2 again, with the same result",
    }
    assert marks(Repeats(), *look, edit("src/core.py"), result(), *look) == {}


def test_turns_after_the_last_useful_one_are_marked_where_a_limit_ended_the_attempt() -> None:
    turns = [
        edit("a.py"),
        result(),
        bash("ls"),
        result("a.py\n[exit code 0]"),
        bash("cat a.py"),
        result("x\n[exit code 0]"),
    ]
    said_why = "unfinished: nothing useful was done after message 2, ended by turn_limit"
    assert marks(Unfinished(), *turns, stop="turn_limit") == {3: said_why, 5: said_why}
    assert marks(Unfinished(), *turns, stop="submitted") == {}
    whole = marks(Unfinished(whole=True), *turns, stop="turn_limit")
    assert whole == dict.fromkeys((1, 3, 5), "unfinished: ended by turn_limit")
    idle = marks(Unfinished(), call("think", thought="hm"), result(""), stop="time_limit")
    assert idle == {1: "unfinished: nothing useful was done, ended by time_limit"}
