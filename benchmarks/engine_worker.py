"""The factory's side of the engine benchmark: a stage's work, from `Run.each` over lines and ledger to the shelf.

Prints one line of JSON: `{seconds, kept, rss_mb, cpu_s}`; `seconds` is the work alone, without starting Python;
`cpu_s` is all the processor time that the process took.
Without `--url` no server is asked: what is left is the engine itself, for measuring memory. With `--bare` answers
are put on the shelf alone: no ledger, which shows what the ledger costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from datafactory.calls import CALLS, Account, Ledger
from datafactory.protocols import Chat, Episode, Teacher
from datafactory.run import Commons, Run
from datafactory.spec import Spec
from datafactory.stages.live import line_to
from datafactory.storage import Shelf
from datafactory.teachers.openai import OpenAITeacher
from datafactory.types import Message, Record, Reply, Usage


class Instant(Spec):
    """A teacher that answers at once, with as much text as the mock server."""

    name: str = "instant"

    def sampling(self) -> dict[str, Any]:
        """Nothing shapes its answers."""
        return {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Chat]:
        """Itself."""
        yield self

    async def reply(self, messages: Any, *, tools: Any = (), schema: Any = None, episode: Any = None) -> Reply:
        """The same every time."""
        await asyncio.sleep(0)
        return Reply(message=Message(role="assistant", content="x" * 540), model="none")


class Answer(Record):
    """One answered question, durable on its shelf."""

    id: str
    question: str
    answer: str
    model: str
    usage: Usage


def question(number: int) -> str:
    """The same text for every engine."""
    return f"Question {number}: write a shell command that counts the lines of file_{number}.txt, and say how it works."


def questions(count: int) -> Iterator[tuple[str, str]]:
    """Keyed items, made as they are pulled."""
    for number in range(count):
        yield f"q-{number:06d}", question(number)


async def work(folder: Path, count: int, url: str | None, at_once: int, *, bare: bool) -> dict[str, float]:
    """Answer `count` questions, less what is on the shelf already."""
    asked = OpenAITeacher(model="mock", base_url=url, at_once=at_once) if url else Instant()
    teacher = cast(Teacher, asked)
    async with AsyncExitStack() as stack:
        account = None if bare else Account(await stack.enter_async_context(Ledger(folder / CALLS)))
        commons = await stack.enter_async_context(Commons())
        shelf = await stack.enter_async_context(Shelf(folder / "shelf", Answer))
        run = Run(shelf, commons=commons, account=account)

        async def answer(key: str, text: str) -> Answer:
            line = await line_to(run, teacher, scope=f"ask:{key}", episode=Episode(key, seed=0))
            reply = await line.reply([Message(role="user", content=text)])
            return Answer(id=key, question=text, answer=reply.message.content, model=reply.model, usage=reply.usage)

        started = time.monotonic()
        await run.each(questions(count), answer, at_once=at_once)
        seconds = time.monotonic() - started
        return {"seconds": seconds, "kept": shelf.kept, "rss_mb": rss_mb(), "cpu_s": time.process_time()}


def rss_mb() -> float:
    """The highest resident memory of this process, in MB (1e6 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--url", help="up to and with /v1; left out: no server is asked")
    parser.add_argument("--at-once", type=int, default=256)
    parser.add_argument("--bare", action="store_true", help="without a ledger")
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(work(asked.folder, asked.count, asked.url, asked.at_once, bare=asked.bare))))
