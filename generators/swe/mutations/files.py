"""Which files of a repository may be broken: its own code, which its tests are about."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

TESTS = frozenset({"test", "tests", "testing", "unittests", "test_suite", "testsuite", "conftest"})
ASIDE = frozenset(
    {"doc", "docs", "documentation", "example", "examples", "sample", "samples", "demo", "demos", "tutorial"}
    | {"tutorials", "benchmark", "benchmarks", "bench", "asv_bench", "notebooks", "fuzz", "fuzzing", "typings", "stubs"}
)
TOP_ASIDE = frozenset({"build", "ci", "debian", "dist", "env", "perf", "recipes", "scripts", "tools", "venv"})
"""Left alone only at the top of a repository: inside a package they are names of code."""
VENDORED = frozenset(
    {"vendor", "_vendor", "vendored", "_vendored", "vendors", "third_party", "thirdparty", "3rdparty", "extern"}
    | {"externals", "site-packages", "node_modules", "_vendored_packages"}
)
BUILD = frozenset(
    {"setup.py", "conf.py", "noxfile.py", "fabfile.py", "tasks.py", "versioneer.py", "conftest.py", "__main__.py"}
    | {"ez_setup.py", "get-pip.py", "make.py", "configure.py", "release.py", "runtests.py", "manage.py"}
)
VERSIONS = frozenset({"version.py", "_version.py", "__version__.py", "__about__.py", "_version_info.py", "about.py"})
_TEST = re.compile(r"test_.*\.py\Z|.*_tests?\.py\Z|tests?\.py\Z")
_GENERATED_NAME = re.compile(r".*_pb2(?:_grpc)?\.py\Z|.*(?:parsetab|lextab|_generated|_autogen)\.py\Z")
_GENERATED_HEAD = re.compile(
    rb"@generated|auto-?\s?generated|generated (?:by|from|with|automatically)|do not (?:edit|modify)"
    rb"|machine[- ]generated|this file is generated",
    re.IGNORECASE,
)
_CODE = re.compile(rb"^[ \t]*(?:async[ \t]+def|def|class)[ \t]", re.MULTILINE)
HEAD = 1500
"""Bytes of a file in which it may say that it was generated."""
LONGEST_LINE = 2000
"""Bytes; a longer line is data or the output of a program."""


def excluded(path: str, data: bytes) -> str | None:
    """Why the file at `path` (relative to the repository, with ``/``) is left alone; None: it may be broken.

    ``not_python``; ``hidden`` (a part begins with a dot); ``vendored``; ``tests``; ``aside`` (docs, examples,
    benchmarks, tools); ``build`` (set-up, configuration and entry files); ``version``; ``migration``; ``generated``
    (by name, by what its head says, or by a line of more than LONGEST_LINE bytes); ``re_exports`` (an ``__init__.py``
    without a function or class); ``no_code`` (any other file without one).
    """
    parts = PurePosixPath(path).parts
    name, folders = parts[-1], {part.lower() for part in parts[:-1]}
    if not name.endswith(".py"):
        return "not_python"
    if any(part.startswith(".") or part.endswith((".egg", ".egg-info", ".dist-info")) for part in parts):
        return "hidden"
    if folders & VENDORED:
        return "vendored"
    if folders & TESTS or _TEST.match(name):
        return "tests"
    if folders & ASIDE or (len(parts) > 1 and parts[0].lower() in TOP_ASIDE):
        return "aside"
    if name in VERSIONS:
        return "version"
    if name in BUILD:
        return "build"
    if "migrations" in folders:
        return "migration"
    if _GENERATED_NAME.match(name) or _GENERATED_HEAD.search(data[:HEAD]):
        return "generated"
    if max(map(len, data.split(b"\n")), default=0) > LONGEST_LINE:
        return "generated"
    if not _CODE.search(data):
        return "re_exports" if name == "__init__.py" else "no_code"
    return None
