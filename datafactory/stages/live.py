"""Live things that stages share: each sandbox and teacher is opened once a run."""

from __future__ import annotations

from typing import Any, cast

from datafactory.calls import Line
from datafactory.errors import SandboxError, TeacherError, boundary
from datafactory.protocols import Chat, Episode, Mix, Sandbox, SandboxHost, Teacher
from datafactory.run import Run
from datafactory.spec import Spec


async def host_of(run: Run[Any], sandbox: Sandbox) -> SandboxHost:
    """The sandbox, up. Raises SandboxError or Missing."""
    with boundary(SandboxError, f"starting the sandbox {sandbox.name}"):
        return await run.commons.get(cast(Spec, sandbox), sandbox.start)


async def line_to(run: Run[Any], teacher: Teacher, *, scope: str, episode: Episode) -> Line:
    """A line to the teacher, or to the one that a mix picks for the episode, for one try at one item.

    `scope` names the try in the run's ledger: a later run that asks the same in it gets the same answer, unpaid.
    Raises TeacherError or Missing.
    """
    picked = teacher.pick(episode) if isinstance(teacher, Mix) else teacher
    with boundary(TeacherError, f"opening the teacher {picked.name}"):
        chat: Chat = await run.commons.get(cast(Spec, picked), picked.open)
    return Line(chat, picked, scope=scope)
