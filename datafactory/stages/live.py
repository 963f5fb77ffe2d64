"""Live things that stages share: each sandbox and teacher is opened once a run."""

from __future__ import annotations

from typing import Any, cast

from datafactory.errors import SandboxError, TeacherError, boundary
from datafactory.protocols import Chat, Sandbox, SandboxHost, Teacher
from datafactory.run import Run
from datafactory.spec import Spec


async def host_of(run: Run[Any], sandbox: Sandbox) -> SandboxHost:
    """The sandbox, up. Raises SandboxError or Missing."""
    with boundary(SandboxError, f"starting the sandbox {sandbox.name}"):
        return await run.commons.get(cast(Spec, sandbox), sandbox.start)


async def chat_of(run: Run[Any], teacher: Teacher) -> Chat:
    """The teacher, listening. Raises TeacherError or Missing."""
    with boundary(TeacherError, f"opening the teacher {teacher.name}"):
        return await run.commons.get(cast(Spec, teacher), teacher.open)
