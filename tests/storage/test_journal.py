"""Journals: what an append promises, whatever happens to the file."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from datafactory.storage import Journal, lines, rows
from datafactory.storage.journal import CHUNK


async def test_an_append_returns_the_offset_of_its_line_once_it_is_on_disk(tmp_path: Path) -> None:
    async with Journal(tmp_path / "a.jsonl") as journal:
        first = await journal.append(b'{"n": 1}')
        second = await journal.append(b'{"n": 22}')
        assert (tmp_path / "a.jsonl").read_bytes() == b'{"n": 1}\n{"n": 22}\n'
        assert (first, second) == (0, 9)
        assert journal.at(first) == b'{"n": 1}'
        assert journal.at(second) == b'{"n": 22}'


async def test_a_torn_last_line_is_cut_at_whatever_byte_it_was_torn(tmp_path: Path) -> None:
    whole = b'{"n": 1}\n{"n": 2}\n'
    last = '{"text": "π\\n"}\n'.encode()
    for torn in range(len(last)):
        path = tmp_path / f"{torn}.jsonl"
        path.write_bytes(whole + last[:torn])
        async with Journal(path) as journal:
            assert journal.cut == torn
            assert journal.size == len(whole)
            assert await journal.append(b'{"n": 3}') == len(whole)
        assert path.read_bytes() == whole + b'{"n": 3}\n'


@given(texts=st.lists(st.text(max_size=30), max_size=12), cut=st.integers(min_value=0))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_anywhere_opens_with_its_complete_lines(texts: list[str], cut: int) -> None:
    written = [json.dumps({"t": text}).encode() for text in texts]
    data = b"".join(line + b"\n" for line in written)
    left = data[: cut % (len(data) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(left)
        journal = Journal(path)
        asyncio.run(journal.close())
        assert list(lines(path)) == written[: left.count(b"\n")]
        assert path.stat().st_size + journal.cut == len(left)


async def test_a_torn_line_longer_than_one_read_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n" + b"x" * (2 * CHUNK + 5))
    async with Journal(path) as journal:
        assert (journal.size, journal.cut) == (3, 2 * CHUNK + 5)
    assert path.read_bytes() == b"{}\n"


async def test_a_file_that_is_one_torn_line_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1')
    async with Journal(path) as journal:
        assert journal.size == 0
    assert path.read_bytes() == b""


async def test_lines_longer_than_one_read_come_back_whole(tmp_path: Path) -> None:
    long = b'"' + b"y" * (CHUNK + 17) + b'"'
    async with Journal(tmp_path / "a.jsonl") as journal:
        offsets = [await journal.append(line) for line in (b"1", long, b"2")]
        assert list(lines(journal.path)) == [b"1", long, b"2"]
        assert [journal.at(offset) for offset in offsets] == [b"1", long, b"2"]


def test_concurrent_appends_share_their_syncs(tmp_path: Path) -> None:
    done = _child(tmp_path, _APPEND_200)
    assert done.returncode == 0, done.stderr
    syncs = int(done.stdout)
    assert 1 <= syncs <= 20, f"200 appends took {syncs} syncs"
    assert sorted(row["n"] for row in rows(tmp_path / "a.jsonl")) == list(range(200))


_APPEND_200 = """
    import asyncio, os, pathlib, threading
    from datafactory.storage import Journal

    syncs = 0

    def profile(frame, event, arg):  # sees every call of C code in the journal's thread
        global syncs
        if event == "c_call" and arg is os.fdatasync:
            syncs += 1

    async def main():
        threading.setprofile(profile)
        async with Journal(pathlib.Path("a.jsonl")) as journal:
            await asyncio.gather(*(journal.append(b'{"n": %d}' % n) for n in range(200)))

    asyncio.run(main())
    print(syncs)
