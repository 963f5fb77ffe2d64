"""A scripted teacher whose answers cost something, so that the ledger keeps them."""

from typing import ClassVar

from datafactory.teachers.scripted import ScriptedTeacher


class Dear(ScriptedTeacher):
    """Answers from a script, for money."""

    paid: ClassVar[bool] = True
