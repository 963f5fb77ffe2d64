"""The check of a task rules by its tests, and by nothing that a patch brings along."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.checks import judge
from datafactory.protocols import Box
from datafactory.swe_facts import PATCH
from datafactory.types import CheckResult, files
from generators.swe.testing import resolved_check
from tests.generators.swe.testing.repository import CORE, PLAIN, TESTING, open_box

pytestmark = [pytest.mark.namespace, pytest.mark.asyncio(loop_scope="module")]
BROKEN = CORE.replace("a + b", "a - b").replace("> best", "< best")
AT = "pkg/core.py"
F2P = ["tests/test_plain.py::test_add", "tests/test_plain.py::test_most"]
P2P = ["tests/test_plain.py::test_odd[a b]", "tests/test_plain.py::test_odd[[x]]"]
HELD_OUT = files({"/testbed/tests/test_plain.py": PLAIN})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    """A box with the broken repository."""
    async with open_box(files({f"/testbed/{AT}": BROKEN})) as opened:
        yield opened


def patch(path: str, before: str, after: str) -> str:
    """A patch as git writes it."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{path}" if before else "/dev/null",
        f"b/{path}" if after else "/dev/null",
    )
    mode = "" if before else "new file mode 100644\n"
    return f"diff --git a/{path} b/{path}\n{mode}{''.join(lines)}"


async def ruled(box: Box, text: str | None, *, rates: bool = False) -> CheckResult:
    """What the check finds for a patch (None: there is none), from the broken repository."""
    await box.exec("cd /testbed && rm -rf * && mkdir -p /run")
    await box.exec(["rm", "-f", PATCH])
    tree = {"/testbed/pkg/__init__.py": "from pkg.core import *\n", f"/testbed/{AT}": BROKEN}
    await box.push(files({**tree, "/testbed/tests/test_plain.py": PLAIN}))
    if text is not None:
        await box.write(PATCH, text.encode())
    check = resolved_check(TESTING, F2P, P2P, HELD_OUT, rates=rates, timeout=60, each=5)
    return (await judge(box, [check])).checks[0]


async def test_the_fix_passes_and_nothing_fails(box: Box) -> None:
    fixed = await ruled(box, patch(AT, BROKEN, CORE))
    assert (fixed.outcome, fixed.score) == ("passed", 1.0), fixed.log
    assert fixed.log.endswith('{"f2p": [2, 2], "p2p": [2, 2]}\n') and ">>>>> Start Test Output" in fixed.log
    for nothing in (None, "", "\n"):
        found = await ruled(box, nothing)
        assert found.outcome == "failed" and '"f2p": [0, 2], "p2p": [2, 2]' in found.log


async def test_a_test_file_that_the_fix_takes_away_is_not_there_when_it_rules(box: Box) -> None:
    await ruled(box, None)
    stale = {"/testbed/tests/conftest.py": "1 / 0\n"}
    check = resolved_check(TESTING, P2P, P2P, HELD_OUT, timeout=60)
    await box.push(files(stale))
    assert (await judge(box, [check])).reward == 0
    await box.push(files(stale))
    check = resolved_check(TESTING, P2P, P2P, HELD_OUT, gone=list(stale), timeout=60)
    assert (await judge(box, [check])).reward == 1


async def test_half_a_fix_has_half_the_rate(box: Box) -> None:
    half = patch(AT, BROKEN, BROKEN.replace("a - b", "a + b"))
    assert (await ruled(box, half)).score == 0.0
    assert (await ruled(box, half, rates=True)).score == 0.5
    assert (await ruled(box, patch(AT, BROKEN, CORE), rates=True)).outcome == "passed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no patch\n", "Patch Apply Failed"),
        (patch(AT, CORE.replace("LIMIT = 3", "LIMIT = 9").replace("a + b", "a * b"), CORE), "Patch Apply Failed"),
        (patch(AT, BROKEN, "raise ImportError('gone')\n"), "ImportError: gone"),
        (patch(AT, BROKEN, "import os\nos._exit(0)\n"), "crashed: exit status 0"),
        (patch(AT, BROKEN, "import os\nos.abort()\n"), "crashed: signal 6"),
        (patch(AT, BROKEN, BROKEN.replace("    best = None", "    while True: pass")), "timeout"),
    ],
    ids=["garbage", "elsewhere", "import", "exit", "abort", "hang"],
)
async def test_a_bad_patch_fails_and_is_no_crash_of_the_check(box: Box, text: str, said: str) -> None:
    found = await ruled(box, text)
    assert (found.outcome, found.score) == ("failed", 0.0), found.log
    assert said in found.log


PASSES = """import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
FORGES = f"""
from _pytest.reports import TestReport
made = TestReport.from_item_and_call
def forged(item, call):
    report = made(item, call)
    report.outcome = "passed"
    return report
TestReport.from_item_and_call = forged
{BROKEN}"""


@pytest.mark.parametrize(
    "text",
    [
        patch("conftest.py", "", PASSES),
        patch("tests/conftest.py", "", PASSES),
        patch("cheat.py", "", PASSES) + patch("pytest.ini", "", "[pytest]\naddopts = -p cheat\n"),
        patch("cheat.py", "", PASSES) + patch("x.egg-info/entry_points.txt", "", "[pytest11]\nx = cheat\n"),
        patch("sitecustomize.py", "", "import os\nos._exit(0)\n"),
        patch("tests/test_plain.py", PLAIN, "def test_add(): pass\ndef test_most(): pass\n"),
        patch("tests/pkg.py", "", "add = lambda a, b: a + b\nmost = max\n"),
        patch(AT, BROKEN, FORGES),
    ],
    ids=["conftest", "tests-conftest", "ini", "plugin", "site", "tests", "shadow", "reports"],
)
async def test_what_a_patch_brings_along_does_not_decide(box: Box, text: str) -> None:
    found = await ruled(box, text)
    assert found.outcome == "failed", found.log
    assert '"f2p": [0, 2]' in found.log


async def test_nothing_of_the_check_is_told_to_what_it_tests(box: Box) -> None:
    looks = (
        CORE
        + "import glob\nassert not glob.glob('/tests/*.json') + glob.glob('/tests/held*') + glob.glob('/run/v*/*')\n"
    )
    assert (await ruled(box, patch(AT, BROKEN, looks), rates=True)).outcome == "passed"
