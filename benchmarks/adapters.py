"""Counts how many adapted math and code tasks prove sound: `python benchmarks/adapters.py --math F --code F`."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from datafactory.checks import prove
from datafactory.protocols import SandboxHost, Slot
from datafactory.types import Reject, digest_of
from generators.terminal_adapters import TerminalAdapters
from sandboxes import TABLE


async def reason(host: SandboxHost, adapter: TerminalAdapters, index: int, repeats: int) -> tuple[str, str]:
    """`sound`, or why not, and what was seen."""
    draft = await adapter.make(Slot(index, 0, int(digest_of([0, index]), 16)))
    reject = draft if isinstance(draft, Reject) else await prove(host, draft, repeats=repeats)
    if reject is None:
        return "sound", ""
    item = draft.what if isinstance(draft, Reject) else draft.source.item
    return reject.reason, f"{item}: {reject.detail[-400:]}"


async def measure(host: SandboxHost, kind: Any, path: Path, wanted: argparse.Namespace) -> int:
    """Prints the share that is sound, and each task that is not; returns how many are not."""
    adapter = TerminalAdapters(path=path, kind=kind, count=wanted.count, shuffle=wanted.shuffle)
    found: Counter[str] = Counter()
    waiting = iter(range(adapter.count))
    start = time.monotonic()

    async def work() -> None:
        for index in waiting:
            why, seen = await reason(host, adapter, index, wanted.repeats)
            found[why] += 1
            if seen:
                print(f"  {why}: {seen}")

    await asyncio.gather(*(work() for _ in range(wanted.at_once)))
    seconds = time.monotonic() - start
    share = found["sound"] / adapter.count
    print(f"{kind}: {found['sound']} of {adapter.count} sound ({share:.1%}), {seconds:.1f} s, {dict(found)}")
    return adapter.count - found["sound"]


async def main(wanted: argparse.Namespace) -> int:
    """Exit status 0 where every task is sound."""
    module, _, name = TABLE[wanted.sandbox].partition(":")
    sandbox = getattr(import_module(module), name)()
    print(f"sandbox {wanted.sandbox}, {wanted.repeats} repeats, {wanted.at_once} at once")
    unsound = 0
    async with sandbox.start() as host:
        for kind, path in (("math", wanted.math), ("code", wanted.code), ("swe", wanted.swe)):
            if path is not None:
                unsound += await measure(host, kind, path, wanted)
    return 1 if unsound else 0


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--math", type=Path, help="GSM8K rows")
    parser.add_argument("--code", type=Path, help="HumanEval rows")
    parser.add_argument("--swe", type=Path, help="issues with files and tests")
    parser.add_argument("--count", type=int, default=100, help="tasks of each kind; 0: every row")
    parser.add_argument("--shuffle", action="store_true", help="rows in random order")
    parser.add_argument("--sandbox", default="namespace", choices=sorted(TABLE))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(arguments())))
