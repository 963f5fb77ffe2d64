"""Ledgers that are torn, foreign or damaged: said with the file's name and the way out, never taken for empty."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datafactory.calls import CALLS, Call, Ledger, spending
from datafactory.errors import DataError
from datafactory.types import Message, Reply

SAID = r"calls\.sqlite: not a readable ledger of calls \(.+\); .*--ask-again"


def key(number: int) -> bytes:
    return number.to_bytes(32)


async def filled(path: Path, count: int = 200) -> Path:
    """A ledger that was closed, with `count` answers."""
    async with Ledger(path / CALLS) as ledger:
        for number in range(count):
            reply = Reply(message=Message(role="assistant", content=f"answer {number}"))
            await ledger.keep(key(number), Call("rollout:t-1/0", "openai", reply))
    return path / CALLS


def text(path: Path) -> None:
    path.write_text("this is no database\n" * 1000)


def folder(path: Path) -> None:
    path.mkdir()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE calls (number TEXT)")


def header_only(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 84)


@pytest.mark.parametrize("make", [text, folder, foreign, header_only])
def test_what_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path, make: object) -> None:
    path = tmp_path / CALLS
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DataError, match=SAID):
        Ledger(path)
    with pytest.raises(DataError, match=SAID):
        spending(path)
    assert (path.read_bytes() if path.is_file() else None) == before


async def test_a_ledger_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = await filled(tmp_path, 1)
    with closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 2")
    with pytest.raises(DataError, match=r"its version is 2, and this program's is 1"):
        Ledger(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
async def test_a_ledger_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    path = await filled(tmp_path)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    with pytest.raises(DataError, match=SAID):
        async with Ledger(path) as ledger:
            for number in range(200):
                assert await ledger.find(key(number))


async def test_pages_that_were_overwritten_are_said_when_they_are_needed(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))
    with pytest.raises(DataError, match=SAID):
        async with Ledger(path) as ledger:
            await ledger.find(key(1))


@pytest.mark.parametrize("packed", [b"", b"garbage", b"x\x9c\x03\x00\x00\x00\x00\x01", "text", 7])
async def test_an_answer_that_is_damaged_is_said_and_not_asked_again_in_silence(
    tmp_path: Path, packed: bytes | str | int
) -> None:
    path = await filled(tmp_path, 2)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE calls SET reply = ? WHERE key = ?", (packed, key(0)))
        other.commit()
    async with Ledger(path) as ledger:
        with pytest.raises(DataError, match=r"an answer in it is damaged"):
            await ledger.find(key(0))
        assert await ledger.find(key(1)) is not None


@pytest.mark.parametrize("made", ["empty file", "empty database"])
async def test_what_a_run_left_that_was_killed_while_it_made_the_file_is_a_new_ledger(
    tmp_path: Path, made: str
) -> None:
    path = tmp_path / CALLS
    path.touch()
    if made == "empty database":
        with closing(sqlite3.connect(path)) as begun:
            begun.execute("PRAGMA journal_mode = WAL")
            assert path.stat().st_size > 0
    assert spending(path).total.calls == 0
    await filled(tmp_path, 1)
    assert spending(path).total.calls == 1


async def test_a_torn_log_of_a_killed_run_keeps_every_answer_that_was_synced_before(tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    copy = tmp_path / "killed" / CALLS
    async with Ledger(tmp_path / CALLS) as ledger:
        for number in range(20):
            reply = Reply(message=Message(role="assistant", content=f"answer {number}"))
            await ledger.keep(key(number), Call("rollout:t-1/0", "openai", reply))
        log = Path(f"{ledger.path}-wal").read_bytes()  # as kill -9 leaves it: the log is not moved over
        copy.write_bytes(ledger.path.read_bytes())
    Path(f"{copy}-wal").write_bytes(log[:-100])
    async with Ledger(copy) as ledger:
        found = [await ledger.find(key(number)) is not None for number in range(20)]
        assert found == [True] * 19 + [False]
        assert ledger.spending().total.calls == 19
