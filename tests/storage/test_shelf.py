"""Shelves: what is on disk is the state, and a broken file is named."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from datafactory.errors import DataError, RunError, StorageError
from datafactory.storage import FAILURES, MANIFEST, RECORDS, REJECTS, TABLE, Shelf, read_manifest
from datafactory.types import Failure, Message, Record, Reject, Trajectory


class Row(Record):
    """A row of these tests."""

    id: str
    text: str = ""


def lost(key: str) -> Failure:
    return Failure(key=key, boundary="opening a box", kind="SandboxError", error="gone", tries=3, at="2026-01-01")


async def filled(folder: Path) -> None:
    async with Shelf(folder, Row) as shelf:
        await shelf.keep("a", Row(id="a", text="first"))
        await shelf.keep("b", Row(id="b"))
        await shelf.reject(Reject(key="c", reason="too_long"))
        await shelf.lose(lost("d"))


async def test_a_shelf_opens_as_it_was_left(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Shelf(tmp_path, Row) as shelf:
        assert [shelf.has(key) for key in "abcd"] == [True, True, True, False]
        assert (shelf.kept, shelf.resumed, dict(shelf.dropped), shelf.lost) == (2, 2, {"too_long": 1}, {"d"})
        assert shelf.get("a") == Row(id="a", text="first")
        assert [row.id for row in shelf] == ["a", "b"]
        assert not shelf.sealed


async def test_what_was_lost_and_is_done_since_is_lost_no_more(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Shelf(tmp_path, Row) as shelf:
        await shelf.keep("d", Row(id="d"))
        assert shelf.lost == set()
    async with Shelf(tmp_path, Row) as shelf:
        assert shelf.lost == set()
    async with Shelf(tmp_path, Row) as shelf:
        await shelf.lose(lost("e"))
        await shelf.reject(Reject(key="e", reason="flaky"))
        assert shelf.lost == set()


async def test_a_key_that_is_taken_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Shelf(tmp_path, Row) as shelf:
        for key in "ac":
            with pytest.raises(RunError, match=f"'{key}' came a second time"):
                await shelf.keep(key, Row(id=key))
            with pytest.raises(RunError, match=f"'{key}' came a second time"):
                await shelf.reject(Reject(key=key, reason="again"))
    assert len((tmp_path / RECORDS).read_text().splitlines()) == 2


async def test_of_two_records_of_one_key_at_the_same_time_one_is_kept(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        said = await asyncio.gather(*(shelf.keep("a", Row(id="a")) for _ in range(2)), return_exceptions=True)
        assert [type(error) for error in said] == [type(None), RunError]
        assert shelf.kept == 1


async def test_a_record_under_a_key_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(RunError, match="the item 'a' made a Row whose key is 'b'"):
            await shelf.keep("a", Row(id="b"))
        assert shelf.kept == 0


async def test_a_key_that_the_disk_refused_is_free_again(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        (tmp_path / RECORDS).mkdir()
        with pytest.raises(StorageError, match=r"records\.jsonl"):
            await shelf.keep("a", Row(id="a"))
        assert not shelf.has("a")
        (tmp_path / RECORDS).rmdir()
        await shelf.keep("a", Row(id="a"))
        assert shelf.has("a")


async def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/shelf"):
        Shelf(tmp_path / "file" / "shelf", Row)


async def test_half_a_surrogate_pair_in_an_answer_is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    said = Message(role="assistant", content="cut \ud83d, whole \ud83d\ude00")
    row = Trajectory(task_id="t", attempt=0, teacher="x", agent="tools", messages=(said,), stop="truncated")
    async with Shelf(tmp_path, Trajectory) as shelf:
        await shelf.keep("t/0", row)
        assert shelf.get("t/0").messages[0].content == "cut \ufffd, whole \U0001f600"
    async with Shelf(tmp_path, Trajectory) as shelf:
        assert shelf.has("t/0")


async def test_a_seal_is_read_back_and_ends_the_shelf(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        await shelf.keep("a", Row(id="a"))
        shelf.seal({"kept": 1, "rejected": {}})
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    async with Shelf(tmp_path, Row) as shelf:
        assert shelf.sealed
        assert shelf.manifest == {"kept": 1, "rejected": {}}
        assert [row.id async for row in shelf.follow()] == ["a"]


async def test_a_seal_that_was_interrupted_is_no_seal(tmp_path: Path) -> None:
    (tmp_path / f".{MANIFEST}.123").write_text('{"kept": 1, "rej')
    async with Shelf(tmp_path, Row) as shelf:
        assert not shelf.sealed


@pytest.mark.parametrize("left", [0, 1])
async def test_a_complete_stage_whose_records_are_gone_is_no_complete_stage(tmp_path: Path, left: int) -> None:
    folder = tmp_path / "2-rollout-0123abcd"
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps({"kept": 2, "rejected": {}}))
    (folder / RECORDS).write_text('{"id": "a"}\n' * left)
    with pytest.raises(DataError, match=rf"complete with 2 records, but {left} are there.*--from rollout"):
        Shelf(folder, Row)


async def test_a_columnar_shelf_tells_its_counts_from_the_manifest(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({"kept": 7, "rejected": {"length": 2}}))
    (tmp_path / TABLE).touch()
    async with Shelf(tmp_path, Row) as shelf:
        assert (shelf.kept, shelf.dropped["length"]) == (7, 2)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"kept": 1}', "\x00"])
def test_a_broken_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json: not "):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        (RECORDS, "gibberish", "not a Row in JSON"),
        (RECORDS, "[1]", "not a Row in JSON"),
        (RECORDS, '{"text": "no id"}', "not a Row in JSON"),
        (REJECTS, '{"reason": "x"}', "no 'key'"),
        (REJECTS, '{"key": "x"}', "no 'reason'"),
        (FAILURES, '{"kind": "x"}', "no 'key'"),
        (FAILURES, "gibberish", "not JSON"),
    ],
)
async def test_a_broken_line_is_named_with_file_and_number(tmp_path: Path, name: str, line: str, said: str) -> None:
    await filled(tmp_path)
    before = len((tmp_path / name).read_text().splitlines())
    with (tmp_path / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError) as caught:
        Shelf(tmp_path, Row)
    assert str(caught.value).startswith(f"{tmp_path / name}:{before + 1}: {said}")


async def test_a_record_that_stands_twice_is_named(tmp_path: Path) -> None:
    await filled(tmp_path)
    with (tmp_path / RECORDS).open("a") as file:
        file.write('{"id": "a", "text": ""}\n')
    with pytest.raises(DataError, match=r"records\.jsonl:3: a stands here a second time"):
        Shelf(tmp_path, Row)


async def test_whoever_sees_a_record_finds_it_by_its_key(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        missed = []

        async def watch() -> None:
            async for row in shelf.follow():
                missed.extend([] if shelf.has(row.id) else [row.id])

        async def spin() -> None:
            while not shelf.ended.is_set():
                await asyncio.sleep(0)
                seen = {row.id for row in shelf}
                missed.extend(key for key in seen if not shelf.has(key))

        watching = [asyncio.create_task(watch()), asyncio.create_task(spin())]
        for n in range(20):
            await shelf.keep(str(n), Row(id=str(n)))
        shelf.ended.set()
        await asyncio.gather(*watching)
    assert missed == []


async def test_a_record_whose_writer_was_cancelled_is_on_the_shelf_all_the_same(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        writing = asyncio.create_task(shelf.keep("a", Row(id="a")))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await shelf.keep("b", Row(id="b"))
        assert [row.id for row in shelf] == ["a", "b"]
        assert (shelf.has("a"), shelf.kept) == (True, 2)


async def test_a_table_of_a_shelf_that_is_not_complete_is_no_table(tmp_path: Path) -> None:
    await filled(tmp_path)
    (tmp_path / TABLE).write_bytes(b"of a and b alone")
    async with Shelf(tmp_path, Row) as shelf:
        assert not (tmp_path / TABLE).exists()
        shelf.seal({"kept": 2, "rejected": {}})
    (tmp_path / TABLE).write_bytes(b"of all")
    async with Shelf(tmp_path, Row):
        assert (tmp_path / TABLE).exists()
