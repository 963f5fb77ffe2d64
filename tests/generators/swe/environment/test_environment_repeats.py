"""Tests that always pass are told from those that fail, hang or do either."""

from __future__ import annotations

import pytest

from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.repeats import Found, first_run
from generators.swe.testing import Report, Testing, TestResult
from sandboxes.docker import DockerSandbox


def report(**outcomes: str) -> Report:
    return Report.model_validate(
        {"results": {id: TestResult(id=id, outcome=said, message="why") for id, said in outcomes.items()}}
    )


def test_only_what_passes_each_time_is_a_test() -> None:
    found = Found(Testing(), hung={"h": "timeout"}, unstable={"u": "names a memory address"})
    found.reports += [
        report(a="passed", b="passed", c="failed", d="skipped", e="passed", u="passed"),
        report(a="passed", b="failed", c="error", d="skipped", u="passed"),
    ]
    assert found.stable == ("a",)
    assert found.flaky == ("b", "e", "u")
    assert found.failing == {"c": "why", "h": "timeout"}


TESTS = """import time
def test_hangs(): time.sleep(60)
def test_passes(): pass
def test_fails(): assert 1 == 2
"""


@pytest.mark.docker
async def test_a_test_that_hangs_is_taken_out_and_the_rest_goes_on() -> None:
    async with DockerSandbox(pool=0).start() as host, host.open("base", {}, workdir="/testbed") as box:
        await box.write("/testbed/test_a.py", TESTS.encode())
        testing = Testing(python="/usr/bin/python3", arguments=("-p", "no:cacheprovider"))
        found = await first_run(box, testing, each=1.0)
        assert list(found.hung) == ["test_a.py::test_hangs"]
        assert found.testing.arguments[-1] == "--deselect=test_a.py::test_hangs"
        assert found.stable == ("test_a.py::test_passes",)
        assert set(found.failing) == {"test_a.py::test_fails", "test_a.py::test_hangs"}
        await box.write("/testbed/test_a.py", b"def test_fails(): assert 1 == 2\n")
        with pytest.raises(SetUpFailed, match="assert 1 == 2") as failed:
            await first_run(box, testing)
        assert failed.value.step == "no_passing_tests"
        await box.write("/testbed/test_a.py", b"def nothing(): pass\n")
        with pytest.raises(SetUpFailed) as failed:
            await first_run(box, testing)
        assert failed.value.step == "tests_found"
