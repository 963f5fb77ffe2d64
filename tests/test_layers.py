"""Layers on disk: whole or absent, the same files the same tar, and nothing that could be unpacked elsewhere."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from datafactory import layers
from datafactory.errors import DataError, RunError
from datafactory.types import File, Files, files

NAME = "layer/toolz-1.1.0-0123456789ab"
LONG = "/testbed/" + "/".join(["a-folder-with-a-long-name"] * 12) + "/ünï.txt"
GIVEN: Files = {
    **files({"/testbed/b.py": "b = 1\n", "/testbed/a.sh": "#!/bin/sh\necho a\n", LONG: "long"}),
    "/opt/env/bin/python": File(link="/usr/bin/python3"),
    "/opt/env/secret": File(data=b"s", mode=0o4750),
}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without layers."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "datafactory" / "layers"


def save(given: Files = GIVEN, name: str = NAME) -> layers.Layer:
    return layers.save(name, base="base", base_digest="sha256:1", files=given, path=["/opt/env/bin"])


def test_what_is_saved_is_found_with_all_that_it_says(state: Path) -> None:
    assert layers.find(NAME) is None and layers.every() == []
    saved = save()
    assert layers.find(NAME) == saved and layers.every() == [saved]
    assert saved.roots == ("/opt/env", "/testbed") and saved.path == ("/opt/env/bin",)
    assert layers.tar_of(saved).parent == state / "toolz-1.1.0-0123456789ab"
    assert layers.tar_of(saved).stat().st_size == saved.size
    layers.remove(NAME)
    layers.remove(NAME)
    assert layers.find(NAME) is None and list(state.iterdir()) == []


def test_the_tar_keeps_bytes_links_and_permissions_and_nothing_else() -> None:
    with tarfile.open(layers.tar_of(save())) as archive:
        members = {f"/{member.name}": member for member in archive}
        assert list(members) == sorted(members)
        assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, layers.TIME)}
        assert members["/opt/env"].isdir() and members["/testbed/a.sh"].mode == 0o755
        assert members["/opt/env/secret"].mode == 0o750, "no file may run as another user"
        assert members["/opt/env/bin/python"].linkname == "/usr/bin/python3"
        content = archive.extractfile(members[LONG])
        assert content is not None and content.read() == b"long"


def test_the_same_files_in_another_order_are_the_same_layer_and_no_work() -> None:
    first = save()
    before = layers.tar_of(first).stat()
    assert save(dict(reversed(GIVEN.items()))) == first
    assert layers.tar_of(first).stat().st_mtime_ns == before.st_mtime_ns
    assert layers.tar_of(first).stat().st_ino == before.st_ino


def test_other_files_under_a_name_take_its_place() -> None:
    first, second = save(), save({**GIVEN, "/testbed/b.py": File(data=b"b = 2\n")})
    assert first.digest != second.digest and layers.find(NAME) == second
    assert layers.tar_of(first).exists(), "whoever has found the first can still read it"


@pytest.mark.parametrize(
    "name", ["toolz", "layer/", "layer/../x", "layer/.", "layer/A", "layer/a/b", "layer/" + "a" * 201]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a layer"):
        layers.find(name)


@pytest.mark.parametrize(
    "path", ["relative", "/testbed/../etc/x", "/testbed//x", "/x", "/opt/x", "/etc/x", "/usr/bin/x", "/testbed/b.py/x"]
)
def test_a_path_that_no_layer_can_have_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|layer|folder"):
        save({**GIVEN, path: File(data=b"x")})
    assert layers.find(NAME) is None


def test_a_file_below_a_link_is_refused() -> None:
    with pytest.raises(ValueError, match="'/testbed/out', which is no folder"):
        save({"/testbed/out": File(link="/root"), "/testbed/out/.profile": File(data=b"echo")})


@pytest.mark.parametrize("harm", ["json", "short", "gone"])
def test_a_damaged_layer_is_an_error_that_says_what_to_delete(harm: str, state: Path) -> None:
    tar = layers.tar_of(save())
    if harm == "json":
        (tar.parent / "layer.json").write_text("{")
    elif harm == "short":
        os.truncate(tar, 100)
    else:
        tar.unlink()
    with pytest.raises(DataError, match=f"damaged .*; `datafactory layers remove {NAME}`"):
        layers.find(NAME)
    assert save() == layers.find(NAME), "saved again it is whole"


def test_a_layer_that_was_torn_while_written_does_not_count(state: Path) -> None:
    place = layers.home(NAME)
    place.mkdir(parents=True)
    (place / ".tar.part").write_bytes(b"half")
    assert layers.find(NAME) is None
    save()
    assert not list(place.glob("*.part"))


def test_two_processes_that_save_one_name_both_end_well() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        saved = pool.map(save, [{**GIVEN, "/testbed/n": File(data=b"x" * (n % 2))} for n in range(16)])
    assert layers.find(NAME) in saved
    assert len({each.digest for each in saved}) == 2


def test_compiled_python_stays_valid_in_site_packages_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import compileall; compileall.compile_file('m.py')"], check=True, cwd=_module(tmp_path)
    )
    compiled = next((tmp_path / "code" / "__pycache__").glob("*.pyc"))
    folder = "/opt/env/lib/python3.11/site-packages"
    given = {f"{at}/__pycache__/{compiled.name}": File(data=compiled.read_bytes()) for at in (folder, "/testbed")}
    saved = save({**given, f"{folder}/m.py": File(data=b"x = 1\n")})
    with tarfile.open(layers.tar_of(saved)) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    there = tmp_path / "out" / folder.lstrip("/")
    probe = [sys.executable, "-v", "-c", "import m"]
    said = subprocess.run(probe, capture_output=True, text=True, check=True, cwd=there, env={"PYTHONPATH": str(there)})
    assert f"matches {there}/m.py" in said.stderr
    kept = (tmp_path / "out" / "testbed" / "__pycache__" / compiled.name).read_bytes()
    assert kept == compiled.read_bytes()


def _module(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "m.py").write_text("x = 1\n")
    return tmp_path / "code"


def test_what_is_held_nobody_removes_and_its_last_use_is_noted(state: Path) -> None:
    save()
    mark = state / NAME.removeprefix("layer/") / ".use"
    with layers.hold(NAME), layers.hold(NAME):
        assert layers.stock()[0].held
        os.utime(mark, (0, 0))
        layers.note_use(NAME)
        assert mark.stat().st_mtime > time.time() - 60
        with pytest.raises(RunError, match="in use"):
            layers.remove(NAME)
    assert layers.find(NAME) is not None and not layers.stock()[0].held
    assert layers.remove(NAME) and not layers.remove(NAME)
    with layers.hold(NAME):
        assert layers.find(NAME) is None, "there is nothing to hold"


def test_a_removal_waits_for_whoever_saves_and_the_next_to_save_finds_a_clean_place() -> None:
    save()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        saving = pool.map_async(_save_named, [NAME] * 100)
        removed = 0
        while not saving.ready():
            removed += layers.remove(NAME)
        assert {saved.digest for saved in saving.get()} == {save().digest} and removed
    layers.remove(NAME)
    assert layers.stock() == []


def _save_named(name: str) -> layers.Layer:
    return save(name=name)


def test_what_an_earlier_layer_and_broken_work_left_is_told_apart_and_tidied() -> None:
    first, second = save(), save({**GIVEN, "/testbed/b.py": File(data=b"b = 2\n")})
    place = layers.home(NAME)
    (place / ".unpacking" / "testbed").mkdir(parents=True)
    for layer in (first, second):
        (place / f"{layer.digest[:16]}-0").mkdir()
    found = layers.stock()[0]
    assert 0 < found.left < found.size and found.unpacked
    layers.tidy(NAME)
    kept = {"layer.json", ".turn", ".use", f"{second.digest}.tar", f"{second.digest[:16]}-0"}
    assert {path.name for path in place.iterdir()} == kept and layers.find(NAME) == second


def test_a_layer_that_cannot_be_written_leaves_nothing_and_an_earlier_one_whole(state: Path) -> None:
    larger = {**GIVEN, "/testbed/large": File(data=b"x" * (1 << 20))}
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))\n"
    )
    assert "StorageError: keeping layer" in _saved_apart(script, larger)
    assert list(state.iterdir()) == []
    first = save()
    before = sorted(path.name for path in layers.home(NAME).iterdir())
    assert "StorageError: keeping layer" in _saved_apart(script, larger)
    assert layers.find(NAME) == first and sorted(path.name for path in layers.home(NAME).iterdir()) == before


@pytest.mark.namespace
def test_on_a_disk_without_room_nothing_is_begun_and_the_way_to_make_room_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mounted = f'mount -t tmpfs -o size=16m none {disk} && export XDG_STATE_HOME={disk} && exec "$@"'
    said = _saved_apart("", GIVEN, [*before, mounted, "sh"])
    assert f"the disk of {disk}/datafactory/layers/" in said
    assert "has 16.8 MB left" in said and "1.1 GB to spare" in said and "`datafactory layers prune`" in said


def _saved_apart(script: str, given: Files, before: Sequence[str] = ()) -> str:
    """What a process says that runs `script` and then tries to save."""
    program = (
        f"{script}import sys, pickle; from datafactory import layers\n"
        f"layers.save({NAME!r}, base='base', base_digest='', files=pickle.load(sys.stdin.buffer))"
    )
    done = subprocess.run([*before, sys.executable, "-c", program], input=pickle.dumps(given), capture_output=True)
    assert done.returncode == 1
    return done.stderr.decode().strip().rpartition("\n")[2]
