"""The factory's side of the engine benchmark: `Run.each` asks `OpenAITeacher` and puts durable records on a shelf.

Prints one line of JSON: `{seconds, kept, rss_mb, cpu_s}`; `seconds` is the work alone, without starting Python;
`cpu_s` is all the processor time that the process took.
Without `--url` no server is asked: what is left is the engine itself, for measuring memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from datafactory.protocols import Chat
from datafactory.run import Run
from datafactory.storage import Shelf
from datafactory.teachers.openai import OpenAITeacher
from datafactory.types import Message, Record, Usage


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


async def ask(chat: Chat | None, text: str) -> tuple[str, str, Usage]:
    """Content, model and usage of an answer; without a server, at once and of the same size."""
    if chat is None:
        await asyncio.sleep(0)
        return "x" * 540, "none", Usage()
    reply = await chat.reply([Message(role="user", content=text)])
    return reply.message.content, reply.model, reply.usage


async def work(folder: Path, count: int, url: str | None, at_once: int) -> dict[str, float]:
    """Answer `count` questions, less what is on the shelf already."""
    async with AsyncExitStack() as stack:
        shelf = await stack.enter_async_context(Shelf(folder / "shelf", Answer))
        teacher = OpenAITeacher(model="mock", base_url=url, at_once=at_once)
        chat = await stack.enter_async_context(teacher.open()) if url else None

        async def answer(key: str, text: str) -> Answer:
            content, model, usage = await ask(chat, text)
            return Answer(id=key, question=text, answer=content, model=model, usage=usage)

        started = time.monotonic()
        await Run(shelf).each(questions(count), answer, at_once=at_once)
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
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(work(asked.folder, asked.count, asked.url, asked.at_once))))
