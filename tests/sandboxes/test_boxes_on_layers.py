"""Boxes on layers: every sandbox shows the same files, keeps boxes apart, and knows when the base is another."""

from __future__ import annotations

import asyncio
import os
import tarfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import docker
import pytest
import pytest_asyncio

from datafactory import layers
from datafactory.errors import DataError, Missing, RunError, SandboxError
from datafactory.protocols import Sandbox, SandboxHost
from datafactory.types import File, files
from sandboxes import docker_layers
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
from sandboxes.namespace.probe import look
from sandboxes.no_execution import NoExecutionSandbox
from sandboxes.unsafe import UnsafeSandbox
from tests.sandboxes.contract import Recipe

SANDBOXES: dict[str, Recipe] = {
    "docker": DockerSandbox(pool=0),
    "namespace": NamespaceSandbox(engine="unshare"),
    "ordinary user": NamespaceSandbox(engine="unshare", limiting="watch"),
}
KINDS = [pytest.param(n, marks=pytest.mark.docker if n == "docker" else pytest.mark.namespace) for n in SANDBOXES]
NAMESPACE = [kind for kind in KINDS if kind.values[0] == "namespace"]
GIVEN = {
    **files(
        {
            "/testbed/pkg/module.py": "x = 1\n",
            "/opt/env/bin/greet": "#!/bin/sh\necho from the layer\n",
            "/opt/env/lib/data": "d",
        }
    ),
    "/opt/env/bin/python": File(link="/usr/bin/python3"),
    "/opt/env/lib64": File(link="lib"),
    "/testbed/private": File(data=b"p", mode=0o640),
}
NAME = "layer/tests-of-sandboxes"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a sandbox."""
    name: str = request.param
    if name != "docker" and not look().overlay:
        pytest.skip("the kernel does not overlay in user namespaces")
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(kind: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SandboxHost]:
    """A sandbox on a machine with one layer, in a folder that nobody else may enter."""
    state = tmp_path_factory.mktemp("state")
    state.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        async with SANDBOXES[kind].start() as started:
            save(started)
            yield started
    if kind == "docker":
        _remove_images()


def save(host: SandboxHost, name: str = NAME, **changed: str) -> layers.Layer:
    given = {**GIVEN, **files(changed)}
    return layers.save(
        name, base="base", base_digest=host.image_digest("base"), files=given, path=["/opt/env/bin", "/opt/env/more"]
    )


def _remove_images() -> None:
    client = docker.from_env()
    for each in client.images.list(filters={"label": docker_layers.LABEL}):
        if each.labels[docker_layers.LABEL].startswith(NAME):
            client.images.remove(str(each.id), force=True)
    client.close()


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
async def test_a_box_has_the_files_of_its_layer_and_of_its_base(host: SandboxHost) -> None:
    async with host.open(NAME, files({"/testbed/new/deep.txt": "new"}), workdir="/testbed") as box:
        line = "pwd; cat pkg/module.py new/deep.txt; greet; cat /opt/env/lib64/data; command -v python grep"
        result = await box.exec(line)
        assert result.output == "/testbed\nx = 1\nnewfrom the layer\nd/opt/env/bin/python\n/usr/bin/grep\n"
        assert (await box.exec(["greet"])).stdout == b"from the layer\n"
        assert (await box.exec(["python", "-c", "print(1 + 1)"])).stdout == b"2\n"
        taken, note = await box.pull(["/testbed/", "/opt/env/"])
        expected = {**GIVEN, "/testbed/new/deep.txt": File(data=b"new")}
        assert (taken, note) == (expected, "")


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
async def test_what_a_box_writes_on_a_layer_no_other_box_sees(host: SandboxHost) -> None:
    change = (
        "set -e; echo y >>/testbed/pkg/module.py; rm /opt/env/bin/greet; mkdir /opt/env/new; mv pkg moved; ls moved"
    )
    async with host.open(NAME, {}, workdir="/testbed") as one, host.open(NAME, {}, workdir="/testbed") as other:
        assert (await one.exec(change)).output == "module.py\n"
        assert (await other.exec("cat pkg/module.py; greet; ls -d /opt/env/*")).output == (
            "x = 1\nfrom the layer\n/opt/env/bin\n/opt/env/lib\n/opt/env/lib64\n"
        )
    async with host.open(NAME, {}) as later:
        assert (await later.exec("cat /testbed/pkg/module.py; greet")).output == "x = 1\nfrom the layer\n"
    async with host.open("base", {}) as plain:
        assert (await plain.exec("ls /testbed /opt/env")).exit_code != 0


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
async def test_a_layer_has_a_digest_of_its_own(host: SandboxHost) -> None:
    first = host.image_digest(NAME)
    assert first.startswith("sha256:") and first != host.image_digest("base") and first == host.image_digest(NAME)


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
async def test_a_layer_that_is_missing_damaged_or_made_on_another_base_is_told_apart(host: SandboxHost) -> None:
    for name in ("layer/absent", "layer/../up"):
        with pytest.raises(Missing, match="layer"):
            async with host.open(name, {}):
                pass
    layers.save(f"{NAME}-elsewhere", base="base", base_digest="sha256:other", files=GIVEN)
    for attempt in (host.image_digest, lambda name: host.open(name, {}).__aenter__()):
        with pytest.raises(Missing, match=r"made on another 'base' .* set the repository up again"):
            await _awaited(attempt(f"{NAME}-elsewhere"))
    layers.tar_of(save(host, f"{NAME}-damaged")).write_bytes(b"")
    with pytest.raises(DataError, match="damaged"):
        async with host.open(f"{NAME}-damaged", {}):
            pass


async def _awaited(made: object) -> None:
    if asyncio.iscoroutine(made):
        await made


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
async def test_two_factories_that_need_a_layer_at_once_both_get_it(host: SandboxHost, kind: str) -> None:
    save(host, f"{NAME}-together", **{"/testbed/unlike": kind})
    async with SANDBOXES[kind].start() as another:
        boxes = [each.open(f"{NAME}-together", {}) for each in (host, another, host)]
        opened = await asyncio.gather(*(box.__aenter__() for box in boxes))
        try:
            assert [(await box.exec("greet")).output for box in opened] == ["from the layer\n"] * 3
            assert host.image_digest(f"{NAME}-together") == another.image_digest(f"{NAME}-together")
        finally:
            await asyncio.gather(*(box.__aexit__(None, None, None) for box in boxes))


@pytest.mark.parametrize("kind", KINDS[:2], indirect=True, scope="module")
async def test_without_execution_nothing_of_the_layer_runs(host: SandboxHost, kind: str) -> None:
    del host  # it made the layer
    given = {
        "/opt/env/bin/real": File(data=b"\x7fELF no interpreter", mode=0o755),
        "/opt/env/bin/tool": File(data=b"#!/opt/env/bin/python\nprint(1)\n", mode=0o755),
    }
    async with NoExecutionSandbox(inside=cast(Sandbox, SANDBOXES[kind])).start() as strict:
        digest = strict.image_digest("base")
        layers.save(NAME + "-bare", base="base", base_digest=digest, files={**GIVEN, **given}, path=["/opt/env/bin"])
        async with strict.open(NAME + "-bare", {}, workdir="/testbed") as box:
            assert (await box.exec("cat pkg/module.py; ls /opt/env/bin")).output == "x = 1\npython\n"
            assert (await box.exec("python pkg/module.py")).exit_code == 126
            for program in ("python", "/opt/env/bin/python", "python3", "greet", "/opt/env/bin/tool"):
                assert (await box.inside.exec([program, "--version"])).exit_code in (126, 127), program


async def test_the_unsafe_sandbox_opens_none(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="without isolation"):
        async with UnsafeSandbox(i_know=True).start() as host:
            with pytest.raises(Missing, match="sandbox unsafe opens no boxes on layers"):
                async with host.open(NAME, {}, workdir=str(tmp_path / "x")):
                    pass


@pytest.mark.parametrize("kind", NAMESPACE, indirect=True, scope="module")
async def test_an_engine_that_cannot_overlay_says_so(host: SandboxHost) -> None:
    del host
    if not look().bubblewrap or look().bubblewrap_overlay:
        pytest.skip("no bubblewrap, or one that overlays")
    async with NamespaceSandbox(engine="bubblewrap").start() as other:
        with pytest.raises(Missing, match=r"engine unshare, or by bubblewrap 0.11"):
            async with other.open(NAME, {}):
                pass


@pytest.mark.parametrize("kind", NAMESPACE, indirect=True, scope="module")
async def test_a_layer_whose_unpacking_was_broken_off_is_unpacked_anew(host: SandboxHost) -> None:
    place = layers.home(save(host, f"{NAME}-torn").name)
    (place / ".unpacking/testbed/stale").mkdir(parents=True)
    async with host.open(f"{NAME}-torn", {}) as box:
        assert (await box.exec("ls /testbed")).output == "pkg\nprivate\n"
    assert not (place / ".unpacking").exists()


@pytest.mark.parametrize("kind", KINDS[:2], indirect=True, scope="module")
async def test_a_host_holds_the_layers_that_it_opens_boxes_on_and_notes_their_use(host: SandboxHost, kind: str) -> None:
    name = f"{NAME}-held-by-{kind}"
    save(host, name, **{"/testbed/unlike": kind})
    mark = layers.home(name) / ".use"
    async with SANDBOXES[kind].start() as another:
        async with another.open(name, {}):
            assert time.time() - mark.stat().st_mtime < 60
            os.utime(mark, (0, 0))
        async with another.open(name, {}):
            assert mark.stat().st_mtime == 0, "noted once a minute, which costs nothing"
        with pytest.raises(RunError, match="in use"):
            layers.remove(name)
    assert layers.remove(name)


@pytest.mark.parametrize("kind", KINDS[:2], indirect=True, scope="module")
async def test_a_tar_of_the_right_size_that_is_not_what_was_saved_is_found_and_nothing_comes_of_it(
    host: SandboxHost, kind: str
) -> None:
    saved = save(host, f"{NAME}-changed", **{"/testbed/unlike": f"changed {kind}"})
    with layers.tar_of(saved).open("r+b") as tar:
        tar.seek(-tarfile.RECORDSIZE, os.SEEK_END)
        tar.write(b"\xff")
    with pytest.raises(DataError, match=r"damaged \(its tar is not what was saved\)"):
        async with host.open(saved.name, {}):
            pass
    assert kind != "docker" or saved.name not in {image.layer for image in docker_layers.built()}
    assert {path.name for path in layers.home(saved.name).iterdir()} == {
        "layer.json", ".turn", ".use", layers.tar_of(saved).name,
    }  # fmt: skip


@pytest.mark.docker
@pytest.mark.parametrize("kind", [KINDS[0]], indirect=True, scope="module")
async def test_an_image_of_a_layer_is_labelled_built_once_and_shares_its_bases_disk_layers(host: SandboxHost) -> None:
    client = docker.from_env()
    try:
        made, base = (client.images.get(host.image_digest(name)).attrs for name in (NAME, "base"))
    finally:
        client.close()
    assert made["Config"]["Labels"][docker_layers.LABEL] == NAME
    assert made["RootFS"]["Layers"][:-1] == base["RootFS"]["Layers"]
    layer = layers.find(NAME)
    assert layer is not None and made["RepoTags"] == [docker_layers.reference(layer)]


@pytest.mark.docker
@pytest.mark.parametrize("kind", [KINDS[0]], indirect=True, scope="module")
async def test_no_image_is_built_where_the_disk_is_nearly_full(host: SandboxHost) -> None:
    save(host, f"{NAME}-too-large", **{"/testbed/unlike": "never built"})
    async with DockerSandbox(min_free="1000t").start() as full:
        with pytest.raises(SandboxError, match=r"must have .* MB and .*layers prune.*min_free: 1000t"):
            full.image_digest(f"{NAME}-too-large")


@pytest.mark.docker
@pytest.mark.parametrize("kind", [KINDS[0]], indirect=True, scope="module")
async def test_an_image_goes_with_its_layer_but_not_while_a_container_uses_it(host: SandboxHost) -> None:
    name = f"{NAME}-to-go"
    layer = save(host, name, **{"/testbed/large": "x" * 100_000})
    async with host.open(name, {}):
        image = next(image for image in docker_layers.built() if image.layer == name)
        assert image.reference == docker_layers.reference(layer) and image.id == host.image_digest(name)
        assert 100_000 < image.size < 1_000_000, "its base is not counted"
        assert not docker_layers.take_away(image)
    for _ in range(50):  # the container goes in the background
        if docker_layers.take_away(image):
            break
        await asyncio.sleep(0.1)
    assert image not in docker_layers.built() and docker_layers.take_away(image)
