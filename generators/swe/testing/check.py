"""The check of a task whose tests decide: FAIL_TO_PASS and PASS_TO_PASS on the attempt's patch, in a clean box."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from datafactory.swe_facts import PATCH
from datafactory.types import Check, File, Files, digest_of
from generators.swe.testing.bench import PACKAGE, programs
from generators.swe.testing.records import Testing

HOME = "/tests"
"""Folder in the judging box; no attempt sees it."""
_BOOT = "import sys; sys.path.insert(0, {home!r}); from {package}.judge import main; main({home!r})"


def resolved_check(
    testing: Testing,
    fail_to_pass: Sequence[str],
    pass_to_pass: Sequence[str],
    held_out: Files,
    *,
    gone: Sequence[str] = (),
    rates: bool = False,
    timeout: float,
    each: float | None = None,
) -> Check:
    """A check that applies `PATCH`, puts `held_out` (paths absolute, or relative to the folder of `testing`) over it,
    takes the files `gone` away, and runs the tests: passed where all of them pass (RESOLVED_FULL of SWE-bench).

    `rates`: the score is the share of FAIL_TO_PASS times the share of PASS_TO_PASS instead of 0 or 1. `timeout`:
    seconds for all of it; `each`: for one test.
    """
    files = {_relative(path, testing.folder): file for path, file in held_out.items()}
    order = {
        **testing.model_dump(mode="json"),
        "fail_to_pass": list(fail_to_pass),
        "pass_to_pass": list(pass_to_pass),
        "held_out": {name: file.mode for name, file in files.items()},
        "gone": [_relative(path, testing.folder) for path in gone],
        "patch": PATCH,
        "timeout": max(timeout - 10.0, timeout * 0.8),
        "each": each,
        "reward_file": None,
    }
    # No name that an attempt could know: what runs the tests could write there as well.
    reward = f"/run/verdict-{digest_of([order, {n: f.model_dump(mode='json') for n, f in files.items()}])}/reward.txt"
    order["reward_file"] = reward if rates else None
    return Check(
        name="resolved",
        # Isolated and without site: nothing of the repository's runs in the process that rules.
        argv=(testing.python, "-I", "-S", "-c", _BOOT.format(home=HOME, package=PACKAGE)),
        files={
            **programs(HOME),
            **{f"{HOME}/held_out/{name}": file for name, file in files.items()},
            f"{HOME}/tests.json": File(data=json.dumps(order).encode()),
        },
        timeout=timeout,
        reward_file=reward if rates else None,
    )


def _relative(path: str, folder: str) -> str:
    return str(PurePosixPath(path).relative_to(folder)) if path.startswith("/") else path
