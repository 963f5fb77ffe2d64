"""Generators of drafts with one fault each, as a user would write them: classes of one's own, named in the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import Check, Draft, Message, Reject, Reply, Source, Step, files

CHECK = """
import pathlib
path = pathlib.Path("/app/out.txt")
assert path.exists(), "no /app/out.txt"
assert path.read_text().split() == ["42"], path.read_text()
"""
COIN = "import os, sys\nsys.exit(os.urandom(1)[0] % 2)\n"


class Faulty(Spec):
    """Makes drafts that are sound but for the fault that it is told."""

    asks: ClassVar[bool] = False
    count: int = 1
    fault: str = ""
    """The reason that the gate should give; `first_try`: only a slot's first draft is bad."""

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One draft."""
        fault = self.fault
        if fault == "first_try":
            fault = "solution_fails" if slot.retry == 0 else ""
        if fault == "refused":
            return Reject(reason="refused", detail="by the generator itself")
        if fault == "breaks":
            raise ZeroDivisionError("a mistake in the generator")
        solution = {
            "no_solution": (),
            "solution_fails": (Step(command="echo 41 > /app/out.txt"),),
            "solution_hangs": (Step(command="sleep 60"),),
            "solution_too_large": (Step(command="head -c 40000000 /dev/zero > /app/big; echo 42 > /app/out.txt"),),
        }.get(fault, (Step(thought="write the answer", command="echo 42 > /app/out.txt"),))
        check = {"noop_scores": "pass\n", "check_crashes": "{}['x']\n", "flaky": COIN}.get(fault, CHECK)
        return Draft(
            prompt=f"Write 42 to /app/out.txt. ({slot.index})",
            files=files({"/app/readme.txt": "nothing here\n"}),
            checks=(Check(name="answer", argv=("python3", "/checks/c.py"), files=files({"/checks/c.py": check})),),
            solution=solution,
            source=Source(generator="faulty"),
        )


class Dictated(Faulty):
    """Asks a teacher before it makes its draft."""

    asks: ClassVar[bool] = True

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One draft, once the teacher has spoken."""
        assert chat is not None
        await chat.reply([Message(role="user", content="Which number?")])
        return await super().make(slot, None)


class Gathering(Spec):
    """A teacher that answers nobody before `together` calls wait at the same time."""

    name: ClassVar[str] = "gathering"
    together: int = 6

    def sampling(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Chat]:
        """A chat of its own."""
        yield _Gathered(self.together)


class _Gathered:
    def __init__(self, together: int) -> None:
        self._barrier = asyncio.Barrier(together)

    async def reply(self, *_: Any, **__: Any) -> Reply:
        async with asyncio.timeout(30):
            await self._barrier.wait()
        return Reply(message=Message(role="assistant", content="42"))
