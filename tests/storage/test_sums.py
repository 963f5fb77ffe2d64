"""Checksums: a line that a disk changed is told from one that was written, and a lost file of sums costs nothing."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from datafactory.storage import Journal, lines


def written(path: Path, *texts: bytes) -> None:
    async def write() -> None:
        async with Journal(path) as journal:
            list(journal.checked())
            for text in texts:
                await journal.append(text)

    asyncio.run(write())


def checked(path: Path) -> list[bytes]:
    async def read() -> list[bytes]:
        async with Journal(path) as journal:
            return list(journal.checked())

    return asyncio.run(read())


def sums(path: Path) -> Path:
    return path.with_name(path.name + ".crc")


def test_lines_have_their_sums_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, b"1", b"22", b"{}")
    assert sums(path).stat().st_size == 12
    assert checked(path) == [b"1", b"22", b"{}"]


@given(
    texts=st.lists(st.binary(min_size=1, max_size=9).filter(lambda t: b"\n" not in t), min_size=1), at=st.integers(0)
)
@settings(max_examples=40, deadline=None)
def test_any_bit_that_flips_is_found_with_its_line(texts: list[bytes], at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        written(path, *texts)
        data = bytearray(path.read_bytes())
        place = at % (8 * len(data))
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        if bytes(data).count(b"\n") < len(texts) and not data.endswith(b"\n"):
            return  # the last newline went: a torn line, which opening cuts and the count of lines tells
        with pytest.raises(DataError, match=r"a\.jsonl:\d+: the line is not what was written|lines are missing"):
            checked(path)


def test_lines_that_are_missing_at_the_end_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, b"1", b"2", b"3")
    path.write_bytes(b"1\n")
    with pytest.raises(DataError, match="2 lines are missing at its end"):
        checked(path)


@pytest.mark.parametrize("left", [0, 4, 7, 8, 12])
def test_sums_that_a_crash_left_short_are_made_good(tmp_path: Path, left: int) -> None:
    path = tmp_path / "a.jsonl"
    written(path, b"1", b"2", b"3")
    whole = sums(path).read_bytes()
    sums(path).write_bytes(whole[:left])
    assert checked(path) == [b"1", b"2", b"3"]
    assert sums(path).read_bytes() == whole
    written(path, b"4")
    assert checked(path) == [b"1", b"2", b"3", b"4"]


def test_a_torn_sum_past_the_last_line_does_not_shift_later_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, b"1")
    with sums(path).open("ab") as file:
        file.write(b"\x00\x01")
    written(path, b"2")
    assert checked(path) == [b"1", b"2"]


def test_a_journal_of_before_there_were_sums_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n2\n")
    assert checked(path) == list(lines(path)) == [b"1", b"2"]
    assert sums(path).stat().st_size == 8
