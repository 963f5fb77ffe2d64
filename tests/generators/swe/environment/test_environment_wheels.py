"""Wheels are chosen for the box, by the host's real pip, from an index that is a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.swe.environment.install import unmet
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.target import Target
from generators.swe.environment.wheels import Resolver, overlooked_in
from tests.generators.swe.environment.packages import wheel
from tests.generators.swe.environment.test_environment_declared import TARGET


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What pip may take from; nothing else is asked."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


async def test_wheels_fit_the_boxs_python_and_bring_what_only_its_markers_ask_for(index: Path, tmp_path: Path) -> None:
    wheel(index, "app", "1.0", "old ; python_version < '3.11'", "new ; python_version >= '3.11'", "more[x]")
    wheel(index, "old", "2.0")
    wheel(index, "new", "2.0")
    wheel(index, "more", "1", "inner ; extra == 'x'", "never ; extra == 'y'")
    wheel(index, "inner", "3", tag="cp310-cp310-manylinux_2_17_x86_64")
    wheel(index, "inner", "4", tag="cp310-cp310-manylinux_2_99_x86_64")
    found = await Resolver(TARGET, tmp_path / "wheels").resolve(["app"])
    names = {file.name.split("-")[0]: file.name.split("-")[1] for file in found.files}
    assert {"app": "1.0", "old": "2.0", "more": "1", "inner": "3"}.items() <= names.items()
    assert all(file.is_file() for file in found.files)


async def test_a_wish_that_cannot_be_had_is_dropped_and_a_need_fails_by_name(index: Path, tmp_path: Path) -> None:
    for name in ("app", "mock"):
        wheel(index, name, "1.0")
    resolver = Resolver(TARGET, tmp_path / "wheels")
    found = await resolver.resolve(["app"], ["mock", "nowhere>=2"])
    assert [file.name.split("-")[0] for file in found.files] == ["app", "mock"]
    assert list(found.dropped) == ["nowhere>=2"]
    with pytest.raises(SetUpFailed, match="nowhere>=2") as failed:
        await resolver.resolve(["app", "nowhere>=2"])
    assert failed.value.step == "dependencies"
    assert "nowhere" in failed.value.log


def test_what_a_host_overlooks_is_told_for_the_box(tmp_path: Path) -> None:
    app = wheel(tmp_path, "app", "1.0", "old ; python_version < '3.11'", "gone ; python_version < '3.8'")
    assert overlooked_in([app], ["app"], TARGET) == ["old"]
    newer = Target({**TARGET.markers, "python_version": "3.12", "python_full_version": "3.12.1"}, (2, 36))
    assert overlooked_in([app], ["app"], newer) == []


def test_what_only_the_build_told_is_compared_with_what_is_there(tmp_path: Path) -> None:
    wheels = [wheel(tmp_path, "six", "1.0")]
    said = {"Tiny": ["six", "six>2", "mock; python_version > '3'", "tiny[x]", "win; sys_platform == 'win32'"]}
    assert unmet(said, TARGET, "", wheels) == ["six>2", "mock"]
