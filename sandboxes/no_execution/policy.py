"""Whether a command may be run where nothing may be executed: it is parsed, and every part of it must be known."""

from __future__ import annotations

from collections.abc import Sequence

from sandboxes.no_execution import programs
from sandboxes.no_execution.calls import Call
from sandboxes.no_execution.grammar import Refused
from sandboxes.no_execution.statements import Walk
from sandboxes.no_execution.words import plain


def refusal(command: str | Sequence[str]) -> str | None:
    """Why a command must not run, in a sentence for whoever typed it; None: it only reads and edits. A string is a
    line, or several, of bash; a sequence is a program and its arguments. What is not understood is refused.

    Pure: nothing is run, and nothing of any box is looked at.
    """
    try:
        if isinstance(command, str):
            Walk(command).check()
        else:
            programs.check(Call.of([plain(word) for word in command]))
    except Refused as reason:
        return str(reason)
    return None
