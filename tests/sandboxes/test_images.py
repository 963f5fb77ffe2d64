"""Images: one for each domain on top of `base`, built once, found by the digest of their Dockerfiles."""

from __future__ import annotations

import re

import docker
import pytest

from datafactory.errors import ConfigError
from datafactory.types import DOMAINS
from sandboxes import imagery
from sandboxes.docker import DockerSandbox


def test_there_is_a_dockerfile_for_base_and_for_each_domain_and_no_other() -> None:
    assert {folder.parent.name for folder in imagery.FOLDER.glob("*/Dockerfile")} == {"base", *DOMAINS}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_layered_on_base(domain: str) -> None:
    recipe = (imagery.FOLDER / domain / "Dockerfile").read_text()
    assert re.search(r"^ARG BASE=datafactory/base:latest\nFROM \$\{BASE\}$", recipe, re.MULTILINE)


def test_a_reference_names_the_image_and_differs_between_recipes() -> None:
    references = {name: imagery.reference(name) for name in imagery.NAMES}
    assert len(set(references.values())) == len(imagery.NAMES)
    for name, found in references.items():
        assert re.fullmatch(rf"datafactory/{name}:[0-9a-f]{{12}}", found)


def test_an_image_that_we_have_no_dockerfile_for_is_the_users_mistake() -> None:
    with pytest.raises(ConfigError, match="no image 'basis'; there are: base, data_processing"):
        imagery.build_images(["basis"])


@pytest.mark.docker
def test_what_is_built_is_not_built_again() -> None:
    first = imagery.build_images(["base"], say=lambda line: None)
    said: list[str] = []
    assert imagery.build_images(["base"], say=said.append) == first
    assert said == [f"base: already built ({imagery.reference('base')})"]
    assert "base" not in imagery.missing_images()


@pytest.mark.docker
def test_building_anew_says_its_steps_and_tags_the_latest() -> None:
    client = docker.from_env()
    try:
        said: list[str] = []
        built = imagery.build_images(["base"], force=True, say=said.append, client=client)
        assert built["base"] == imagery.image_id(client, "datafactory/base:latest")
        assert built["base"] == imagery.image_id(client, imagery.reference("base"))
        assert any("Step 1/" in line for line in said)
    finally:
        client.close()


@pytest.mark.docker
async def test_base_has_what_tasks_are_made_of() -> None:
    tools = (
        "awk bash bzip2 cut diff file find gawk git grep gzip less patch pgrep ps pytest-3 python python3 script sed "
        "sort tar tmux unzip xargs xxd xz zip"
    )
    async with DockerSandbox(pool=0).start() as host, host.open("base", {}) as box:
        said = await box.exec(f"for tool in {tools}; do command -v $tool >/dev/null || echo $tool; done")
        assert said.output == ""
        assert (await box.exec(["python3", "-m", "pytest", "--version"])).exit_code == 0
