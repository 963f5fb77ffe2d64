"""The gate before a server: how many calls it is given at a time, found while it works.

Additive increase, multiplicative decrease (Chiu and Jain 1989; Jacobson 1988), steered by the server's own metrics
where it has any, and by its refusals alone where it has none. Nobody sets a number: the gate grows while calls wait
before it and the server has nothing waiting, and gives way as soon as the server falls behind.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import OrderedDict
from dataclasses import dataclass

_START = 1.8
"""Growth of one look as long as nothing was ever too much; by completed calls it is a doubling a round trip."""
_NEAR, _PAST = 0.95, 1.1
"""From this to that share of what was too much at last, the gate feels its way; past it, the server has grown."""
_BACK, _FEEL, _ON = 0.08, 0.02, 0.05
"""Growth of one look: back up to what was too much at last, around it, and past it."""
_BACK_CALLS, _FEEL_CALLS, _ON_CALLS = 0.5, 0.02, 0.2
"""The same for one round trip, where there are no looks; those are longer."""
_LEAST_STEP = 0.25
"""Places by which a look or a round trip grows at least."""
_PREEMPTED, _REFUSED = 0.85, 0.5
"""What is left of the limit after a preemption, and after a refusal."""
_REST = 4
"""Looks without growth after a preemption (2 s): what runs still grows into the cache."""
_FULL = 0.95
"""Use of the KV cache that growth must not lead past."""
_PATIENCE = 4
"""Looks in a row at a queue that nothing is taken from, until it is one: a burst of prompts is taken in sooner."""
_LONGEST = 30.0
"""Seconds for which a server that refuses everything is left alone at most, if it asks for nothing itself."""


@dataclass(frozen=True, slots=True)
class Load:
    """One look at a server's metrics."""

    running: int
    """Requests that it works on."""
    waiting: int
    """Requests in its own queue."""
    kv: float
    """Use of its KV cache, from 0 to 1."""
    preempted: int
    """Requests that it threw out of the cache since the last look."""


