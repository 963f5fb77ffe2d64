"""`datafactory layers`: what lies on disk is told, what is in use stays, and all that hangs on a layer goes with it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory import layers
from datafactory.cli.holdings import Holding, Holdings, Naming, look
from datafactory.cli.layering import as_row
from datafactory.cli.pruning import Wanted, choose, prune, remove
from datafactory.errors import ConfigError, RunError
from datafactory.layers import Stocked
from datafactory.storage.layout import locked
from datafactory.types import files
from sandboxes.docker_layers import Built

Call = Callable[..., Any]
KEY = "0123456789abcdef01234567"
NAME = f"layer/toolz-1.1.0-{KEY[:12]}"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without layers and without a Docker engine; commands that are called have it too."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    return tmp_path / "state" / "datafactory"


def save(name: str = NAME, days: float = 0, text: str = "x = 1\n") -> layers.Layer:
    """A layer that was used last so many days ago."""
    saved = layers.save(name, base="base", base_digest="sha256:1", files=files({"/testbed/a.py": text}))
    with layers.hold(name):
        pass
    for file in ("layer.json", ".use"):
        os.utime(layers.home(name) / file, (time.time() - 86_400 * days,) * 2)
    return saved


def listed(runs: Path) -> dict[str, Any]:
    return {row["name"]: row for row in as_row(look(runs))["layers"]}


def pruned(runs: Path, *names: str, unused: str | None = None, dry_run: bool = False) -> None:
    prune(names, runs, unused=unused, keep=None, strays=False, dry_run=dry_run, yes=True)


def test_a_damaged_layer_and_a_torn_one_are_told_and_pruned_alone(call: Call, tmp_path: Path) -> None:
    save(), layers.tar_of(save("layer/harmed")).write_bytes(b"")
    layers.home("layer/torn").mkdir()
    told = json.loads(call("layers", "list", "--json").stdout)
    problems = {row["name"]: row["problem"] for row in told["layers"]}
    assert (problems[NAME], bool(problems["layer/torn"]), list(problems)) == (None, True, sorted(problems))
    assert "its tar has 0 bytes" in problems["layer/harmed"] and "no Docker engine answers" in told["engine"]
    pruned(tmp_path, dry_run=True)
    assert len(listed(tmp_path)) == 3
    done = call("layers", "prune", "--yes")
    assert (done.returncode, list(listed(tmp_path))) == (0, [NAME]), done.stderr


def test_what_is_not_used_goes_with_its_record_unless_somebody_holds_it(tmp_path: Path, state: Path) -> None:
    save(), save("layer/old-1", days=40), save("layer/held", days=40)
    record = state / "swe" / "environments" / "environments" / f"{KEY}.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    with layers.hold("layer/held"):
        pruned(tmp_path, unused="30d")
        assert {name: bool(row["in_use"]) for name, row in listed(tmp_path).items()} == {
            "layer/held": True,
            NAME: False,
        }
        with pytest.raises(RunError, match=r"in use, nothing was deleted:\nlayer/held"):
            remove([NAME, "held"], tmp_path, yes=True)
    assert record.exists(), "a record stays as long as its layer"
    remove([NAME, "held"], tmp_path, yes=True)
    assert listed(tmp_path) == {} and not record.exists()
    with pytest.raises(ConfigError, match="no layer 'layer/held'"):
        remove(["held"], tmp_path, yes=True)


def test_nobody_is_asked_where_there_is_no_terminal_and_a_no_is_heard(call: Call, on_terminal: Call) -> None:
    save()
    asked = call("layers", "remove", NAME)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert on_terminal("layers", "remove", NAME, keys=[("[y/N]", "\n")])[0] == 1
    assert layers.find(NAME) is not None
    assert on_terminal("layers", "remove", NAME, keys=[("[y/N]", "y\n")])[0] == 0
    assert layers.find(NAME) is None


def test_runs_whose_tasks_name_a_layer_are_told_and_one_that_goes_on_keeps_it(maker: Any) -> None:
    save()
    task = maker.task("alpha-00000", "alpha").but(image=NAME)
    asyncio.run(maker.synthesize([task, task.but(id="alpha-00001"), maker.task("alpha-00002", "alpha")]))
    runs = maker.path.parent
    expected = {"run": maker.path.name, "tasks": 2, "running": False}
    assert listed(runs)[NAME]["runs"] == [expected]
    with locked(maker.path):
        assert listed(runs)[NAME]["runs"] == [{**expected, "running": True}]
        with pytest.raises(RunError, match=f"a run that goes on has tasks of it: {maker.path.name}"):
            remove([NAME], runs, yes=True)
    remove([NAME], runs, yes=True)
    assert listed(runs) == {}


def a_holding(name: str, days: float, *, size: int = 100, held: bool = False, image: Built | None = None) -> Holding:
    layer = layers.Layer(
        name=name, base="base", base_digest="sha256:1", digest="0" * 64, size=size, roots=("/testbed",)
    )
    used = time.time() - 86_400 * days
    return Holding(Stocked(name, layer, "", size, 0, 0, used, used, held), image, (), ())


def chosen(wanted: Wanted, *found: Holding) -> list[str]:
    return [each.kept.name for each, _ in choose(Holdings(found, (), ""), wanted).layers]


def test_those_used_longest_ago_go_until_the_rest_is_small_enough_images_counted() -> None:
    image = Built("sha256:2", "datafactory/layer:2", "layer/a", 300, 0.0)
    found = [a_holding("layer/a", 1, image=image), a_holding("layer/b", 3), a_holding("layer/c", 2)]
    held = a_holding("layer/d", 9, held=True)
    assert chosen(Wanted(keep=700), *found, held) == []
    assert chosen(Wanted(keep=699), *found, held) == ["layer/b"]
    assert chosen(Wanted(keep=500), *found, held) == ["layer/b", "layer/c"]
    assert chosen(Wanted(keep=0), *found, held) == ["layer/a", "layer/b", "layer/c"]
    assert chosen(Wanted(keep=600, unused=2.5 * 86_400), *found, held) == ["layer/b"]
    assert chosen(Wanted(names=("layer/[ab]",)), *found, held) == ["layer/a", "layer/b"]
    assert chosen(Wanted(names=("layer/[ac]",), unused=2.5 * 86_400), *found, held) == []
    running = Holding(found[1].kept, None, (), (Naming("demo", 3, running=True),))
    plan = choose(Holdings((running, held), (), ""), Wanted(unused=60))
    assert [each.kept.name for each, _ in plan.spared] == ["layer/b", "layer/d"] and not plan
