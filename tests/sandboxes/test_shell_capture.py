"""Marks in a stream, and what is kept of long output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxes.capture import Kept, Mark, Stream

TOKEN = "00ff00ff00ff00ff"
PIECES = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"\0", b"\0" + TOKEN.encode(), TOKEN.encode()])))


@given(PIECES, PIECES, st.integers(1, 7))
def test_a_mark_is_found_wherever_the_stream_is_cut(before: list[bytes], after: list[bytes], step: int) -> None:
    head, tail = b"".join(before), b"".join(after)
    if b"\0" + TOKEN.encode() + b"-" in head + b"|" + tail:
        return
    data = head + b"\0" + TOKEN.encode() + b"-name 7 /a b\0" + tail
    stream = Stream(TOKEN)
    pieces = [piece for at in range(0, len(data), step) for piece in stream.feed(data[at : at + step])]
    where = pieces.index(Mark("name", 7, "/a b"))
    assert b"".join(p for p in pieces[:where] if isinstance(p, bytes)) == head
    rest = b"".join(p for p in pieces[where + 1 :] if isinstance(p, bytes))
    assert tail.startswith(rest) and len(tail) - len(rest) <= len(TOKEN) + 1


@given(st.lists(st.binary(max_size=50)), st.integers(0, 60))
def test_both_ends_are_kept(chunks: list[bytes], limit: int) -> None:
    kept, whole = Kept(limit), b"".join(chunks)
    for chunk in chunks:
        kept.add(chunk)
    first, last = limit // 2, limit - limit // 2
    expected = whole if len(whole) <= limit else whole[:first] + whole[len(whole) - last :]
    assert kept.content() == expected
    assert kept.seen == len(whole)
