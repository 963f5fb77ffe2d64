"""A task as a model writes it, asked for by JSON schema; what comes back becomes a draft or a reason."""

from __future__ import annotations

from dataclasses import dataclass

from datafactory.errors import ConfigError
from datafactory.protocols import Chat, Episode, Slot
from datafactory.types import Check, Draft, Message, Reject, Reply, Source, Step, files
from generators.answers import read_answer
from generators.authored import WrittenTask
from generators.authored_rules import Rules, first_fault
from generators.prompts import render

SHOWN = 20_000
"""Characters of a rejected answer that stay on file."""


@dataclass(frozen=True)
class Order:
    """What is asked of the model, and what the draft needs beside its answer."""

    prompt: str
    source: Source
    domain: str
    image: str
    rules: Rules
    skills: tuple[str, ...] = ()
    """Of the task; empty: those that the model names."""


async def author(chat: Chat | None, slot: Slot, order: Order) -> Draft | Reject:
    """Ask once, and take what comes back strictly. Raises TeacherError where no answer comes."""
    generator = order.source.generator
    if chat is None:
        raise ConfigError(f"{generator} asks a model: name one under 'teacher:'")
    reply = await chat.reply(
        [Message(role="system", content=render("author_system")), Message(role="user", content=order.prompt)],
        schema=WrittenTask.model_json_schema(),
        episode=Episode(id=f"{generator}-{slot.index:05d}#{slot.retry}", seed=slot.seed),
    )
    read = read_answer(reply, WrittenTask)
    if isinstance(read, Reject):
        return read.but(generator=generator, what={"answer": reply.message.content[:SHOWN]})
    fault = first_fault(read, order.rules)
    if fault is not None:
        return Reject(reason=fault.reason, detail=fault.detail, generator=generator, what=read.model_dump(mode="json"))
    return _draft(read, order, reply)


def _draft(written: WrittenTask, order: Order, reply: Reply) -> Draft:
    checks = []
    for number, check in enumerate(written.checks, 1):
        path = f"/tests/check_{number}.py"
        placed = files({path: check.program})
        checks.append(Check(name=check.name, argv=("python3", path), files=placed, weight=check.weight))
    return Draft(
        prompt=written.instruction,
        image=order.image,
        files=files({f"/app/{file.path}": file.content for file in written.files}),
        checks=tuple(checks),
        solution=tuple(Step(thought=step.thought, command=step.command) for step in written.solution),
        skills=order.skills or tuple(written.skills),
        domain=order.domain,
        difficulty=written.difficulty,
        source=order.source.but(
            model=reply.model,
            facts={**order.source.facts, "title": written.title, "tokens": reply.usage.model_dump()},
        ),
    )
