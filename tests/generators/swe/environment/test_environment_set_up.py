"""Repositories are set up in real boxes, and what cannot be is told by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from datafactory import layers
from datafactory.checks import judge
from datafactory.protocols import SandboxHost
from datafactory.swe_facts import PATCH
from generators.swe.environment import Environment, SetUpFailed, set_up
from generators.swe.environment.declared import LEGACY_BUILD
from generators.swe.environment.target import look
from generators.swe.environment.wheels import Resolver
from generators.swe.testing import resolved_check
from sandboxes.docker import DockerSandbox
from tests.generators.swe.engine import take_images_away
from tests.generators.swe.environment import packages
from tests.generators.swe.testing.test_check import patch

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

FAST = """from tiny._fast import six
def test_fast(): assert six() == 6
def test_wrong(): assert six() == 7
"""
FLAKY = """import pathlib
def test_first_time_only():
    seen = pathlib.Path('/tmp/seen')
    assert not seen.exists()
    seen.touch()
    """
CORE_TEST = "from tiny.core import double\ndef test_double(): assert double(2) == 4\n"


@dataclass
class Workshop:
    """A sandbox that is up, and a folder to keep things in."""

    host: SandboxHost
    folder: Path

    async def set_up(self, contents: dict[str, str], **asked: tuple[str, ...]) -> Environment:
        return await set_up(self.host, packages.checkout(contents, **asked), folder=self.folder)

    async def failure(self, contents: dict[str, str], **asked: tuple[str, ...]) -> SetUpFailed:
        with pytest.raises(SetUpFailed) as failed:
            await self.set_up(contents, **asked)
        return failed.value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """Wheels of pytest and its like are fetched once; after that pip finds nothing but those."""
    folder = tmp_path_factory.mktemp("set-up")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        async with DockerSandbox(pool=0).start() as host:
            async with host.open("software_engineering", {}) as box:
                target = await look(box)
            await Resolver(target, folder / "index").resolve(["pytest", "coverage", *LEGACY_BUILD])
            patch.setenv("PIP_NO_INDEX", "1")
            patch.setenv("PIP_FIND_LINKS", str(folder / "index"))
            yield Workshop(host, folder)
        take_images_away()


async def test_a_package_with_an_extension_in_c_is_built_and_asked_for_again_is_read(workshop: Workshop) -> None:
    contents = {
        "setup.py": packages.C_SETUP, "tiny/__init__.py": "", "tiny/core.py": packages.CORE,
        "tiny/_fast.c": packages.C_SOURCE, "tests/test_fast.py": FAST, "tests/test_flaky.py": FLAKY,
        "tests/test_core.py": CORE_TEST,
    }  # fmt: skip
    made, again = await asyncio.gather(workshop.set_up(contents), workshop.set_up(contents))
    assert made == again
    assert set(made.tests) == {"tests/test_fast.py::test_fast", "tests/test_core.py::test_double"}
    assert made.flaky == ("tests/test_flaky.py::test_first_time_only",)
    assert made.failing == {"tests/test_fast.py::test_wrong": "AssertionError: assert 6 == 7"}
    assert made.test_files == ("tests/test_core.py", "tests/test_fast.py", "tests/test_flaky.py")
    assert made.coverage.tests_for("tiny/core.py", range(2, 3)) == {"tests/test_core.py::test_double"}
    assert made.python.startswith("3.")
    layer = layers.find(made.image)
    assert layer is not None
    assert layer.path == ("/opt/env/bin",)
    await looks_like_a_fresh_checkout(workshop, made.image)
    await counts_what_a_patch_does_to_c(workshop, made)
    assert len(list((workshop.folder / "environments").glob("*.json"))) == 1


async def looks_like_a_fresh_checkout(workshop: Workshop, image: str) -> None:
    """No second copy of the code, no bytecode of it, nothing of the set-up or of tests that ran."""
    async with workshop.host.open(image, {}, workdir="/testbed") as box:
        said = await box.exec("python -c 'import tiny.core; print(tiny.core.__file__)'; command -v python")
        assert said.output.split() == ["/testbed/tiny/core.py", "/opt/env/bin/python"]
    async with workshop.host.open(image, {}, workdir="/testbed") as box:
        found = (
            (await box.exec("find /opt/env /testbed / -xdev -name core.py -path '*tiny*' | sort -u"))
            .stdout.decode()
            .split()
        )
        assert found == ["/testbed/tiny/core.py"]
        left = "find /testbed -name __pycache__ -o -name .pytest_cache -o -name build; ls -d /tmp/set-up /root/.cache"
        assert (await box.exec(f"({left}) 2>/dev/null")).stdout == b""
        assert (await box.exec("find /testbed/tiny -name '_fast*.so' | grep -c .")).stdout == b"1\n"


async def counts_what_a_patch_does_to_c(workshop: Workshop, made: Environment) -> None:
    """The check of a task compiles anew; `/testbed/tests/test_fast.py` says that six is 6."""
    after = packages.C_SOURCE.replace("PyLong_FromLong(6)", "PyLong_FromLong(7)")
    check = resolved_check(made.testing, made.tests[:1], made.tests[1:], {}, timeout=120)
    async with workshop.host.open(made.image, {}, workdir="/testbed") as box:
        await box.write(PATCH, patch("tiny/_fast.c", packages.C_SOURCE, after).encode())
        verdict = await judge(box, [check])
    log = verdict.checks[0].log
    assert verdict.reward == 0 and "PASSED tests/test_core.py" in log and "FAILED tests/test_fast.py::test_fast" in log


async def test_what_cannot_be_set_up_is_told_by_step(workshop: Workshop) -> None:
    test = {"tests/test_core.py": CORE_TEST, "tiny/__init__.py": "", "tiny/core.py": packages.CORE}
    nowhere = await workshop.failure({**test, "pyproject.toml": packages.PROJECT}, requirements=("nowhere>=2",))
    assert (nowhere.step, "nowhere>=2" in str(nowhere)) == ("dependencies", True)
    untested = await workshop.failure({"pyproject.toml": packages.PROJECT, "tiny/__init__.py": ""})
    assert untested.step == "tests_found"
    broken = await workshop.failure({**test, "setup.py": "from setuptools import setup\nsetup(name=\n"})
    assert (broken.step, "SyntaxError" in str(broken)) == ("build", True)
    assert "setup.py" in broken.log


@pytest.mark.slow
async def test_a_package_below_src_and_one_without_any_build_are_imported_from_where_they_lie(
    workshop: Workshop,
) -> None:
    below = {"src/tiny/__init__.py": "", "src/tiny/core.py": packages.CORE, "tests/test_core.py": CORE_TEST}
    plain = await workshop.set_up(below)
    project = await workshop.set_up(
        {**below, "pyproject.toml": packages.PROJECT, "setup.cfg": "[tool:pytest]\naddopts=--cov"}
    )
    assert plain.tests == project.tests == ("tests/test_core.py::test_double",)
    assert any(".pth" in command for command in plain.commands)
    assert any("-e ." in command for command in project.commands)
