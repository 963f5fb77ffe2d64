"""The factory's side of the teacher benchmark: `Run.each`, a line and the run's ledger; prints a line of JSON an arm.

served single, served agents     the `vllm` teacher, which starts its own server; no knob of it is set
sweep N                          the same server and traffic, a bare client, N calls at a time: tuned by hand
offline single, offline agents   the `vllm_offline` teacher
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import orjson
from teacher_traffic import Agents, Single, Texts

from datafactory.calls import Account, Ledger
from datafactory.protocols import Episode, Teacher
from datafactory.run import Commons, Run
from datafactory.spec import Spec
from datafactory.stages.live import line_to
from datafactory.stages.rollout import Rollout
from datafactory.stages.synthesize import Synthesize
from datafactory.storage import Shelf
from datafactory.types import Message, Record, Usage

EXTRA = {"ignore_eos": True}


class Answers(Record):
    """What one item came to."""

    id: str
    usage: Usage


@asynccontextmanager
async def workplace(commons: Commons, account: Account) -> AsyncIterator[Run[Answers]]:
    """A run with a shelf of its own, as a pipeline's stage has one."""
    with tempfile.TemporaryDirectory() as folder:
        async with Shelf(Path(folder) / "shelf", Answers) as shelf:
            yield Run(shelf, commons=commons, account=account)


async def single(run: Run[Answers], teacher: Teacher, texts: Texts, asked: Single) -> dict[str, Any]:
    """Bulk work, as many at a time as the synthesize stage has."""
    questions = list(texts.questions(asked))

    async def ask(key: str, messages: list[Message]) -> Answers:
        episode = Episode(key, zlib.crc32(key.encode()))
        line = await line_to(run, teacher, scope=f"bench:{key}", episode=episode)
        return Answers(id=key, usage=(await line.reply(messages, episode=episode)).usage)

    await line_to(run, teacher, scope="bench", episode=Episode("up", 0))
    began = time.monotonic()
    await run.each(questions, ask, at_once=Synthesize.model_fields["drafts"].default)
    return _row(run, time.monotonic() - began)


async def agents(run: Run[Answers], teacher: Teacher, texts: Texts, asked: Agents) -> dict[str, Any]:
    """Episodes, as many at a time as the rollout stage has."""
    openings = list(texts.openings(asked))
    turns = {(key, n): texts.turn(asked, key, n) for key, _ in openings for n in range(asked.turns)}

    async def act(key: str, opening: list[Message]) -> Answers:
        episode = Episode(key, zlib.crc32(key.encode()))
        line = await line_to(run, teacher, scope=f"bench:{key}", episode=episode)
        messages, usage = list(opening), Usage()
        for number in range(asked.turns):
            usage += (await line.reply(messages, episode=episode)).usage
            added, gap = turns[key, number]
            messages += added
            await asyncio.sleep(gap)
        return Answers(id=key, usage=usage)

    await line_to(run, teacher, scope="bench", episode=Episode("up", 0))
    began = time.monotonic()
    await run.each(openings, act, at_once=Rollout.model_fields["at_once"].default)
    return _row(run, time.monotonic() - began)


def _row(run: Run[Answers], seconds: float) -> dict[str, Any]:
    usage = sum((row.usage for row in run.shelf), Usage())
    return {
        "tokens": usage.completion_tokens,
        "seconds": seconds,
        "tokens_per_s": usage.completion_tokens / seconds,
        "cached": usage.cached_tokens / max(1, usage.prompt_tokens),
        "lost": len(run.shelf.lost),
    }


async def sweep(url: str, model: str, texts: Texts, asked: Agents, at_once: int) -> dict[str, Any]:
    """All episodes open, a fixed number of calls at a time, nothing else: what a user would tune by hand."""
    openings = list(texts.openings(asked))
    turns = {(key, n): texts.turn(asked, key, n) for key, _ in openings for n in range(asked.turns)}
    places, tokens = asyncio.Semaphore(at_once), 0
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as client:

        async def act(key: str, messages: list[Message]) -> None:
            nonlocal tokens
            said = [message.wire() for message in messages]
            for number in range(asked.turns):
                body = {"model": model, "messages": said, "max_tokens": asked.write, "temperature": 1.0, **EXTRA}
                async with (
                    places,
                    client.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=_JSON) as got,
                ):
                    got.raise_for_status()
                    tokens += orjson.loads(await got.read())["usage"]["completion_tokens"]
                added, gap = turns[key, number]
                said += [message.wire() for message in added]
                await asyncio.sleep(gap)

        began = time.monotonic()
        await asyncio.gather(*(act(key, messages) for key, messages in openings))
    seconds = time.monotonic() - began
    return {"tokens": tokens, "seconds": seconds, "tokens_per_s": tokens / seconds}


_JSON = {"Content-Type": "application/json"}


def teacher_of(asked: argparse.Namespace, write: int) -> Teacher:
    """The recipe; those that differ in `write` alone share an engine."""
    common: dict[str, Any] = {"model": str(asked.model), "temperature": 1.0, "max_tokens": write, "extra": EXTRA}
    if asked.arms[0].startswith("offline"):
        from datafactory.teachers.vllm.offline import VLLMOfflineTeacher

        return VLLMOfflineTeacher(engine={"load_format": "dummy"}, **common, **asked.teacher)
    from datafactory.teachers.vllm.teacher import VLLMTeacher

    return VLLMTeacher(flags={"load-format": "dummy"}, **common, **asked.teacher)


async def chat_of(run: Run[Answers], teacher: Teacher) -> Any:
    """The teacher's chat; opened by whoever comes first."""
    return await run.commons.get(cast(Spec, teacher), teacher.open)


async def work(asked: argparse.Namespace) -> None:
    """Open the teacher once and go through the arms, on one ledger as the stages of a pipeline share one."""
    with tempfile.TemporaryDirectory() as folder:
        async with Ledger(Path(folder) / "calls.sqlite") as ledger, Commons() as commons:
            for arm in ["warm", *asked.arms]:
                async with workplace(commons, Account(ledger)) as run:
                    made = await measured(run, arm, asked)
                if made:
                    print(json.dumps({"arm": arm, **made}), flush=True)


async def measured(run: Run[Answers], arm: str, asked: argparse.Namespace) -> dict[str, Any]:
    """One arm; nothing to report of the warm-up."""
    bulk, acting = Single(**asked.single), Agents(**asked.agents)
    asks, acts = teacher_of(asked, bulk.write), teacher_of(asked, acting.write)
    texts = Texts(asked.model, arm)
    if arm == "warm":
        # The first batch of a size compiles and tunes kernels for it: seconds that are nobody's.
        await single(run, asks, texts, bulk)
        await agents(run, acts, texts, replace(acting, turns=2, gap=(0.0, 0.1)))
        return {}
    if arm.startswith("sweep"):
        served = (await chat_of(run, acts)).engine.replicas[0]
        made = await sweep(served.address, str(asked.model), texts, acting, int(arm.split()[1]))
    elif "single" in arm:
        made = await single(run, asks, texts, bulk)
    else:
        made = await agents(run, acts, texts, acting)
    if not arm.startswith("offline"):
        made["server"] = (await chat_of(run, acts)).report()
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", required=True)
    parser.add_argument("--single", type=json.loads, default={})
    parser.add_argument("--agents", type=json.loads, default={})
    parser.add_argument("--teacher", type=json.loads, default={}, help="fields of the teacher's recipe")
    asyncio.run(work(parser.parse_args()))
