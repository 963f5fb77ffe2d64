"""Live things that stages share: each sandbox and teacher is opened once a run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, cast

from datafactory.calls import Account, Line, is_paid
from datafactory.corpora.library import opened
from datafactory.corpora.retrievers import Retriever
from datafactory.errors import SandboxError, SearchError, TeacherError, boundary
from datafactory.protocols import Box, Chat, Episode, Library, Mix, Sandbox, SandboxHost, Teacher
from datafactory.run import Run
from datafactory.spec import Component, Spec
from datafactory.stages.recipe import recipe_digest
from datafactory.types import Files


async def host_of(run: Run[Any], sandbox: Sandbox) -> SandboxHost:
    """The sandbox, up. Raises SandboxError or Missing."""
    with boundary(SandboxError, f"starting the sandbox {sandbox.name}"):
        return await run.commons.get(cast(Spec, sandbox), sandbox.start)


class Searched(Spec):
    """A corpus and how it is searched: what a library is shared by."""

    corpus: str
    retriever: Annotated[Retriever, Component("retriever")]


async def library_of(run: Run[Any], corpus: str, retriever: Retriever) -> Library:
    """The corpus of that name, open for search: on the server that the environment names, or else in this process.
    Raises SearchError; ConfigError where this machine has no such corpus, or the server another one."""
    with boundary(SearchError, f"opening {corpus}"):
        return await run.commons.get(Searched(corpus=corpus, retriever=retriever), lambda: opened(corpus, retriever))


class NoBoxes:
    """The sandbox of generators that say they open none (`boxes = False`): nothing is started for them."""

    def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AbstractAsyncContextManager[Box]:
        """Raises SandboxError."""
        raise SandboxError(f"a generator that says `boxes = False` opens a box of {image!r}")

    def image_digest(self, image: str) -> str:
        """Raises SandboxError."""
        raise SandboxError(f"a generator that says `boxes = False` asks for the image {image!r}")


async def line_to(run: Run[Any], teacher: Teacher, *, scope: str, episode: Episode) -> Line:
    """A line to the teacher, or to the one that a mix picks for the episode, for one try at one item.

    `scope` names the try in the run's ledger: a later run that asks the same in it gets the same answer, unpaid.
    Raises TeacherError or Missing; BudgetSpent where it could only cost, and nothing more may.
    """
    picked = teacher.pick(episode) if isinstance(teacher, Mix) else teacher
    account = run.account if is_paid(picked) else None

    async def connect() -> Chat:
        with boundary(TeacherError, f"opening the teacher {picked.name}"):
            chat: Chat = await run.commons.get(cast(Spec, picked), lambda: _opened(picked, account))
        return chat

    if account is None:
        line = Line(picked, connect, scope=scope)
    else:
        line = Line(picked, connect, scope=scope, recipe=account.recipe(picked, _recipe), account=account)
        if account.ledger.knows(scope):
            return line  # whoever is asked only what is in the ledger need not be up
        account.check()
    await connect()  # now, since starting a server must not be on the clock of an attempt
    return line


@asynccontextmanager
async def _opened(teacher: Teacher, account: Account | None) -> AsyncIterator[Chat]:
    """The teacher's chat; GPUs that it holds (`gpus`, where the chat says so) are counted from its start to its end,
    and once for all chats that share what runs on them (`engine`)."""
    began = time.monotonic()
    async with teacher.open() as chat:
        gpus = 0 if account is None else int(getattr(chat, "gpus", 0))
        if account is None or not gpus:
            yield chat
            return
        async with account.holding(teacher, gpus, since=began, what=getattr(chat, "engine", chat)):
            yield chat


def _recipe(teacher: Teacher) -> str:
    return recipe_digest(cast(Spec, teacher))
