"""The account: every cap binds, none is overshot by calls, and the GPUs that are held are counted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import ModuleType

import pytest

from datafactory.calls import CALLS, Account, Budget, Call, Ledger, Price, spending
from datafactory.calls.ledger import Holding
from datafactory.errors import BudgetSpent
from datafactory.types import Message, Reply, Usage


def answer(prompt: int = 100, completion: int = 50) -> Reply:
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
    return Reply(message=Message(role="assistant"), usage=usage)


async def pay(account: Account, number: int, *, fails: bool = False, dollars: float = 0.01) -> None:
    async with account.place():
        await asyncio.sleep(0.001)
        if fails:
            raise ValueError("no answer")
        await account.keep(number.to_bytes(32), Call("ask:x", "openai", answer(), dollars=dollars))


@pytest.mark.parametrize(
    ("budget", "paid"),
    [
        (Budget(calls=7), 7),
        (Budget(tokens=1000), 7),
        (Budget(tokens=900), 6),
        (Budget(dollars=0.05), 5),
        (Budget(calls=9, dollars=0.035), 4),
        (Budget(), 30),
    ],
)
async def test_a_cap_binds_and_says_which_it_is(tmp_path: Path, budget: Budget, paid: int) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, budget)
        stopped = ""
        for number in range(30):
            try:
                await pay(account, number)
            except BudgetSpent as spent:
                stopped = str(spent)
                break
        assert account.spent.calls == paid
        assert bool(stopped) == (paid < 30)
        assert stopped.startswith("budget.") == (paid < 30)


async def test_many_at_once_never_overshoot_a_cap_on_calls(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, Budget(calls=50))
        ends = await asyncio.gather(*(pay(account, n) for n in range(200)), return_exceptions=True)
        assert sum(end is None for end in ends) == 50
        assert sum(isinstance(end, BudgetSpent) for end in ends) == 150
        assert (ledger.spending().total.calls, account.in_flight) == (50, 0)


async def test_a_call_that_brought_no_answer_gives_its_place_to_another(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, Budget(calls=10))
        calls = (pay(account, n, fails=n < 10) for n in range(40))
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(end, ValueError) for end in ends) == 10
        assert sum(end is None for end in ends) == 10


async def test_tokens_overshoot_by_no_more_than_what_was_in_flight(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, Budget(tokens=1500))
        waiting = asyncio.Semaphore(8)

        async def one(number: int) -> None:
            async with waiting:
                await pay(account, number)

        ends = await asyncio.gather(*(one(n) for n in range(60)), return_exceptions=True)
        assert 10 <= sum(end is None for end in ends) <= 10 + 7


async def test_what_runs_before_this_one_spent_counts(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger)
        for number in range(5):
            await pay(account, number)
        await ledger.hold(Holding("a", "vllm", 4, 3600.0, 10.0, "2026-01-01T00:00:00+00:00"))
    async with Ledger(tmp_path / CALLS) as ledger:
        assert Account(ledger).spent == ledger.spending().total
        for budget in (Budget(calls=5), Budget(tokens=750), Budget(dollars=10.05), Budget(gpu_hours=4.0)):
            with pytest.raises(BudgetSpent):
                Account(ledger, budget).check()
        Account(ledger, Budget(calls=6, tokens=751, dollars=10.06, gpu_hours=4.1)).check()


async def test_gpus_are_counted_from_their_start_while_they_are_held_and_to_the_end(
    tmp_path: Path, quiz: ModuleType
) -> None:
    teacher = quiz.Parrot(price=Price(gpu_hour=3600.0))
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, Budget(gpu_hours=8 / 3600))
        async with account.holding(teacher, 4, since=time.monotonic() - 1.0, what=teacher):
            held = account.spent
            assert 4.0 <= held.gpu_seconds < 8.0
            account.check()
            await asyncio.sleep(0.01)
            assert account.spent.gpu_seconds > held.gpu_seconds
            assert spending(ledger.path).total.gpu_seconds >= 4.0
        async with account.holding(teacher, 4, since=time.monotonic() - 1.0, what=teacher):
            with pytest.raises(BudgetSpent, match=r"budget\.gpu_hours is spent"):
                account.check()
        last = account.spent
        assert last.dollars == pytest.approx(last.gpu_seconds)
        assert spending(ledger.path).total == last
        assert spending(ledger.path).by("teacher")["parrot"] == last


async def test_a_teacher_that_knows_of_no_gpus_holds_none(tmp_path: Path, quiz: ModuleType) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger)
        async with account.holding(quiz.Parrot(), 0, since=time.monotonic() - 10, what=tmp_path):
            assert account.spent.gpu_seconds == 0
    assert not (tmp_path / CALLS).exists()


async def test_gpu_time_is_noted_while_it_is_held_so_that_a_kill_forgets_little(
    tmp_path: Path, quiz: ModuleType
) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger, beat=0.01)
        async with account.holding(quiz.Parrot(), 2, since=time.monotonic(), what=tmp_path):
            noted = [spending(ledger.path).total.gpu_seconds]
            async with asyncio.timeout(20):
                while len(noted) < 4:
                    await asyncio.sleep(0.01)
                    if (now := spending(ledger.path).total.gpu_seconds) > noted[-1]:
                        noted.append(now)


async def test_gpus_that_teachers_share_are_counted_once_and_for_as_long_as_one_of_them_holds_them(
    tmp_path: Path, quiz: ModuleType
) -> None:
    fleet = object()
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger)
        first = account.holding(quiz.Parrot(), 4, since=time.monotonic() - 10.0, what=fleet)
        second = account.holding(quiz.Parrot(), 4, since=time.monotonic(), what=fleet)
        await first.__aenter__()
        await second.__aenter__()
        assert 40.0 <= account.spent.gpu_seconds < 44.0, "once"
        await first.__aexit__(None, None, None)
        left = account.spent.gpu_seconds
        await asyncio.sleep(0.05)
        assert account.spent.gpu_seconds >= left + 0.2, "the second one still holds them"
        await second.__aexit__(None, None, None)
        assert spending(ledger.path).total == account.spent
