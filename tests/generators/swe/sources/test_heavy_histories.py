"""Of a repository with a heavy history, one commit costs what one commit weighs: time, memory and disk."""

from __future__ import annotations

from pathlib import Path

from benchmarks.swe_history import FILES, cost, make


def test_a_heavy_history_stays_where_it_is(tmp_path: Path) -> None:
    megabytes = 32  # benchmarks/swe_history.py does it with 2,100
    commit = make(tmp_path / "heavy.git", megabytes)
    heavy = sum(path.stat().st_size for path in (tmp_path / "heavy.git").rglob("*") if path.is_file())
    assert heavy > 0.9 * (megabytes << 20)
    for number, at in enumerate(
        (f"{(tmp_path / 'heavy.git').as_uri()}@{commit}", f"{tmp_path / 'heavy.git'}@{commit}")
    ):
        took = cost(at, tmp_path / f"cache-{number}")
        assert took.files == len(FILES)
        assert took.disk < 100_000
        assert took.memory < 60 << 20, "the interpreter that starts git weighs most of it"
