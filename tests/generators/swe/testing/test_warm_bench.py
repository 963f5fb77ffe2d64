"""A bench that swaps code says what one that imports says, and does not run what it cannot swap."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.protocols import Box
from datafactory.types import files
from generators.swe.testing import Bench, Report, WarmBench, open_bench, open_warm_bench
from tests.generators.swe.testing.repository import CORE, TESTING, open_box

pytestmark = [pytest.mark.namespace, pytest.mark.asyncio(loop_scope="module")]
SHAPES = """import functools

def loud(function):
    @functools.wraps(function)
    def louder(*given):
        return function(*given).upper()
    return louder

@loud
def name(shape):
    return f"a {shape}"

class Square:
    sides = 4
    def __init__(self, side):
        self.side = side
    @property
    def area(self):
        return self.side * self.side
    @classmethod
    def unit(cls):
        return cls(1)

def scale(factor):
    return lambda value: value * factor

double = scale(2)
"""
TESTS = """from pkg.shapes import Square, double, name, scale

def test_name():
    assert name("box") == "A BOX"
def test_area():
    assert Square(3).area == 9
def test_unit():
    assert Square.unit().side == 1
def test_double():
    assert double(3) == 6
def test_scale():
    assert scale(3)(2) == 6
"""
SHAPES_AT, CORE_AT = "/testbed/pkg/shapes.py", "/testbed/pkg/core.py"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    """One box for all."""
    async with open_box(files({SHAPES_AT: SHAPES, "/testbed/tests/test_shapes.py": TESTS})) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def benches(box: Box) -> AsyncIterator[tuple[Bench, WarmBench]]:
    """The two, in the same box."""
    testing = TESTING.but(arguments=(*TESTING.arguments, "tests"))
    async with open_bench(box, testing) as bench, open_warm_bench(box, testing) as warm:
        assert warm is not None
        yield bench, warm


def told(report: Report) -> dict[str, tuple[str, str]]:
    """What became of each test whose id can be told."""
    return {
        name: (result.outcome, result.message)
        for name, result in report.results.items()
        if "test_address" not in name and "test_order" not in name
    }


async def test_the_whole_suite_is_told_alike(benches: tuple[Bench, WarmBench]) -> None:
    bench, warm = benches
    one, other = await bench.run(), await warm.swapped(changes={})
    assert other is not None
    assert told(one) == told(other) and len(told(one)) > 20
    assert one.broken == other.broken
    assert other.seconds < one.seconds


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "fails"),
    [
        (CORE_AT, CORE, "a + b", "a - b", {"test_add", "test_wrong"}),
        (CORE_AT, CORE, "or number > best", "or number < best", {"test_most", "test_wrong"}),
        (SHAPES_AT, SHAPES, 'f"a {shape}"', 'f"an {shape}"', {"test_name", "test_wrong"}),
        (SHAPES_AT, SHAPES, "(*given).upper()", "(*given)", {"test_name", "test_wrong"}),
        (SHAPES_AT, SHAPES, "self.side * self.side", "self.side", {"test_area", "test_wrong"}),
        (SHAPES_AT, SHAPES, "cls(1)", "cls(True + 1)", {"test_unit", "test_wrong"}),
        (SHAPES_AT, SHAPES, "value * factor", "value + factor", {"test_double", "test_scale", "test_wrong"}),
    ],
)
async def test_a_change_of_a_function_fails_the_tests_that_it_fails(
    benches: tuple[Bench, WarmBench], path: str, text: str, old: str, new: str, fails: set[str]
) -> None:
    bench, warm = benches
    changes = {path: text.replace(old, new).encode()}
    wanted = [f"tests/test_{'plain' if name in PLAIN else 'shapes'}.py::{name}" for name in sorted(PLAIN | SHAPED)]
    one, other = await bench.run(wanted, changes=changes), await warm.swapped(wanted, changes=changes)
    assert other is not None
    assert {name.partition("::")[2] for name in other.failed} == fails
    assert told(one) == told(other)


PLAIN = {"test_add", "test_most", "test_wrong"}
SHAPED = {"test_name", "test_area", "test_unit", "test_double", "test_scale"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sides = 4", "sides = 3"),
        ("def scale(factor)", "def scale(factor=2)"),
        ("@loud\n", ""),
        ("double = scale(2)", "double = scale(3)"),
        ("lambda value: value * factor", "(lambda value: value)"),
        ("    return lambda value: value * factor", "    return factor"),
        ("return self.side * self.side", "return ("),
    ],
)
async def test_a_change_that_is_more_than_code_of_functions_is_not_run(
    benches: tuple[Bench, WarmBench], old: str, new: str
) -> None:
    changes = {SHAPES_AT: SHAPES.replace(old, new).encode()}
    assert changes[SHAPES_AT] != SHAPES.encode()
    assert await benches[1].swapped(changes=changes) is None


async def test_nothing_of_a_change_is_left(benches: tuple[Bench, WarmBench], box: Box) -> None:
    _, warm = benches
    await warm.swapped(changes={CORE_AT: CORE.replace("a + b", "a - b").encode()})
    after = await warm.swapped(["tests/test_plain.py::test_add"], changes={})
    assert after is not None and after.passed == {"tests/test_plain.py::test_add"}
    assert await box.read(CORE_AT) == CORE.encode()


async def test_what_kills_or_stops_its_session_costs_itself_alone(box: Box) -> None:
    testing = TESTING.but(arguments=(*TESTING.arguments, "lost"))
    async with open_warm_bench(box, testing) as warm:
        assert warm is not None
        report = await warm.swapped(changes={}, each=1.0, timeout=30)
        assert report is not None
    said = {name.partition("::")[2]: result.message for name, result in report.results.items()}
    assert {name for name, message in said.items() if not message} == {"test_before", "test_forks", "test_after"}
    assert said["test_segfault"] == "crashed: signal 11" and said["test_hangs"] == "timeout"
    assert said["test_interrupts"].startswith("KeyboardInterrupt")


async def test_several_forks_tell_what_one_tells(benches: tuple[Bench, WarmBench]) -> None:
    bench, warm = benches
    one = await bench.run()
    cold = await bench.run(workers=3)
    swapped = await warm.confirmed(None, changes={}, timeout=60, whole=60, workers=3)
    assert swapped is not None and swapped[1] is None
    assert told(one) == told(cold) == told(swapped[0])
    assert one.broken == cold.broken and not cold.timed_out


async def test_where_a_fork_is_lost_one_process_runs_all_tests(box: Box) -> None:
    names = [f"lost/test_losses.py::test_{name}" for name in ("before", "segfault", "leaves", "forks", "after")]
    names += ["tests/test_plain.py::test_add", "tests/test_plain.py::test_wrong"]
    async with open_bench(box, TESTING.but(arguments=(*TESTING.arguments, "lost", "tests/test_plain.py"))) as bench:
        one, several = await bench.run(names, timeout=30), await bench.run(names, timeout=30, workers=4)
    assert told(one) == told(several)
    assert several.results[names[1]].message == "crashed: signal 11"


async def test_the_whole_suite_is_run_only_where_a_test_fails(benches: tuple[Bench, WarmBench]) -> None:
    wrong, asked = {CORE_AT: CORE.replace("a + b", "a - b").encode()}, ["tests/test_plain.py::test_add"]
    for bench in benches:
        fine = await bench.confirmed(asked, changes={}, timeout=60, whole=60)
        assert fine is not None and fine[0].passed == set(asked) and fine[1] is None
        bad = await bench.confirmed(asked, changes=wrong, timeout=60, whole=60)
        assert bad is not None and bad[0].failed == set(asked)
        assert bad[1] is not None and set(asked) < bad[1].failed and len(bad[1].results) > 20
        assert bad[0].results[asked[0]].message == "AssertionError: assert -1 == 3"
        assert not any(result.trace for report in bad if report for result in report.results.values())


async def test_so_many_tracebacks_are_kept_as_are_wanted(benches: tuple[Bench, WarmBench]) -> None:
    report = await benches[0].run(traces=2)
    failed = [result for result in report.results.values() if result.outcome in ("failed", "error")]
    assert [bool(result.trace) for result in failed] == [True] * 2 + [False] * (len(failed) - 2)
    assert len(failed) > 4 and all(result.message for result in failed)


async def test_what_was_compiled_from_old_files_stays(box: Box, benches: tuple[Bench, WarmBench]) -> None:
    count = "find /run/datafactory-bench -name '*test_plain*.pyc' | wc -l"
    await box.exec("touch -d 2020-01-01 /testbed/tests/*.py /testbed/pkg/*.py")
    for _ in range(2):
        await benches[0].run(["tests/test_plain.py::test_add"])
        assert int((await box.exec(count)).output) >= 1
