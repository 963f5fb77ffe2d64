"""Edits on arbitrary text: what is not named by an edit stays as it was, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datafactory.agent.editor_text import SHOWN, EditorError, around, inserted, lines_of, numbered, replaced

PIECES = st.sampled_from(["\n", "\r\n", "\r", "\t", " ", "a", "b", "é", "\u2028", "\x0c", "\x85", "\ufeff", "𝄞"])
TEXTS = st.lists(PIECES, max_size=30).map("".join)
PLAIN = TEXTS.map(lambda text: text.replace("\r", ""))


@given(PLAIN, PLAIN, PLAIN, PLAIN)
def test_a_replacement_changes_one_place_and_nothing_else(before: str, old: str, after: str, new: str):
    text = before + old + after
    assume(old and old != new and text.find(old) == len(before) and text.find(old, len(before) + 1) < 0)
    assert replaced(text, old, new).text == before + new + after


@given(PLAIN, PLAIN, PLAIN, PLAIN)
def test_a_replacement_in_a_crlf_file_is_that_of_the_plain_file(before: str, old: str, after: str, new: str):
    text = before + old + after
    assume(old and old != new and text.find(old) == len(before) and text.find(old, len(before) + 1) < 0)
    assume("\n" in text)
    made = replaced(text.replace("\n", "\r\n"), old, new)
    assert made.text == (before + new + after).replace("\n", "\r\n")


@given(TEXTS, st.data())
def test_a_replacement_can_be_turned_back_whatever_the_ends_of_lines(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    old = text[start : data.draw(st.integers(start, len(text)))]
    try:
        made = replaced(text, old, "<here>")
    except EditorError:
        plain, wanted = text.replace("\r\n", "\n"), old.replace("\r\n", "\n")
        places = sum(plain.startswith(wanted, at) for at in range(len(plain)))  # those that overlap count, too
        assert not old or places != 1 or "\r" in old
        return
    assert made.text.count("<here>") == 1
    head, tail = made.text.split("<here>")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert text[len(head) : len(text) - len(tail)].replace("\r\n", "\n") == old.replace("\r\n", "\n")


def test_the_ends_of_lines_that_do_not_change_stay_in_a_mixed_file():
    made = replaced("a\r\nb\nc\r\nd\r\n", "b\nc\nd", "b\nC\nd")
    assert made.text == "a\r\nb\nC\r\nd\r\n"


@given(TEXTS, PLAIN, st.data())
def test_an_insertion_keeps_all_that_was_there_and_adds_whole_lines(text: str, new: str, data: st.DataObject):
    count = len(lines_of(text))
    line = data.draw(st.integers(0, count))
    made = inserted(text, line, new)
    want = new.split("\n")[:-1] if new.endswith("\n") else new.split("\n")
    got = lines_of(made.text)
    if "\r" not in text:
        assert got == [*lines_of(text)[:line], *want, *lines_of(text)[line:]] or (not new and line == count)
    added = len(made.text) - len(text)
    assert any(made.text == text[:at] + made.text[at : at + added] + text[at:] for at in range(len(text) + 1))


@given(TEXTS, st.integers())
def test_a_line_that_is_not_there_is_an_error(text: str, line: int):
    assume(not 0 <= line <= len(lines_of(text)))
    with pytest.raises(EditorError, match="must be 0 to"):
        inserted(text, line, "x")


@pytest.mark.parametrize(
    ("text", "line", "new", "made"),
    [
        ("", 0, "x", "x\n"),
        ("a\nb\n", 0, "x", "x\na\nb\n"),
        ("a\nb\n", 1, "x\ny\n", "a\nx\ny\nb\n"),
        ("a\nb", 2, "x", "a\nb\nx"),
        ("a\nb", 1, "x", "a\nx\nb"),
        ("a\r\nb\r\n", 2, "x\ny", "a\r\nb\r\nx\r\ny\r\n"),
        ("a\u2028b\x0cc\n", 1, "x", "a\u2028b\x0cc\nx\n"),
    ],
)
def test_lines_are_put_in_where_they_belong(text: str, line: int, new: str, made: str):
    assert inserted(text, line, new).text == made


def test_several_matches_are_counted_and_named_by_line():
    with pytest.raises(EditorError, match=r"found 3 times, at lines 1, 3, 3; it must"):
        replaced("ab\n\nab ab\n", "ab", "x")
    with pytest.raises(EditorError, match="found 2 times, at lines 1, 1"):
        replaced("aaa", "aa", "x")
    with pytest.raises(EditorError, match="more than 20 times"):
        replaced("a" * 10_000_000, "a", "b")


@pytest.mark.parametrize(("old", "new", "why"), [("", "x", "empty"), ("a", "a", "the same"), ("A", "x", "not found")])
def test_what_cannot_be_replaced_is_said(old: str, new: str, why: str):
    with pytest.raises(EditorError, match=why):
        replaced("a\n", old, new)


@given(TEXTS, st.data())
def test_the_lines_around_an_edit_show_the_edit(text: str, data: st.DataObject):
    made = inserted(text, data.draw(st.integers(0, len(lines_of(text)))), "first\nsecond\n")
    shown = around(made).split("\n")
    assert f"{made.first:6}\tfirst" in shown
    assert f"{made.last:6}\tsecond" in shown


def test_a_long_view_is_cut_at_a_line_with_a_note():
    lines = ["x" * 99] * 1000
    shown = numbered(lines, 1, 1000)
    assert len(shown) < SHOWN + 100
    assert shown.endswith("[... lines 150 to 1000 are left out; name others with `view_range` ...]")
    assert "bytes omitted" in numbered(["x" * 1_000_000], 1, 1)
