"""Odd repositories come to a clear outcome: what is wrong is named, what is right is used, and the factory goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.protocols import Slot
from datafactory.types import Draft, Reject, files
from generators.swe.environment.repeats import first_run
from generators.swe.swe_mutations import SWEMutations
from generators.swe.testing import Testing
from generators.swe.testing.bench import KILLED
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.environment import packages
from tests.generators.swe.testing.repository import open_box

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
    "tests/test_ends.py": "import os\n\nos.kill(os.getppid(), 9)\n",
    "tests/test_wrong.py": "def test_wrong():\n    assert 1 == 2\n",
    "tests/test_old.py": "import tiny.old\n\n\ndef test_old():\n    pass\n",
    "tiny/old.py": "print 'two'\n",
}
"""One thing is wrong with each file of tests but one."""


@pytest.mark.namespace
async def test_each_thing_that_is_wrong_with_a_suite_is_named_and_the_rest_of_it_is_used() -> None:
    placed = files({f"/testbed/odd/{path}": text for path, text in ODD.items()})
    async with open_box(placed) as box:
        testing = Testing(folder="/testbed/odd", arguments=("-p", "no:cacheprovider", "tests"))
        found = await first_run(box, testing)
    assert found.stable == ("tests/test_core.py::test_double",)
    told = {name.removeprefix("tests/"): why for name, why in found.failing.items()}
    assert told.pop("test_asks.py::test_asks").startswith("urllib.error.URLError")
    assert "SyntaxError" in told.pop("test_no_python.py") and "SyntaxError" in told.pop("test_old.py")
    assert told == {
        "test_ends.py": KILLED,
        "test_kills.py::test_kills": KILLED,
        "test_quits.py::test_quits": "crashed: exit status 3",
        "test_wrong.py::test_wrong": "AssertionError: assert 1 == 2",
    }
    assert found.testing.arguments[-2:] == (
        "--deselect=tests/test_kills.py::test_kills",
        "--ignore=tests/test_ends.py",
    )


@pytest.mark.namespace
async def test_a_repository_without_a_backend_or_tests_says_so_in_the_funnel_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    backend = '[build-system]\nrequires = ["no-such-backend"]\nbuild-backend = "no_such_backend"\n'
    for name, contents in {
        "unbuilt": {**TINY, "pyproject.toml": backend},
        "untested": {"tiny/core.py": packages.CORE, "tests/data.json": "{}"},
    }.items():
        written(tmp_path / name, contents)
    spec = SWEMutations(count=2, repos=[str(tmp_path / "unbuilt"), str(tmp_path / "untested")], boxes=1)
    async with NamespaceSandbox().start() as host, spec.open(host) as maker:
        told = [await maker.make(Slot(index, 0, seed=index), None) for index in range(2)]
    assert [each.reason for each in told if isinstance(each, Reject)] == ["unfit_dependencies", "unfit_tests_found"]
    assert all(isinstance(each, Reject) and each.final for each in told)


@pytest.mark.docker
@pytest.mark.slow
async def test_a_bug_that_ends_every_process_of_its_box_is_rejected_and_the_next_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = "import os\n\n\ndef ask(group):\n    os.kill(*((-1, 9) if group > 3 else (os.getpid(), 0)))\n"
    calls = "from tiny.ends import ask\n\n\ndef test_ask():\n    assert ask(3) is None\n"
    written(tmp_path / "tiny", {**TINY, "tiny/ends.py": ends, "tests/test_ends.py": calls})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    operators = ("comparison_boundary", "arithmetic_operator")
    spec = SWEMutations(count=2, repos=[str(tmp_path / "tiny")], boxes=1, combined=0, operators=operators)
    async with DockerSandbox(pool=0).start() as host, spec.open(host) as maker:
        outcomes = [await maker.make(Slot(index, 0, seed=index), None) for index in range(spec.count)]
    assert [each.reason for each in outcomes if isinstance(each, Reject)].count("breaks_box") >= 1
    assert any(isinstance(each, Draft) for each in outcomes)


def written(top: Path, contents: dict[str, str]) -> None:
    """Lay files into a folder."""
    for path, text in contents.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
