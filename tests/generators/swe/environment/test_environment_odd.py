"""Odd repositories come to a clear outcome: what is wrong is named, what is right is used, and the factory goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from datafactory.protocols import SandboxHost, Slot
from datafactory.types import Draft, Reject
from generators.swe.environment import Environment, SetUpFailed, set_up
from generators.swe.environment.target import look
from generators.swe.environment.wheels import Resolver
from generators.swe.swe_mutations import SWEMutations
from generators.swe.testing.bench import KILLED
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.environment import packages

pytestmark = pytest.mark.asyncio(loop_scope="module")
TINY = {
    "tiny/__init__.py": "",
    "tiny/core.py": packages.CORE,
    "tests/test_core.py": "from tiny.core import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
}
NETWORK = "import urllib.request\n\n\ndef test_asks():\n    urllib.request.urlopen('http://example.org', timeout=5)\n"
ODD = {
    **TINY,
    "tests/test_no_python.py": "def test_it(:\n",
    "tests/test_asks.py": NETWORK,
    "tests/test_quits.py": "import os\n\n\ndef test_quits():\n    os._exit(3)\n",
    "tests/test_kills.py": "import os\n\n\ndef test_kills():\n    os.kill(os.getppid(), 9)\n",
    "tests/test_wrong.py": "def test_wrong():\n    assert 1 == 2\n",
    "tests/test_old.py": "import tiny.old\n\n\ndef test_old():\n    pass\n",
    "tiny/old.py": "print 'two'\n",
}
"""One thing is wrong with each file of tests but one, and one module is of another Python."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[SandboxHost, Path]]:
    """A sandbox, and a folder; pytest and its like are fetched once, and after that there is no index."""
    folder = tmp_path_factory.mktemp("odd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        async with NamespaceSandbox().start() as host:
            async with host.open("software_engineering", {}) as box:
                target = await look(box)
            await Resolver(target, folder / "index").resolve(["pytest", "coverage"])
            patch.setenv("PIP_NO_INDEX", "1")
            patch.setenv("PIP_FIND_LINKS", str(folder / "index"))
            yield host, folder


async def made(host: tuple[SandboxHost, Path], contents: dict[str, str]) -> Environment | SetUpFailed:
    """What setting up comes to."""
    try:
        return await set_up(host[0], packages.checkout(contents), folder=host[1])
    except SetUpFailed as failed:
        return failed


@pytest.mark.namespace
async def test_each_thing_that_is_wrong_with_a_suite_is_named_and_the_rest_of_it_is_used(
    host: tuple[SandboxHost, Path],
) -> None:
    environment = await made(host, ODD)
    assert isinstance(environment, Environment)
    assert environment.tests == ("tests/test_core.py::test_double",)
    told = {name.partition("/")[2]: why for name, why in environment.failing.items()}
    assert told.pop("test_asks.py::test_asks").startswith("urllib.error.URLError")
    assert "SyntaxError" in told.pop("test_no_python.py") and "SyntaxError" in told.pop("test_old.py")
    assert told == {
        "test_kills.py::test_kills": KILLED,
        "test_quits.py::test_quits": "crashed: exit status 3",
        "test_wrong.py::test_wrong": "AssertionError: assert 1 == 2",
    }


@pytest.mark.namespace
async def test_a_repository_that_has_no_working_backend_or_test_says_so(host: tuple[SandboxHost, Path]) -> None:
    backend = '[build-system]\nrequires = ["no-such-backend"]\nbuild-backend = "no_such_backend"\n'
    missing = await made(host, {**TINY, "pyproject.toml": backend})
    assert isinstance(missing, SetUpFailed) and missing.step == "dependencies"
    assert "no-such-backend" in str(missing)
    untested = await made(host, {"tiny/core.py": packages.CORE, "tests/data.json": "{}"})
    assert isinstance(untested, SetUpFailed) and untested.step == "tests_found"
    old = await made(host, {**TINY, "tiny/core.py": "print 'two'\n"})
    assert isinstance(old, SetUpFailed) and old.step == "no_passing_tests"
    assert "SyntaxError" in str(old)


@pytest.mark.docker
@pytest.mark.slow
async def test_a_bug_that_ends_every_process_of_its_box_is_rejected_and_the_next_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = "import os\n\n\ndef ask(group):\n    os.kill(*((-1, 9) if group > 3 else (os.getpid(), 0)))\n"
    calls = "from tiny.ends import ask\n\n\ndef test_ask():\n    assert ask(3) is None\n"
    for path, text in {**TINY, "tiny/ends.py": ends, "tests/test_ends.py": calls}.items():
        (tmp_path / "tiny" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / path).write_text(text)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    spec = SWEMutations(count=12, repos=[str(tmp_path / "tiny")], boxes=1, combined=0)
    async with DockerSandbox(pool=0).start() as host, spec.open(host) as maker:
        outcomes = [await maker.make(Slot(index, 0, seed=index), None) for index in range(spec.count)]
    assert [each.reason for each in outcomes if isinstance(each, Reject)].count("breaks_box") >= 1
    assert any(isinstance(each, Draft) for each in outcomes)
