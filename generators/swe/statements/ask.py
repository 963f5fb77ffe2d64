"""Asks a teacher for an issue about a bug, and takes none that gives the fix away."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from datafactory.protocols import Chat, Episode
from datafactory.types import Message, Reject, Reply
from generators.answers import read_answer
from generators.prompts import render
from generators.swe.statements.failing import Failing

MOST_TESTS = 3
"""Failing tests that the teacher is shown."""
SHORTEST, LONGEST = 80, 8_000
"""Characters of an issue's text."""


class WrittenIssue(BaseModel):
    """An issue as a model writes it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: str = Field(description="One line.")
    body: str = Field(description="Markdown: what happens, a script that shows it, what was expected.")


async def ask(
    chat: Chat,
    failings: Sequence[Failing],
    bug: str,
    name: str,
    *,
    leaks: Callable[[str], str | None],
    episode: Episode,
    tries: int = 3,
) -> str | Reject:
    """A statement in the layout of `write`. `bug`: the diff that breaks the repository `name`. Raises TeacherError.

    The teacher hears why a try was refused. Reasons after the last: `statement_leaks`, `truncated`, `not_json`,
    `schema`, `statement_length`, `statement_names_test`.
    """
    shown = [failing.model_dump(include={"message", "trace", "source"}) for failing in failings[:MOST_TESTS]]
    messages = [
        Message(role="system", content=render("swe_issue_system")),
        Message(role="user", content=render("swe_issue", name=name, bug=bug, tests=shown)),
    ]
    refused = Reject(reason="not_json", detail="nobody was asked")
    for _ in range(tries):
        reply = await chat.reply(messages, schema=WrittenIssue.model_json_schema(), episode=episode)
        read = _read(reply, failings, leaks)
        if isinstance(read, str):
            return read
        refused = read.but(what={"answer": reply.message.content[:LONGEST]})
        again = render("swe_issue_again", reason=refused.reason, detail=refused.detail)
        messages += [
            Message(role="assistant", content=reply.message.content),
            Message(role="user", content=again),
        ]
    return refused


def _read(reply: Reply, failings: Sequence[Failing], leaks: Callable[[str], str | None]) -> str | Reject:
    issue = read_answer(reply, WrittenIssue)
    if isinstance(issue, Reject):
        return issue
    title, body = " ".join(issue.title.split()).lstrip("# "), issue.body.strip()
    if not title or len(title) > 200 or not SHORTEST <= len(body) <= LONGEST:
        detail = f"a title of {len(title)} characters (1 to 200), a text of {len(body)} ({SHORTEST} to {LONGEST})"
        return Reject(reason="statement_length", detail=detail)
    statement = f"{title}\n\n{body}\n"
    for failing in failings:
        test = failing.test.rpartition("::")[2].partition("[")[0]
        if "::" in failing.test and re.search(rf"\b{re.escape(test)}\b", statement):
            return Reject(reason="statement_names_test", detail=f"it names the hidden test {test}")
    why = leaks(statement)
    return Reject(reason="statement_leaks", detail=why) if why is not None else statement
