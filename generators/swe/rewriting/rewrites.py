"""Asks a teacher for another body of a function or class, and makes a bug of what it writes."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from datafactory.protocols import Chat, Episode
from datafactory.types import Message, Reject, Reply
from generators.answers import read_answer
from generators.prompts import render
from generators.swe.between import bug_between
from generators.swe.mutations import Bug, NoBug
from generators.swe.outline import Outline, Part
from generators.swe.rewriting.body import Misfit, Written, cut, replaced, written
from generators.swe.rewriting.excerpts import definition, heads, imports, without_body
from generators.swe.rewriting.layout import comments
from generators.swe.rewriting.targets import Target
from generators.swe.rewriting.telling import telling

How = Literal["modify", "rewrite"]
KINDS: dict[How, str] = {"modify": "lm_modify", "rewrite": "lm_rewrite"}
"""SWE-smith's names of the two (arXiv 2504.21798, section 2)."""
HOLE = "...  # the body"
SHOWN = 20_000
"""Characters of an answer that stay on file."""
SAID = 500
"""Characters of what the teacher says of its mistake that stay on file."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Modified(_Answer):
    """A definition with a mistake in it."""

    mistake: str = Field(description="One line: what is wrong now and who will notice.")
    code: str = Field(description="The whole definition, from its first line to its last.")


class Rewritten(_Answer):
    """A definition written anew."""

    code: str = Field(description="The whole function, from its first line to its last.")


@dataclass(frozen=True, slots=True)
class Broken:
    """What came of an answer."""

    bug: Bug
    files: dict[str, bytes]
    """The changed file by its path in the repository."""
    reply: Reply
    facts: dict[str, Any]
    """`how`, `function`, `mistake` as the teacher says it, `tokens`."""


async def rewrite(
    chat: Chat, how: How, target: Target, data: bytes, name: str, *, draw: int, episode: Episode
) -> Broken | Reject:
    """Ask once. `data`: the file that `target` is in; `name`: the repository's; `draw`: from 0, which mistake is
    suggested. Reasons: `truncated`, `not_json`, `schema`, those of `Misfit`, `new_comment`, `tells`. Raises
    TeacherError."""
    outline = await asyncio.to_thread(Outline, target.path, data)
    part = outline.parts[target.number]
    asked = _modify(outline, part, name, draw) if how == "modify" else _rewrite(outline, part, name)
    model: type[Modified] | type[Rewritten] = Modified if how == "modify" else Rewritten
    reply = await chat.reply(
        [Message(role="system", content=render("swe_bug_system")), Message(role="user", content=asked)],
        schema=model.model_json_schema(),
        episode=episode,
    )
    seen = {"how": how, "path": target.path, "function": target.qualname}
    answer = read_answer(reply, model)
    if isinstance(answer, Reject):
        return answer.but(what={**seen, "answer": reply.message.content[:SHOWN]})
    try:
        bug, after = await asyncio.to_thread(_broken, how, outline, part, answer.code)
    except Misfit as error:
        return Reject(reason=error.reason, detail=str(error), what={**seen, "answer": reply.message.content[:SHOWN]})
    said = " ".join(answer.mistake.split())[:SAID] if isinstance(answer, Modified) else ""
    facts = {**seen, "mistake": said, "tokens": reply.usage.model_dump()}
    return Broken(bug, {target.path: after}, reply, facts)


def _modify(outline: Outline, part: Part, name: str, draw: int) -> str:
    return render(
        "swe_modify",
        name=name,
        path=outline.source.path,
        qualname=part.qualname,
        is_class=part.is_class,
        imports=imports(outline),
        heads=heads(outline, part),
        code=definition(outline, part),
        draw=draw,
    )


def _rewrite(outline: Outline, part: Part, name: str) -> str:
    return render(
        "swe_rewrite",
        name=name,
        path=outline.source.path,
        qualname=part.qualname,
        documented=ast.get_docstring(part.node) is not None,
        file=without_body(outline, part, HOLE),
        hole=HOLE,
    )


def _broken(how: How, outline: Outline, part: Part, code: str) -> tuple[Bug, bytes]:
    """The bug, and the broken file. Raises Misfit."""
    margin = outline.lines[part.first - 1][: outline.indentation(part.first)]
    new = written(code, part, margin)
    after = replaced(outline, part, new)
    _keeps_quiet(how, outline, part, new)
    path = outline.source.path
    try:
        return bug_between(KINDS[how], {path: outline.source.data}, {path: after}), after
    except NoBug as error:
        raise Misfit("no_bug", str(error)) from error


def _keeps_quiet(how: How, outline: Outline, part: Part, new: Written) -> None:
    """Raise Misfit where the code says that something is wrong with it. Of a modified one no comment and no docstring
    may be new at all: they would speak of the change."""
    old = cut(outline.lines, part.node)
    assert old is not None  # `replaced` has found it
    before = "\n".join(outline.lines[part.first - 1 : part.last])
    there = comments(outline.lines, part.first, part.last) + _docstrings(part.node)
    here = comments(new.lines, new.cut.head + 1, new.cut.last) + _docstrings(*new.cut.body)
    fresh = [text for text in here if text not in there]
    if how == "modify" and fresh:
        raise Misfit("new_comment", fresh[0][:200])
    if (why := telling("\n".join(new.lines[new.cut.head : new.cut.last]), fresh, before)) is not None:
        raise Misfit("tells", why)


def _docstrings(*nodes: ast.stmt) -> list[str]:
    """Of all definitions in them."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = (part for node in nodes for part in ast.walk(node) if isinstance(part, kinds))
    return [text for part in found if (text := ast.get_docstring(part)) is not None]
