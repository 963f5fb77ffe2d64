"""Simulated servers on a clock that jumps: a minute of theirs takes a moment, and goes the same way every time."""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from datafactory.teachers.gate import Gate, Load

TICK = 0.05
"""Seconds between two steps of the simulated engine."""
LOOK = 0.5
"""Seconds between two looks at its metrics."""


class Jumping(selectors.DefaultSelector):
    """Waits for no time at all, and says how long it would have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will happen")
        self.now += max(0.0, timeout)
        return super().select(0)


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to whatever comes next."""

    def __init__(self) -> None:
        self._jumping = Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def on_a_clock(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(work)


@dataclass
class Request:
    """A call inside the engine; sizes in tokens."""

    prompt: int
    answer: int
    done: asyncio.Future[None]
    said: float = 0.0


@dataclass
class Engine:
    """A server in vLLM's manner: seats, a cache that fills as answers grow, and a queue; prompts are read at a rate."""

    seats: int = 256
    cache: float = 1e9
    """Tokens."""
    reads: float = 40_000.0
    """Prompt tokens a second."""
    unread: float = 0.0
    """Prompt tokens that it took in and has not read yet."""
    queue: deque[Request] = field(default_factory=deque)
    running: list[Request] = field(default_factory=list)
    preempted: int = 0
    told: int = 0
    tokens: float = 0.0
    """Answer tokens of all calls that were answered."""
    longest: int = 0
    """The longest that the queue was at a look."""

    async def call(self, prompt: int, answer: int) -> None:
        request = Request(prompt, answer, asyncio.get_running_loop().create_future())
        self.queue.append(request)
        await request.done
        self.tokens += answer

    def used(self) -> float:
        return sum(request.prompt + request.said for request in self.running)

    def look(self) -> Load:
        new, self.told = self.preempted - self.told, self.preempted
        self.longest = max(self.longest, len(self.queue))
        return Load(len(self.running), len(self.queue), min(1.0, self.used() / self.cache), new)

    async def serve(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.step()

    def step(self) -> None:
        budget, used = self.reads * TICK - self.unread, self.used()
        while self.queue and len(self.running) < self.seats and budget > 0:
            if used + self.queue[0].prompt > self.cache:
                break
            request = self.queue.popleft()
            budget -= request.prompt
            used += request.prompt
            self.running.append(request)
        self.unread = max(0.0, -budget)
        # One token for all takes 10 ms and a little for each: about the shape of a decode step.
        words = TICK / (0.010 + 0.00005 * len(self.running))
        for request in self.running:
            request.said += words
        for request in [request for request in self.running if request.said >= request.answer]:
            self.running.remove(request)
            request.done.set_result(None)
        while self.used() > self.cache:
            thrown = self.running.pop()
            thrown.said = 0.0
            self.queue.appendleft(thrown)
            self.preempted += 1


async def load(
    gate: Gate,
    engine: Engine,
    seconds: float,
    *,
    clients: int = 800,
    gap: float = 0.0,
    prompts: tuple[int, int] = (200, 1500),
    change: Callable[[Engine], None] | None = None,
) -> float:
    """Answer tokens a second of `clients` episodes that ask again and again; `change` happens at half time."""
    dice = random.Random(7)

    async def episode(number: int) -> None:
        while True:
            await gate.enter(number)
            try:
                await engine.call(dice.randint(*prompts), dice.randint(50, 600))
            finally:
                gate.leave()
            await asyncio.sleep(dice.uniform(0.1, gap) if gap else 0)

    async def looks() -> None:
        while True:
            await asyncio.sleep(LOOK)
            gate.observe(engine.look())

    tasks = [asyncio.create_task(work) for work in (engine.serve(), looks(), *map(episode, range(clients)))]
    await asyncio.sleep(seconds / 2)
    if change:
        change(engine)
    await asyncio.sleep(seconds / 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.busy == gate.waiting == 0
    return engine.tokens / seconds


def fixed(size: int) -> Gate:
    return Gate(start=size, least=size, most=size)


class Refused(Exception):
    """429."""


@dataclass
class Bouncer:
    """A server that refuses what is too much for it, and has no metrics."""

    seats: int
    seconds: float = 2.0
    """What a call takes, more or less."""
    inside: int = 0
    answered: int = 0
    refused: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(3))

    async def call(self) -> None:
        await asyncio.sleep(0.02)
        if self.inside >= self.seats:
            self.refused += 1
            raise Refused
        self.inside += 1
        await asyncio.sleep(self.seconds * self.dice.uniform(0.5, 1.5))
        self.inside -= 1
        self.answered += 1


async def press(
    gate: Gate, server: Bouncer, seconds: float, *, clients: int = 800, change: Callable[[Bouncer], None] | None = None
) -> dict[str, float]:
    """Calls a second, as a share of what the seats would yield, and the most tries that one call took."""
    worst = 0
    dice = random.Random(5)

    async def client(number: int) -> None:
        nonlocal worst
        while True:
            tries = 0
            while True:
                tries += 1
                await gate.enter(number)
                ok = False
                try:
                    await server.call()
                    ok = True
                    break
                except Refused:
                    gate.refused()
                finally:
                    gate.leave(ok=ok)
                await asyncio.sleep(dice.uniform(0.5, 1.0) * 2 ** (tries - 1))
            worst = max(worst, tries)

    tasks = [asyncio.create_task(client(number)) for number in range(clients)]
    await asyncio.sleep(seconds / 2)
    if change:
        change(server)
    before = server.answered
    await asyncio.sleep(seconds / 2)
    after = server.answered - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    best = server.seats / (server.seconds + 0.02) * seconds / 2
    return {"first": before / best, "second": after / best, "tries": worst}
