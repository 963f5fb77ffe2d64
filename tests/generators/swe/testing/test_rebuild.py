"""Where a patch changes what is compiled, the check compiles it anew, and trusts no build that meddles."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.checks import judge
from datafactory.protocols import Box
from datafactory.swe_facts import PATCH
from datafactory.types import CheckResult, files
from generators.swe.testing import Testing, resolved_check
from tests.generators.swe.testing.repository import open_box
from tests.generators.swe.testing.test_check import patch

pytestmark = [pytest.mark.namespace, pytest.mark.asyncio(loop_scope="module")]
SOURCE = "def two(): return 2\n"
SETUP = "import pkg\n"
TEST = "from pkg.fast import two\ndef test_two(): assert two() == 2\ndef test_fast(): assert two()\n"
TESTING = Testing(
    # As a build does: makes a module of a source, and runs what setup.py imports of the repository.
    rebuild="cd /testbed && rm -f pkg/fast.py && cp setup.py /run/setup.py && bash pkg/version.sh"
    " && grep -q '^def' pkg/fast.pyx && cp pkg/fast.pyx pkg/fast.py"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    """A box with an environment that has pytest."""
    async with open_box() as opened:
        yield opened


async def ruled(box: Box, *patches: str, version: str = "true\n", timeout: float = 60) -> CheckResult:
    """What the check finds for the patches together, where what is compiled says 3 instead of 2."""
    await box.exec("cd /testbed && rm -rf * && mkdir -p /run")
    tree = {"pkg/__init__.py": "", "pkg/fast.pyx": SOURCE.replace("2", "3"), "pkg/fast.py": SOURCE.replace("2", "3")}
    tree |= {"setup.py": SETUP, "pkg/version.sh": "true\n", "tests/test_two.py": TEST}
    await box.push(files({f"/testbed/{path}": text for path, text in tree.items()}))
    changed = patch("pkg/version.sh", "true\n", version) if version != "true\n" else ""
    await box.write(PATCH, "".join((*patches, changed)).encode())
    tests = ["tests/test_two.py::test_two"], ["tests/test_two.py::test_fast"]
    check = resolved_check(TESTING, *tests, files({"tests/test_two.py": TEST}), timeout=timeout)
    return (await judge(box, [check])).checks[0]


FIX = patch("pkg/fast.pyx", SOURCE.replace("2", "3"), SOURCE)


async def test_a_fix_of_a_source_counts_and_what_changes_none_compiles_nothing(box: Box) -> None:
    fixed = await ruled(box, FIX)
    assert fixed.outcome == "passed" and ">>>>> Built Extension Modules" in fixed.log
    other = await ruled(box, patch("pkg/core.py", "", "x = 1\n"))
    assert other.outcome == "failed" and '{"f2p": [0, 1], "p2p": [1, 1]}' in other.log and "Built" not in other.log


async def test_a_source_that_does_not_compile_fails_every_test_whatever_was_compiled_before(box: Box) -> None:
    broken = await ruled(box, patch("pkg/fast.pyx", SOURCE.replace("2", "3"), "nonsense\n"))
    assert broken.outcome == "failed"
    assert ">>>>> Build Failed\nexit status 1" in broken.log and '{"f2p": [0, 1], "p2p": [0, 1]}' in broken.log


@pytest.mark.parametrize(
    "version",
    [
        "echo >> $(ls -d /opt/env/lib/python3*/site-packages)/pytest/__init__.py\n",
        "echo >> $(find /tests -name session.py)\n",
        "cd /opt/env/bin && cp -p python3 new && mv new python3\n",
        "printf '' > /tests/left\n",
    ],
)
async def test_a_build_that_changes_what_runs_the_tests_fails(box: Box, version: str) -> None:
    await box.exec("cp -a /opt/env /opt/kept")
    found = await ruled(box, FIX, version=version)
    await box.exec("rm -rf /opt/env && mv /opt/kept /opt/env")
    assert found.outcome == "failed" and "the build changed what runs the tests" in found.log


async def test_a_build_has_the_tasks_own_setup_file_leaves_nothing_running_and_ends_in_time(box: Box) -> None:
    meddles = patch("setup.py", SETUP, "raise SystemExit(7)\n")
    await ruled(box, FIX, meddles, version="setsid sleep 77 &\n")
    assert await box.read("/run/setup.py") == SETUP.encode()
    assert (await box.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).output.count("sleep 77") == 0
    hung = await ruled(box, FIX, version="sleep 77\n", timeout=2)
    assert hung.outcome == "failed" and "the build took over 2 s" in hung.log
