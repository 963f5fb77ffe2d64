"""The Terminus 2 dialect: the model types keys into a terminal through JSON, and reads the screen.

Follows Harbor's agent of that name (0.25.0) in structure, limits and dialogue; the prompts are our own words, so runs
are not byte-equal to Harbor's.
"""

from __future__ import annotations

from typing import Any

from datafactory.agent.clip import clip
from datafactory.agent.dialect import Turn
from datafactory.agent.keys import LONGEST
from datafactory.agent.prompting import prompt
from datafactory.agent.terminal import Seen, Terminal
from datafactory.agent.terminus_parse import Answer, parse
from datafactory.protocols import Box
from datafactory.types import Message, Reply, Task


class Terminus:
    """One attempt at a terminal. An answer that cannot be read is a turn, with feedback; completion is asked twice."""

    tools: tuple[dict[str, Any], ...] = ()

    def __init__(self, task: Task, box: Box) -> None:
        self._task = task
        self._terminal = Terminal(box, task.workdir)
        self._asked = False

    async def opening(self) -> tuple[Message, ...]:
        """One user message with instructions, task and the first screen; there is no system message."""
        view = await self._terminal.start()
        state = f"Current Terminal Screen:\n{view.text}"
        return (_user(prompt("terminus", instruction=self._task.prompt.strip(), terminal_state=state)),)

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Type the answer's commands, or say why it could not be read."""
        answer = parse(reply.message.content)
        if answer.error:
            message = reply.message.but(fault=answer.error)
            seen = (_user(prompt("terminus_error", feedback=answer.feedback)),)
            return Turn(message, seen, unreadable=True)
        output = await self._typed(answer, seconds, left)
        if answer.complete and self._asked:
            return Turn(reply.message, submitted=True)
        self._asked = answer.complete
        if answer.complete:
            output = prompt("terminus_confirm", output=output)
        if answer.feedback:
            output = prompt("terminus_warning", feedback=answer.feedback, output=output)
        return Turn(reply.message, (_user(output),))

    async def _typed(self, answer: Answer, seconds: float, left: float) -> str:
        if answer.complete and self._asked and not answer.commands:
            return ""
        seen = await self._terminal.type(answer.commands, longest=min(LONGEST, seconds), budget=left)
        output = _shown(seen)
        if not seen.stuck:
            return output
        return prompt("terminus_stuck", command="".join(keys.text for keys in answer.commands).rstrip(), output=output)


def _shown(seen: Seen) -> str:
    head = "Current Terminal Screen" if seen.view.whole else "New Terminal Output"
    return f"{head}:\n{clip(seen.view.text, missing=seen.missing)}"


def _user(text: str) -> Message:
    return Message(role="user", content=text)
