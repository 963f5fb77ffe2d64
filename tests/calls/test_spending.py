"""What was spent: sums over calls and GPUs, for readers in other processes, and prices."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from datafactory.calls import CALLS, Call, Ledger, Price, Spending, Spent, spending
from datafactory.calls.ledger import Holding
from datafactory.types import Message, Reply, Usage


def a_call(rng: random.Random) -> Call:
    prompt = rng.randrange(5000)
    usage = Usage(prompt_tokens=prompt, cached_tokens=rng.randrange(prompt + 1), completion_tokens=rng.randrange(900))
    model = rng.choice(["small", "large"])
    reply = Reply(message=Message(role="assistant", content="x"), usage=usage, model=model)
    scope = f"{rng.choice(['rollout', 'synthesize'])}:t-{rng.randrange(9)}"
    return Call(scope, rng.choice(["openai", "vllm"]), reply, rng.random(), rng.random() / 100)


async def test_sums_are_those_of_the_calls_by_whatever_they_are_asked(tmp_path: Path) -> None:
    rng = random.Random(3)
    calls = [a_call(rng) for _ in range(300)]
    async with Ledger(tmp_path / CALLS) as ledger:
        await asyncio.gather(*(ledger.keep(n.to_bytes(32), call) for n, call in enumerate(calls)))
    found = spending(tmp_path / CALLS)
    assert found.total.calls == 300
    assert found.total.tokens == sum(c.reply.usage.prompt_tokens + c.reply.usage.completion_tokens for c in calls)
    assert found.total.cached_tokens == sum(c.reply.usage.cached_tokens for c in calls)
    assert found.total.dollars == pytest.approx(sum(c.dollars for c in calls))
    assert found.total.seconds == pytest.approx(sum(c.seconds for c in calls))
    assert {name: spent.calls for name, spent in found.by("teacher").items()} == {
        name: sum(c.teacher == name for c in calls) for name in ("openai", "vllm")
    }
    large = [c.reply.usage.prompt_tokens for c in calls if c.reply.model == "large"]
    assert (found.by("model")["large"].calls, found.by("model")["large"].prompt_tokens) == (len(large), sum(large))
    assert list(found.by("stage")) == ["rollout", "synthesize"]
    assert len(found.parts) == 8


async def test_the_sums_are_what_sql_makes_of_the_calls_themselves(tmp_path: Path) -> None:
    rng = random.Random(4)
    async with Ledger(tmp_path / CALLS) as ledger:
        for number in range(100):
            await ledger.keep(number.to_bytes(32), a_call(rng))
    with closing(sqlite3.connect(tmp_path / CALLS)) as plain:
        rows = plain.execute(
            "SELECT stage, teacher, model, count(*), sum(prompt_tokens), sum(completion_tokens) FROM calls"
            " GROUP BY stage, teacher, model"
        ).fetchall()
    parts = spending(tmp_path / CALLS).parts
    assert rows == [
        (p.stage, p.teacher, p.model, p.spent.calls, p.spent.prompt_tokens, p.spent.completion_tokens) for p in parts
    ]


async def test_gpu_time_is_brought_up_to_date_and_belongs_to_a_teacher(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        for seconds in (0.0, 10.0, 14.5):
            await ledger.hold(Holding("one", "vllm", 2, seconds, seconds / 10, "2026-01-01T00:00:00+00:00"))
        await ledger.hold(Holding("two", "vllm", 8, 1.0, 0.5, "2026-01-02T00:00:00+00:00"))
        await ledger.keep(bytes(32), Call("rollout:t/0", "vllm", Reply(message=Message(role="assistant")), 1.0, 0.25))
    found = spending(tmp_path / CALLS)
    assert (found.total.gpu_seconds, found.total.dollars, found.total.calls) == (37.0, 2.2, 1)
    assert found.by("teacher") == {"vllm": found.total}
    assert found.by("stage")[""].gpu_seconds == 37.0
    assert found.by("stage")["rollout"].gpu_seconds == 0.0


def test_where_there_is_no_ledger_nothing_was_spent(tmp_path: Path) -> None:
    assert spending(tmp_path / CALLS) == Spending()
    assert spending(tmp_path / CALLS).total == Spent()
    assert list(tmp_path.iterdir()) == []


async def test_another_process_reads_while_a_run_writes_and_holds_nothing_up(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from datafactory.calls import spending\n"
        "print(*[spending(Path(sys.argv[1])).total.calls for _ in range(100)])"
    )
    async with Ledger(tmp_path / CALLS) as ledger:
        await ledger.keep(bytes(32), a_call(random.Random(0)))
        command = [sys.executable, "-c", code, str(ledger.path)]
        reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        number = 1
        while reader.poll() is None:
            await asyncio.gather(*(ledger.keep((number + n).to_bytes(32), a_call(random.Random(n))) for n in range(20)))
            number += 20
        seen = [int(count) for count in reader.communicate()[0].split()]
    assert len(seen) == 100
    assert seen == sorted(seen)
    assert seen[0] >= 1
    assert seen[-1] <= number


async def test_a_ledger_that_nobody_may_write_to_can_be_read(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await ledger.keep(bytes(32), a_call(random.Random(0)))
    (tmp_path / CALLS).chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert spending(tmp_path / CALLS).total.calls == 1
    finally:
        tmp_path.chmod(0o755)


def test_a_price_counts_cached_tokens_apart_where_it_says_what_they_cost() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=750_000, completion_tokens=100_000)
    assert Price(prompt=2.0, completion=8.0).of(usage) == pytest.approx(2.8)
    assert Price(prompt=2.0, cached=0.5, completion=8.0).of(usage) == pytest.approx(0.5 + 0.375 + 0.8)
    assert Price(prompt=2.0, cached=0.0).of(usage) == pytest.approx(0.5)
    assert Price().of(usage) == 0.0