"""


def _child(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_full_disk_is_a_storage_error_and_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    done = _child(
        tmp_path,
        """
        import asyncio, pathlib, resource
        from datafactory.errors import StorageError
        from datafactory.storage import Journal

        path = pathlib.Path("a.jsonl")

        async def main():
            async with Journal(path) as journal:
                await journal.append(b'{"n": 1}')
                resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))
                tried = [journal.append(b'{"text": "%s"}' % (b"x" * 30)) for _ in range(3)]
                said = await asyncio.gather(*tried, return_exceptions=True)
                assert all(isinstance(error, StorageError) and "a.jsonl" in str(error) for error in said), said
                assert path.read_bytes() == b'{"n": 1}\\n', path.read_bytes()
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                assert await journal.append(b'{"n": 2}') == 9
                assert journal.at(9) == b'{"n": 2}'
            assert path.read_bytes() == b'{"n": 1}\\n{"n": 2}\\n'

        asyncio.run(main())
        """,
    )
    assert done.returncode == 0, done.stderr


async def test_a_reader_gets_every_line_once_whether_it_is_slow_or_fast(tmp_path: Path) -> None:
    ended = asyncio.Event()
    got: dict[str, list[bytes]] = {"fast": [], "slow": [], "late": []}

    async def reader(name: str, pause: float) -> None:
        async for line in journal.follow(ended):
            got[name].append(line)
            await asyncio.sleep(pause)

    written = [b'{"n": %d}' % n for n in range(120)]
    async with Journal(tmp_path / "a.jsonl") as journal:
        readers = [asyncio.create_task(reader("fast", 0)), asyncio.create_task(reader("slow", 0.002))]
        for start in range(0, 120, 10):
            await asyncio.gather(*(journal.append(line) for line in written[start : start + 10]))
        ended.set()
        readers.append(asyncio.create_task(reader("late", 0)))
        await asyncio.wait_for(asyncio.gather(*readers), 10)
    assert got == {"fast": written, "slow": written, "late": written}


async def test_a_reader_of_an_empty_journal_ends_when_the_stage_does(tmp_path: Path) -> None:
    ended = asyncio.Event()
    async with Journal(tmp_path / "a.jsonl") as journal:
        reading = asyncio.create_task(_all(journal, ended))
        await asyncio.sleep(0.01)
        assert not reading.done()
        ended.set()
        assert await asyncio.wait_for(reading, 5) == []


async def test_a_reader_of_a_long_journal_lets_others_run(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(b'{"n": %06d}\n' % n for n in range(50_000)))
    ended = asyncio.Event()
    ended.set()
    beats = 0

    async def heart() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    beating = asyncio.create_task(heart())
    async with Journal(path) as journal:
        assert len(await _all(journal, ended)) == 50_000
    beating.cancel()
    assert beats >= 8


async def _all(journal: Journal, ended: asyncio.Event) -> list[bytes]:
    return [line async for line in journal.follow(ended)]


async def test_memory_does_not_grow_with_a_reader_that_lags(tmp_path: Path) -> None:
    import tracemalloc

    ended = asyncio.Event()
    async with Journal(tmp_path / "a.jsonl") as journal:
        lagging = journal.follow(ended)
        line = b'{"text": "%s"}' % (b"z" * 100_000)
        await journal.append(line)
        assert await anext(lagging) == line
        tracemalloc.start()
        for _ in range(300):
            await journal.append(line)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await lagging.aclose()
    assert held < 1_000_000
    assert peak < 3_000_000


def test_a_broken_line_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\nnot json\n{"n": 2}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: not JSON"):
        list(rows(path))
    path.write_bytes(b'{"n": 1}\n[1]\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: not a JSON object"):
        list(rows(path))


def test_rows_of_a_missing_file_are_none(tmp_path: Path) -> None:
    assert list(rows(tmp_path / "none.jsonl")) == []


def test_rows_pass_over_a_torn_last_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"n": 1}\n{"n": ')
    assert list(rows(tmp_path / "a.jsonl")) == [{"n": 1}]
