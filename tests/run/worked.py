"""The process that the kill test kills: it works through items, and writes down every call before it is paid for."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from datafactory.run import Run
from datafactory.storage import Shelf
from datafactory.types import Record, Reject

AT_ONCE = 8


class Row(Record):
    """A row large enough that a kill may tear it."""

    id: str
    text: str


def result(key: str, n: int) -> Row | Reject:
    """What an item must come to, in every run."""
    return Reject(reason="tenth") if n % 10 == 0 else Row(id=key, text=f"{key} " * (200 + 50 * (n % 7)))


async def main(folder: Path, count: int) -> None:
    calls = os.open(folder / "calls.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def work(key: str, n: int) -> Row | Reject:
        os.write(calls, f"{key}\n".encode())
        await asyncio.sleep(random.random() * 0.01)
        return result(key, n)

    async with Shelf(folder / "shelf", Row) as shelf:
        print(f"cut {shelf._records.cut + shelf._rejects.cut}", flush=True)
        await Run(shelf).each(((f"k{n}", n) for n in range(count)), work, at_once=AT_ONCE)
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
