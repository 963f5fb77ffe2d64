"""A small repository whose tests do all that tests do, and a box with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from datafactory.protocols import Box
from datafactory.types import Files, files
from generators.swe.testing import Testing
from sandboxes.namespace import NamespaceSandbox

TESTING = Testing()
PACKAGES = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
"""What a box is given of this Python's packages: pure ones, so that any Python takes them."""

CORE = '''"""Sums."""

LIMIT = 3


def add(a, b):
    return a + b


def most(numbers):
    best = None
    for number in numbers:
        if (
            best is None
            or number > best
        ):
            best = number
    return best


def never():
    return 1
'''

PLAIN = """import pkg
import pytest

def test_add():
    assert pkg.add(1, 2) == 3

def test_most():
    assert pkg.most([1, 3, 2]) == 3

def test_wrong():
    assert pkg.add(1, 1) == 3

@pytest.mark.parametrize("text", ["a b", "[x]", "ü::y", "a/b", "\\n", ""])
def test_odd(text):
    assert isinstance(text, str)
"""

KINDS = """import os, subprocess, sys, unittest
import pytest

@pytest.mark.skip(reason="not here")
def test_skip(): pass

@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0

@pytest.mark.xfail
def test_xpass(): pass

@pytest.mark.xfail(strict=True)
def test_strict(): pass

@pytest.fixture
def bad_start(): raise RuntimeError("start\\nmore")

@pytest.fixture
def bad_end():
    yield
    raise RuntimeError("end")

def test_setup(bad_start): pass
def test_teardown(bad_end): pass
def test_no_fixture(nowhere): pass
def test_exit(): sys.exit(3)

class TestOld(unittest.TestCase):
    def test_ok(self): self.assertEqual(1, 1)
    def test_parts(self):
        for n in (1, 2):
            with self.subTest(n=n): self.assertEqual(n, 1)

@pytest.mark.parametrize("value", [object()], ids=repr)
def test_address(value): pass

@pytest.mark.parametrize("word", {"one", "two", "three", "four", "five", "six"})
@pytest.mark.parametrize("number", range(1), ids=lambda n: f"{hash('n') % 1000}")
def test_order(word, number): pass
"""

LOSSES = """import ctypes, os, signal, sys, time, pytest

def test_before(): pass
def test_segfault(): os.kill(os.getpid(), signal.SIGSEGV)
def test_leaves(): os._exit(0)
def test_interrupts(): raise KeyboardInterrupt
def test_forks():
    os.fork()
def test_hangs():
    if os.fork() == 0:
        os.setsid(); time.sleep(600)
    time.sleep(600)
def test_after(): pass
"""

REPOSITORY = files(
    {
        "/testbed/pkg/__init__.py": "from pkg.core import LIMIT, add, most, never\n",
        "/testbed/pkg/core.py": CORE,
        "/testbed/tests/test_plain.py": PLAIN,
        "/testbed/tests/test_kinds.py": KINDS,
        "/testbed/tests/test_import.py": "import nowhere\ndef test_x(): pass\n",
        "/testbed/tests/test_quits.py": "raise SystemExit(4)\n",
        "/testbed/lost/test_losses.py": LOSSES,
    }
)


@cache
def packages(*names: str) -> dict[str, bytes]:
    """The files of installed packages, by their paths in site-packages."""
    found = [file for name in names for file in distribution(name).files or () if file.parts[0] != ".."]
    wanted = [file for file in found if file.suffix != ".pyc" and Path(str(file.locate())).is_file()]
    return {str(file): file.read_binary() for file in wanted}


@asynccontextmanager
async def open_box(extra: Files | None = None) -> AsyncIterator[Box]:
    """A box with the repository, other files, and an environment that has pytest and the repository."""
    spec = NamespaceSandbox()
    async with spec.start() as host, host.open("base", {**REPOSITORY, **(extra or {})}, workdir="/testbed") as box:
        made = await box.exec(
            "/usr/bin/python3 -m venv --without-pip /opt/env && cd /opt/env/lib/python3*/site-packages"
            " && echo /testbed >repository.pth && pwd; cd /testbed",
            timeout=60,
        )
        assert made.stdout, made.output
        where = made.stdout.decode().strip()
        await box.push(files({f"{where}/{name}": data for name, data in packages(*PACKAGES).items()}))
        yield box
