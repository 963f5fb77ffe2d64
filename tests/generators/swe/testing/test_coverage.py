"""The map from lines to tests leaves out no test that a change may touch."""

from __future__ import annotations

import pytest

from datafactory.types import files
from generators.swe.testing import Coverage, open_bench
from tests.generators.swe.testing.repository import CORE, TESTING, open_box, packages

LATE = """import threading, subprocess, sys
import pytest

@pytest.fixture(scope="module")
def shared():
    from pkg import late
    return late.make()

def test_first(shared): assert shared == 1
def test_second(shared): assert shared == 1
def test_alone(): pass

def test_thread():
    import pkg
    thread = threading.Thread(target=pkg.never)
    thread.start()
    thread.join()

def test_process():
    subprocess.run([sys.executable, "-c", ""], check=True)
"""
MODULE = "TABLE = {\n    1: 1,\n}\n\n\ndef make():\n    return TABLE[\n        1\n    ]\n"


def line(text: str, of: str = CORE) -> range:
    """Where a line stands."""
    number = of.splitlines().index(text) + 1
    return range(number, number + 1)


@pytest.mark.namespace
async def test_a_line_names_the_tests_that_ran_it_however_they_came_there() -> None:
    extra = files({"/testbed/tests/test_late.py": LATE, "/testbed/pkg/late.py": MODULE})
    async with open_box(extra) as box:
        where = (await box.exec("echo /opt/env/lib/python3*/site-packages")).stdout.decode().strip()
        await box.push(files({f"{where}/{name}": data for name, data in packages("coverage").items()}))
        testing = TESTING.but(arguments=("tests/test_plain.py", "tests/test_late.py"))
        async with open_bench(box, testing) as bench:
            found = await bench.coverage()
    core, late, plain = "pkg/core.py", "tests/test_late.py::", "tests/test_plain.py::"
    anything = {f"{late}test_process"}
    assert found.tests_for(core, line("    return a + b")) == {f"{plain}test_add", f"{plain}test_wrong"} | anything
    assert found.tests_for(core, line("            or number > best")) == {f"{plain}test_most"} | anything
    assert found.tests_for(core, line("        ):")) == {f"{plain}test_most"} | anything  # no line to the interpreter
    assert found.tests_for(core, line("    return 1")) == {f"{late}test_thread"} | anything
    assert found.tests_for(core, line("LIMIT = 3")) is None and found.tests_for(core, line("def never():")) is None
    # Imported and set up by the first test only, but the second depends on it as well.
    assert found.tests_for("pkg/late.py", line("    1: 1,", MODULE)) is None
    both = {f"{late}test_first", f"{late}test_second"}
    assert found.tests_for("pkg/late.py", line("        1", MODULE)) == both | anything
    assert found.tests_for("pkg/nowhere.py", range(1, 9)) == frozenset()
    assert Coverage.model_validate_json(found.model_dump_json()) == found
