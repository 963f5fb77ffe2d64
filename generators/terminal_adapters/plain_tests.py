"""Runs in a box: plain test functions and unittest cases (arguments: the root, the report, the test files).

For boxes without pytest. The report is written at the very end, and only where every test passed.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import unittest
from collections.abc import Sequence
from pathlib import Path

PASSED = 'errors="0" failures="0"'
"""As pytest's own report says it."""


def tests_of(root: str, name: str) -> unittest.TestSuite:
    """The tests of one file; raises whatever importing it raises."""
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py").replace("/", "."), Path(root, name))
    assert spec is not None and spec.loader is not None, f"{name} is no module"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    functions = [value for name, value in vars(module).items() if name.startswith("test") and inspect.isfunction(value)]
    suite.addTests(unittest.FunctionTestCase(function) for function in functions)
    return suite


def main(root: str, report: str, names: Sequence[str]) -> bool:
    """Whether there are tests and all of them passed."""
    sys.path.insert(0, root)
    suite = unittest.TestSuite(tests_of(root, name) for name in names)
    result = unittest.TextTestRunner(stream=sys.stdout).run(suite)
    passed = result.wasSuccessful() and result.testsRun > 0
    if passed:
        Path(report).write_text(f"{PASSED}\n")
    return passed


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1], sys.argv[2], sys.argv[3:]) else 1)
