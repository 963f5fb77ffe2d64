"""What plain words of a pipeline file mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError
from datafactory.pipeline.document import read


def value(folder: Path, text: str) -> Any:
    (folder / "p.yaml").write_text(f"key: {text}\n")
    return read(folder / "p.yaml").value["key"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1e3", 1000.0),
        ("1.5e-3", 0.0015),
        ("-7", -7),
        ("0", 0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01 10:00:00", "2024-01-01 10:00:00"),
        ("1.2.3", "1.2.3"),
        ("'010'", "010"),
        ("'1e3'", "1e3"),
        ("~", None),
        ("", None),
        ("true", True),
        ("Qwen/Qwen3-1.7B", "Qwen/Qwen3-1.7B"),
    ],
)
def test_a_word_means_what_it_looks_like(tmp_path: Path, text: str, meant: object) -> None:
    found = value(tmp_path, text)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("text", ["010", "1:30", "1:30.5", ".nan", ".inf", "-.INF", "0b11"])
def test_what_readers_take_for_different_numbers_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"p\.yaml:1: .*plain decimals"):
        value(tmp_path, text)
