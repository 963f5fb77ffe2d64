"""A bench says what each test came to, whatever the tests do to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from datafactory.types import files
from generators.swe.testing import Bench, Testing, open_bench
from generators.swe.testing.bench import KILLED
from tests.generators.swe.testing.repository import CORE, TESTING, open_box

pytestmark = [pytest.mark.namespace, pytest.mark.asyncio(loop_scope="module")]
PLAIN, KINDS, LOST = "tests/test_plain.py::", "tests/test_kinds.py::", "lost/test_losses.py::"
CORE_AT = "/testbed/pkg/core.py"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    """One box for all: a run leaves nothing behind."""
    async with open_box() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(box: Box) -> AsyncIterator[Bench]:
    """A bench on the part of the suite that does not kill its session."""
    async with open_bench(box, TESTING.but(arguments=(*TESTING.arguments, "tests"))) as opened:
        yield opened


async def test_every_kind_of_end_has_its_word(bench: Bench) -> None:
    report = await bench.run()
    said = {name.partition("::")[2]: (r.outcome, r.message) for name, r in report.results.items()}
    assert said["test_add"] == ("passed", "")
    assert said["test_wrong"] == ("failed", "AssertionError: assert 2 == 3")
    assert "test_wrong" in report.results[f"{PLAIN}test_wrong"].trace
    assert said["test_skip"] == ("skipped", "Skipped: not here")
    assert said["test_xfail"] == ("xfailed", "known")
    assert said["test_xpass"][0] == "xpassed"
    assert said["test_strict"][0] == "failed" and "XPASS(strict)" in said["test_strict"][1]
    assert said["test_setup"] == ("error", "RuntimeError: start")
    assert said["test_teardown"] == ("error", "RuntimeError: end")
    assert said["test_no_fixture"] == ("error", "fixture 'nowhere' not found")
    assert said["test_exit"] == ("failed", "SystemExit: 3")
    assert said["TestOld::test_ok"][0] == "passed" and said["TestOld::test_parts"][0] == "failed"
    assert report.broken == {
        "tests/test_import.py": "ModuleNotFoundError: No module named 'nowhere'",
        "tests/test_quits.py": "SystemExit: 4",
    }
    assert ["test_address" in name for name in report.unstable] == [True]
    assert not report.timed_out


async def test_odd_ids_come_back_as_they_were_and_alone(bench: Bench) -> None:
    odd = [name for name in (await bench.run()).results if "test_odd" in name]
    assert len(odd) == 6 and any("a b" in name for name in odd) and any("::y" in name for name in odd)
    report = await bench.run(odd)
    assert list(report.results) == odd and report.passed == frozenset(odd)


async def test_what_cannot_be_run_is_said_for_each_test_that_was_asked_for(bench: Bench) -> None:
    asked = [f"{PLAIN}test_gone", "tests/test_nowhere.py::test_x", "tests/test_import.py::test_x", f"{PLAIN}test_add"]
    report = await bench.run([*asked, *(f"{PLAIN}test_{number}" for number in range(5000))])
    assert [report.results[name].message for name in asked] == [
        "not collected",
        "not collected: no file tests/test_nowhere.py",
        "ModuleNotFoundError: No module named 'nowhere'",
        "",
    ]
    assert report.passed == {f"{PLAIN}test_add"} and len(report.results) == 5004


async def test_a_change_of_the_same_size_and_second_is_seen_and_taken_back(box: Box, bench: Bench) -> None:
    tests = [f"{PLAIN}test_add", f"{PLAIN}test_most"]
    for _ in range(3):  # what is compiled of one text would pass for another's
        assert (await bench.run(tests)).failed == frozenset()
        await box.exec(f"touch -d @1700000000 {CORE_AT}")
        assert (await bench.run(tests, changes={CORE_AT: CORE.replace("a + b", "a - b").encode()})).failed == {tests[0]}
        assert (await bench.run(tests, changes={CORE_AT: CORE.replace("> best", "< best").encode()})).failed == {
            tests[1]
        }
        assert await box.read(CORE_AT) == CORE.encode()
        assert (await box.exec(f"stat -c %Y {CORE_AT}")).stdout == b"1700000000\n"
    broken = await bench.run(tests, changes={CORE_AT: b"raise ImportError('no')\n", "/testbed/new/x.txt": b"x"})
    assert {result.message for result in broken.results.values()} == {"ImportError: no"}
    left = await box.exec("ls /testbed/new; find /testbed -name __pycache__")
    assert left.stdout == b""


async def test_a_file_that_goes_is_gone_for_the_run_alone(box: Box, bench: Bench) -> None:
    sub = {"/testbed/pkg/sub/__init__.py": b"", "/testbed/pkg/sub/one.py": b"one = 1\n"}
    await box.push(files(sub))
    looks = b"import os.path\ndef test_sub(): assert not os.path.exists('/testbed/pkg/sub')\n"
    gone: dict[str, bytes | None] = {**dict.fromkeys(sub), "/testbed/tests/test_a.py": looks, CORE_AT: None}
    report = await bench.run(["tests/test_a.py::test_sub", f"{PLAIN}test_add"], changes=gone)
    assert report.passed == {"tests/test_a.py::test_sub"}
    assert {path: await box.read(path) for path in (*sub, CORE_AT)} == {**sub, CORE_AT: CORE.encode()}
    await box.exec("rm -r /testbed/pkg/sub")


async def test_a_crash_or_a_hang_loses_only_the_test_that_did_it(box: Box, bench: Bench) -> None:
    names = ["before", "segfault", "leaves", "interrupts", "forks", "hangs", "after"]
    report = await bench.run([f"{LOST}test_{name}" for name in names], each=1.0, timeout=30)
    assert {name: report.results[f"{LOST}test_{name}"].message for name in names} == {
        "before": "",
        "segfault": "crashed: signal 11",
        "leaves": "crashed: exit status 0",
        "interrupts": "KeyboardInterrupt",
        "forks": "",
        "hangs": "timeout",
        "after": "",
    }
    assert not report.timed_out
    assert (await box.exec("pgrep -fc '[d]atafactory_bench'")).stdout == b"1\n"  # nothing outlives its run


async def test_the_time_of_a_run_is_kept(bench: Bench) -> None:
    tests = [f"{LOST}test_before", f"{LOST}test_hangs", f"{LOST}test_after"]
    report = await bench.run(tests, timeout=1.5)
    assert report.timed_out and report.seconds < 5
    assert [report.results[name].message for name in tests] == ["", "timeout", "timeout before it ran"]
    assert report.failed == set(tests[1:])


async def test_a_conftest_that_fails_is_named(bench: Bench) -> None:
    report = await bench.run(changes={"/testbed/tests/conftest.py": b"1 / 0\n"})
    assert report.results == {}
    assert report.broken == {"tests/conftest.py": "ZeroDivisionError: division by zero"}


async def test_a_file_that_crashes_while_it_is_imported_is_broken_alone(bench: Bench) -> None:
    report = await bench.run(changes={"/testbed/tests/test_a.py": b"import os; os.abort()\n"})
    assert report.broken["tests/test_a.py"] == "crashed: signal 6"
    assert f"{PLAIN}test_add" in report.passed


async def test_a_session_that_ends_itself_runs_no_more(bench: Bench) -> None:
    ends = b"import pytest\ndef test_1(): pytest.exit('enough')\ndef test_2(): pass\n"
    report = await bench.run(
        ["tests/test_a.py::test_1", "tests/test_a.py::test_2"], changes={"/testbed/tests/test_a.py": ends}
    )
    assert [result.message for result in report.results.values()] == ["Exit: enough", "not run: Exit: enough"]


async def test_ids_that_differ_between_sessions_are_found(bench: Bench) -> None:
    found = await bench.unstable()
    assert {why for name, why in found.items() if "test_address" in name} == {"its id holds an address in memory"}
    assert {why for name, why in found.items() if "test_order" in name} == {"not in every session"}
    assert not [name for name in found if "test_order" not in name and "test_address" not in name]


async def test_an_interpreter_without_pytest_is_an_error_that_says_so(box: Box) -> None:
    with pytest.raises(SandboxError, match=r"no tests can be run by /nowhere/python"):
        async with open_bench(box, Testing(python="/nowhere/python")):
            pass


async def test_a_test_that_ends_the_process_above_it_is_failed_and_the_others_are_run(bench: Bench) -> None:
    kills = b"import os\ndef test_1(): pass\ndef test_2(): os.kill(os.getppid(), 9)\ndef test_3(): pass\n"
    changes = {"/testbed/tests/test_a.py": kills, "/testbed/tests/test_b.py": b"import os\nos.kill(os.getppid(), 9)\n"}
    whole = await bench.run(changes=changes)
    assert (whole.broken["tests/test_b.py"], whole.results["tests/test_a.py::test_2"].message) == (KILLED, KILLED)
    assert f"{PLAIN}test_add" in whole.passed
