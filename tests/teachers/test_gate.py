"""The gate by itself: who goes first, what a look or a refusal does, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.teachers.gate import Ages, Gate, Load


def narrow(places: int = 1) -> Gate:
    return Gate(start=places, least=places, most=places)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def line_up(gate: Gate, orders: list[int], entered: list[int]) -> list[asyncio.Task[None]]:
    async def wait(order: int) -> None:
        await gate.enter(order)
        entered.append(order)

    tasks = [asyncio.create_task(wait(order)) for order in orders]
    await settle()
    return tasks


async def test_the_oldest_goes_first_and_of_equals_the_one_that_came_first():
    gate = narrow()
    await gate.enter(0)
    numbers: list[float] = [5, 3.0, 9, 3.5]  # 3.0 and 3.5 share an order
    got: list[float] = []

    async def wait(number: float) -> None:
        await gate.enter(int(number))
        got.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in numbers]
    await settle()
    assert gate.waiting == 4
    for _ in numbers:
        gate.leave()
        await settle()
    assert got == [3.0, 3.5, 5, 9]
    gate.leave()
    assert gate.busy == gate.waiting == 0
    assert all(task.done() for task in tasks)


async def test_a_waiter_that_is_cancelled_loses_its_place_and_nobody_elses():
    gate, entered = narrow(), []
    await gate.enter(0)
    tasks = await line_up(gate, [1, 2, 3], entered)
    tasks[0].cancel()
    await settle()
    assert gate.waiting == 2
    gate.leave()
    await settle()
    assert entered == [2]


async def test_a_place_that_was_given_to_a_call_as_it_was_cancelled_goes_to_the_next():
    gate, entered = narrow(), []
    await gate.enter(0)
    tasks = await line_up(gate, [1, 2], entered)
    gate.leave()  # gives the place to 1, which does not run before it is cancelled
    tasks[0].cancel()
    await settle()
    assert entered == [2]
    assert (gate.busy, gate.waiting) == (1, 0)


async def test_a_newcomer_goes_in_where_all_that_waited_have_just_been_cancelled():
    gate, entered = narrow(), []
    await gate.enter(0)
    tasks = await line_up(gate, [1], entered)
    tasks[0].cancel()
    gate.leave()
    await asyncio.wait_for(gate.enter(2), 1)
    assert gate.busy == 1


async def test_many_that_gave_up_are_not_remembered():
    gate = narrow()
    await gate.enter(0)
    for task in await line_up(gate, list(range(1000)), []):
        task.cancel()
    await settle()
    assert gate.waiting == 0
    assert len(gate._queue) <= 64


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 5)),
        st.tuples(st.sampled_from(["leave", "cancel", "refuse"]), st.integers(0, 50)),
        st.tuples(st.sampled_from(["shut", "open", "run"]), st.just(0)),
        st.tuples(st.just("look"), st.integers(0, 40)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, start=st.integers(1, 6))
def test_no_place_leaks_and_none_is_given_twice(steps: list[tuple[str, int]], start: int):
    asyncio.run(_hold(steps, start))


async def _hold(steps: list[tuple[str, int]], start: int) -> None:
    """Every call ends in `inside`, is cancelled, or is let go; the gate's own count must agree at every step."""
    gate = Gate(start=start, least=1, most=8)
    inside: set[int] = set()
    tasks: dict[int, asyncio.Task[None]] = {}

    async def call(number: int, order: int) -> None:
        await gate.enter(order)
        inside.add(number)

    for number, (step, value) in enumerate(steps):
        widest = max(gate.busy, int(gate.limit))
        some = sorted(inside)
        if step == "ask":
            tasks[number] = asyncio.create_task(call(number, value))
        elif step == "cancel" and tasks:
            sorted(tasks.items())[value % len(tasks)][1].cancel()
        elif step in ("leave", "refuse") and some:
            if step == "refuse":
                gate.refused()
            inside.discard(some[value % len(some)])
            gate.leave(ok=step == "leave")
        elif step == "look":
            gate.observe(Load(gate.busy, value % 7, value / 40, value // 30))
        elif step in ("shut", "open"):
            getattr(gate, step)()
        else:
            await settle()
        assert gate.busy <= max(widest, int(gate.limit))
        assert 1 <= gate.limit <= 8
    gate.open()
    while gate._pause is not None:
        gate._pause.cancel()  # nobody waits for the clock here
        gate._reopen()
    await settle()
    assert gate.busy == len(inside)
    while inside:
        inside.pop()
        gate.leave()
        await settle()
    assert all(task.done() for task in tasks.values())
    assert (gate.busy, gate.waiting) == (0, 0)


async def test_a_refusal_halves_once_a_round_trip():
    gate = Gate(start=16)
    for order in range(16):
        await gate.enter(order)
    for _ in range(10):
        gate.refused()
        gate.leave(ok=False)
    assert gate.limit == 8
    assert gate.refusals == 10
    for _ in range(6):
        gate.leave()
    for order in range(8):
        await gate.enter(order)
    gate.refused()
    assert gate.limit < 8


def test_nobody_enters_until_the_server_said_that_one_may(simulated: Any):
    async def work() -> float:
        gate = Gate()
        clock = asyncio.get_running_loop().time
        await gate.enter(0)
        gate.refused(7.0)
        gate.refused(3.0)  # the longer of the two counts
        gate.leave(ok=False)
        await gate.enter(0)
        return clock()

    assert simulated.on_a_clock(work()) == pytest.approx(7.0)


def test_a_server_that_only_refuses_is_asked_less_and_less(simulated: Any):
    async def work() -> list[float]:
        gate, at = Gate(), []
        for _ in range(8):
            await gate.enter(0)
            at.append(asyncio.get_running_loop().time())
            gate.refused()
            gate.leave(ok=False)
        return [late - early for early, late in itertools.pairwise(at)]

    gaps = simulated.on_a_clock(work())
    assert gaps[0] == 0 and gaps[1] > 0
    assert all(late >= early for early, late in itertools.pairwise(gaps))
    assert gaps[-1] == pytest.approx(30.0)


async def test_a_server_that_is_down_lets_nobody_in_and_starts_small_again():
    gate, entered = Gate(start=2, most=100), []
    gate.limit = 50.0
    gate.shut()
    await line_up(gate, [3, 1, 2], entered)
    assert entered == []
    gate.open()
    await settle()
    assert gate.limit == 2
    assert entered == [1, 2]


async def test_the_gate_grows_with_demand_alone():
    gate = Gate(start=4)
    for _ in range(10):
        gate.observe(Load(running=4, waiting=0, kv=0.1, preempted=0))
    assert gate.limit == 4
    await line_up(gate, list(range(100)), [])
    for _ in range(3):
        gate.observe(Load(running=gate.busy, waiting=0, kv=0.1, preempted=0))
    assert gate.limit > 16


async def test_growth_stops_where_the_cache_would_be_full():
    gate = Gate(start=10)
    await line_up(gate, list(range(1000)), [])
    for _ in range(20):
        gate.observe(Load(running=gate.busy, waiting=0, kv=gate.busy / 100, preempted=0))
    assert 85 <= gate.limit <= 97


async def test_a_preemption_shrinks_once_until_what_was_in_is_out():
    gate = Gate(start=100)
    await line_up(gate, list(range(200)), [])
    for _ in range(5):
        gate.observe(Load(running=100, waiting=0, kv=1.0, preempted=3))
    assert gate.limit == pytest.approx(85)


async def test_a_burst_of_prompts_that_is_being_taken_in_is_no_congestion():
    gate = Gate(start=200)
    await line_up(gate, list(range(400)), [])
    for running in (20, 60, 100, 140, 180):
        gate.observe(Load(running=running, waiting=200 - running, kv=0.2, preempted=0))
    assert gate.limit == 200


async def test_two_clients_of_one_server_share_what_it_can_take():
    gates = [Gate(start=100), Gate(start=100)]
    for gate in gates:
        await line_up(gate, list(range(200)), [])
        for _ in range(4):
            gate.observe(Load(running=64, waiting=136, kv=0.2, preempted=0))
    assert [round(gate.limit) for gate in gates] == [35, 35]


async def test_an_episode_keeps_its_age_and_only_the_last_ones_are_remembered():
    ages = Ages(most=3)
    first = ages.of("a")
    assert ages.of("b") > first == ages.of("a")
    assert ages.of(None) < ages.of(None)
    for episode in "cde":
        ages.of(episode)
        assert ages.of("a") == first
    assert ages.of("b") > ages.of("e")


def test_the_same_steps_take_the_gate_to_the_same_place(simulated: Any):
    ends = []
    for _ in range(2):
        gate = Gate()
        ends.append((simulated.on_a_clock(simulated.load(gate, simulated.Engine(seats=16), 20)), gate.limit))
    assert ends[0] == ends[1]
