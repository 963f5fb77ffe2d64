"""The gate before simulated servers: it keeps them full, and their queues short, with nothing to set."""

from __future__ import annotations

from typing import Any

import pytest

from datafactory.teachers.gate import Gate

SIZES = (1, 4, 16, 64, 128, 256, 320, 512)
"""The hand-tuned sweep."""


def share(sim: Any, make: Any, **more: Any) -> tuple[float, Any, Gate]:
    """What the gate got out of a server, as a share of the best of fixed sizes; the server and the gate."""
    best = max(sim.on_a_clock(sim.load(sim.fixed(size), make(), 120, **more)) for size in SIZES)
    gate, engine = Gate(), make()
    return sim.on_a_clock(sim.load(gate, engine, 120, **more)) / best, engine, gate


@pytest.mark.parametrize("seats", [1, 4, 32, 256])
def test_all_seats_are_taken_and_the_queue_stays_short(simulated: Any, seats: int):
    got, engine, gate = share(simulated, lambda: simulated.Engine(seats=seats))
    assert got >= 0.95
    assert gate.limit <= seats + max(2, 0.1 * seats) + 1
    assert engine.longest <= max(32, 0.6 * seats)  # on the way up, of 800 calls that would all queue there


@pytest.mark.parametrize("cache", [20_000, 100_000, 400_000])
def test_a_cache_that_fills_up_is_kept_full_with_few_preemptions(simulated: Any, cache: int):
    got, engine, _ = share(simulated, lambda: simulated.Engine(seats=1000, cache=cache))
    greedy = simulated.Engine(seats=1000, cache=cache)
    simulated.on_a_clock(simulated.load(simulated.fixed(800), greedy, 120))
    assert got >= 0.9
    assert engine.preempted < greedy.preempted / 2


def test_episodes_with_pauses_keep_a_server_full(simulated: Any):
    got, _, _ = share(simulated, lambda: simulated.Engine(seats=1000, cache=200_000), gap=2.0)
    assert got >= 0.9


def test_a_server_that_reads_slowly_is_not_taken_for_a_full_one(simulated: Any):
    got, _, _ = share(simulated, lambda: simulated.Engine(seats=256, reads=8_000))
    assert got >= 0.9


@pytest.mark.parametrize(("first", "long", "gap"), [(30, 40_000, 0.0), (256, 8_000, 0.0), (256, 8_000, 2.0)])
def test_long_prompts_at_the_start_leave_no_mark(simulated: Any, first: int, long: int, gap: float):
    class Cold(simulated.Engine):
        asked = 0

        async def call(self, prompt: int, answer: int) -> None:
            self.asked += 1
            await super().call(prompt if self.asked > first else long, answer)

    got, _, gate = share(simulated, lambda: Cold(reads=20_000), clients=256, gap=gap)
    assert got >= 0.85  # reading them takes most of the two minutes
    assert gate.limit > 64


@pytest.mark.parametrize(("before", "after"), [(256, 48), (48, 256)])
def test_a_server_that_shrinks_or_grows_is_followed(simulated: Any, before: int, after: int):
    def change(engine: Any) -> None:
        engine.seats = after
        engine.tokens = 0.0
        while len(engine.running) > after:  # a crash of one of its workers
            thrown = engine.running.pop()
            thrown.said = 0.0
            engine.queue.appendleft(thrown)

    engine, steady = simulated.Engine(seats=before), simulated.Engine(seats=after)
    gate = Gate()
    got = simulated.on_a_clock(simulated.load(gate, engine, 120, change=change)) * 2
    best = simulated.on_a_clock(simulated.load(simulated.fixed(after + 8), steady, 60))
    assert got >= 0.9 * best
    assert abs(gate.limit - after) <= max(4, 0.12 * after)
    assert len(engine.queue) <= max(4, 0.12 * after)


@pytest.mark.parametrize("seats", [2, 8, 30, 100, 200])
def test_refusals_alone_find_what_a_server_can_take(simulated: Any, seats: int):
    server = simulated.Bouncer(seats)
    got = simulated.on_a_clock(simulated.press(Gate(start=64, most=256), server, 240))
    assert min(got["first"], got["second"]) >= 0.9


def test_a_server_that_refuses_sooner_is_followed(simulated: Any):
    server = simulated.Bouncer(200)
    got = simulated.on_a_clock(
        simulated.press(Gate(), server, 240, change=lambda bouncer: setattr(bouncer, "seats", 50))
    )
    assert got["second"] >= 0.9
    assert server.refused < 0.05 * server.answered


def test_a_server_that_refuses_later_is_followed(simulated: Any):
    server = simulated.Bouncer(50)
    got = simulated.on_a_clock(
        simulated.press(Gate(), server, 480, change=lambda bouncer: setattr(bouncer, "seats", 200))
    )
    assert got["second"] >= 0.85  # about 40 s of the 240 go by on the way up


def test_a_server_without_limits_is_filled_within_a_few_round_trips(simulated: Any):
    server = simulated.Bouncer(10_000, seconds=1.0)
    gate = Gate(start=64, most=256)
    simulated.on_a_clock(simulated.press(gate, server, 4.0))
    assert gate.limit == 256