class Gate:
    """Places before one server. A call is `await enter(order)`, one send, `leave()`.

    A call that the server refused (429, 503) says `refused()` while it still has its place, leaves with `ok=False`, and
    enters again at its old order. Belongs to one event loop; every method but `enter` returns at once.
    """

    def __init__(self, *, start: int = 32, least: int = 1, most: int = 1024) -> None:
        if not 1 <= least <= most:
            raise ValueError(f"a gate needs 1 <= least <= most, found {least} and {most}")
        self.limit = float(min(max(start, least), most))
        """Places, as grown so far; the whole part counts."""
        self.busy = 0
        """Calls that are in; more than `limit` for a while after it fell."""
        self.waiting = 0
        """Calls that wait for a place."""
        self.refusals = 0
        """How often a server refused, in all."""
        self._start, self._least, self._most = self.limit, float(least), float(most)
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._ticket = 0
        self._top = math.inf  # the size that was too much at last
        self._up = True
        self._pause: asyncio.TimerHandle | None = None
        self._until = 0.0
        self._strikes = 0  # refusals in a row that shrank the gate, with no answer between them
        self._settling = 0  # calls that were in when a refusal shrank it, and are not back
        self._looked = False
        self._pressed = False  # somebody had to wait since the last look
        self._rest = 0
        self._stalled = 0
        self._ran = 0  # the most that ran while the server had a queue
        self._queued = False  # whether it was a queue that shrank the gate at last

    async def enter(self, order: int) -> None:
        """Wait for a place. The lowest order goes first (older episodes, whose prefixes are in the server's cache),
        and of equals the one that came first. A waiter that is cancelled leaves nothing behind."""
        if self._admits() and not self.waiting:
            self.busy += 1
            return
        self._pressed = True
        place = asyncio.get_running_loop().create_future()
        self._ticket += 1
        heapq.heappush(self._queue, (order, self._ticket, place))
        self.waiting += 1
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self.waiting -= 1
                self._sweep()
            else:  # it was given a place, and cancelled before it could take it
                self.leave(ok=False)
            raise

    def leave(self, *, ok: bool = True) -> None:
        """Give the place back; `ok`: the server answered."""
        full = self.waiting > 0 or self.busy >= int(self.limit)
        self.busy -= 1
        self._settling = max(0, self._settling - 1)
        if ok:
            self._strikes = 0
            if full and not self._looked:
                self._grow_by_call()
        if self.waiting:
            self._admit()

    def refused(self, after: float = 0.0) -> None:
        """The server refused a call, which still has its place. Halves the gate, once a round trip (until as many calls
        are back as were in), and lets nobody in for `after` seconds. A server that does nothing but refuse is left
        alone for longer and longer, without being asked to."""
        self.refusals += 1
        held = max(1, self.busy - 1)
        if self._settling:
            self._top = max(self.limit, min(self._top, held))
        else:
            self._strikes += 1
            self._shrink(min(self.limit, self.busy) * _REFUSED, too_much=held)
            self._settling = self.busy
            if self._strikes > 1:
                after = max(after, min(_LONGEST, 0.5 * 2.0 ** min(self._strikes, 10)))
        if after > 0:
            self._close(after)

    def observe(self, load: Load) -> None:
        """One look at the server's metrics, about twice a second. From the first on, growth is by looks alone: a gate
        whose looks fail holds still."""
        self._looked = True
        pressed, self._pressed = self._pressed or self.waiting > 0, False
        share = min(1.0, self.busy / max(1, load.running + load.waiting))  # the server may have other clients
        slack = max(2.0, 0.1 * load.running)
        if load.preempted > 0:
            self._rest = _REST
            if self.busy <= self.limit:  # else the last cut has not taken effect yet
                self._shrink(_PREEMPTED * share * load.running, too_much=share * load.running)
        elif self._queued and share * load.running > self.limit:  # it was not full, but reading long prompts
            self._top = math.inf
            self._grow(share * load.running + slack - self.limit)
        elif self._falls_behind(load, slack):
            size = share * (load.running + slack)
            self._shrink(size, too_much=size)
            self._queued = True
        elif self._rest:
            self._rest -= 1
        elif pressed and self._up and self._pause is None and load.waiting <= max(1, load.running // 50):
            self._grow_by_look(load, slack)

    def shut(self) -> None:
        """The server is down: nobody enters until `open`."""
        self._up = False

    def open(self) -> None:
        """The server is back, with a cold cache: the gate grows again from its first size."""
        if not self._up:
            self._up = True
            self.limit = min(self.limit, self._start)
            self._settling = self._strikes = self._stalled = self._rest = 0
        self._admit()

    def _admits(self) -> bool:
        return self._up and self._pause is None and self.busy < int(self.limit)

    def _admit(self) -> None:
        """Hand free places to those who wait."""
        while self._queue and self._admits():
            place = heapq.heappop(self._queue)[2]
            if not place.done():  # else it was cancelled, and is about to say so
                self.waiting -= 1
                self.busy += 1
                place.set_result(None)

    def _sweep(self) -> None:
        """Forget waiters that were cancelled, once they are most of the queue."""
        if len(self._queue) > 2 * self.waiting + 64:
            self._queue = [entry for entry in self._queue if not entry[2].done()]
            heapq.heapify(self._queue)

    def _close(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if self._pause is not None:
            if until <= self._until:
                return
            self._pause.cancel()
        self._until = until
        self._pause = loop.call_at(until, self._reopen)

    def _reopen(self) -> None:
        self._pause = None
        self._admit()

    def _falls_behind(self, load: Load, slack: float) -> bool:
        """Whether the server's queue is longer than it needs to stay busy, and nothing more is taken from it."""
        if load.waiting <= slack:
            self._stalled = self._ran = 0
            return False
        if load.running > self._ran:
            self._ran, self._stalled = load.running, 0
        self._stalled += 1
        return self._stalled >= _PATIENCE

    def _shrink(self, size: float, *, too_much: float) -> None:
        self._top = max(self._least, too_much)
        self._queued = False
        self.limit = max(self._least, min(self.limit, size))

    def _grow_by_look(self, load: Load, slack: float) -> None:
        pace = self._pace(_START - 1.0, _BACK, _FEEL, _ON)
        if load.kv > 0:
            pace = min(pace, _FULL / load.kv - 1.0)  # twice the calls need twice the cache
        if pace > 0:
            queue = slack - load.waiting if self._queued else 0.0  # what it may have waiting, and has not
            self._grow(max(_LEAST_STEP, pace * self.limit, queue))

    def _grow_by_call(self) -> None:
        pace = self._pace(1.0, _BACK_CALLS, _FEEL_CALLS, _ON_CALLS)
        self._grow(max(_LEAST_STEP / self.limit, pace))

    def _pace(self, start: float, back: float, feel: float, on: float) -> float:
        """Growth as a share of the limit, by what is known of what the server can take."""
        if math.isinf(self._top):
            return start
        if self.limit < _NEAR * self._top:
            return back
        return feel if self.limit < _PAST * self._top else on

    def _grow(self, places: float) -> None:
        self.limit = min(self._most, self.limit + places)
        self._admit()


class Ages:
    """The order in which episodes first called: what `Gate.enter` goes by."""

    def __init__(self, most: int = 1 << 16) -> None:
        self._ages: OrderedDict[str, int] = OrderedDict()
        self._most = most
        self._next = 0

    def of(self, episode: str | None) -> int:
        """The age of an episode; lower is older. A call that belongs to none is as young as can be. The episodes that
        called least recently are forgotten past `most`, and are young when they come back."""
        age = self._ages.get(episode) if episode is not None else None
        if age is None:
            age = self._next
            self._next += 1
        if episode is not None:
            self._ages[episode] = age
            self._ages.move_to_end(episode)
            if len(self._ages) > self._most:
                self._ages.popitem(last=False)
        return age
