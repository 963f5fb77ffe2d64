"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.errors import StorageError
from datafactory.whole import whole


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for text in ("first", "second"):
        with whole(path) as draft:
            draft.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_what_breaks_halfway_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(KeyError, match="mine"), whole(path) as draft:
        draft.write_text("half")
        raise KeyError("mine")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="writing"), whole(tmp_path / "file" / "inner"):
        raise AssertionError("must not come so far")
