"""A question and attempts at it, to lie on the shelves of a run."""

from __future__ import annotations

from datafactory.types import (
    CheckResult,
    Edit,
    Hop,
    Lineage,
    Message,
    Question,
    Source,
    Task,
    ToolCall,
    Trajectory,
    Verdict,
)


def a_question(id: str) -> Task:
    """A question of two hops."""
    text = "In which year was the author of the first published program born?"
    hops = (
        Hop(url="notes.html", statement="Notes on the engine has the first program.", finds="Notes on the engine"),
        Hop(url="ada.html", statement="Ada was born in 1815.", finds="1815", queries=("Ada born", "Ada year")),
    )
    asked = Question(
        corpus="corpus/engines-0123456789ab",
        text=text,
        answers=("1815", "in 1815"),
        plain="In which year was Ada born?",
        hops=hops,
        history=(
            Edit(action="base", question="In which year was Ada born?", answer="1815", correct=6, samples=8),
            Edit(action="inject", question=text, answer="1815", url="notes.html", note="\x1b[2Jcomposed"),
        ),
    )
    return Task(
        id=id, digest="e" * 16, prompt=text, question=asked, domain="search", source=Source(generator="search_paths")
    )


def a_search(task: Task, answer: str | None, attempt: int = 0) -> Trajectory:
    """One search and an answer, in native tool calls, judged."""
    calls = (ToolCall(id="c1", name="search", arguments={"query": ["first program"]}),)
    last = (ToolCall(id="c2", name="answer", arguments={"answer": answer}),)
    said = (Message(role="assistant", tool_calls=last),) if answer is not None else ()
    right = CheckResult(name="token_f1", outcome="passed" if answer else "failed", score=1.0 if answer else 0.0)
    return Trajectory(
        task_id=task.id,
        attempt=attempt,
        teacher="oracle",
        agent="search",
        domain="search",
        generator=task.source.generator,
        messages=(
            Message(role="user", content=task.prompt),
            Message(role="assistant", reasoning_content="Who wrote it?", tool_calls=calls),
            Message(role="tool", name="search", tool_call_id="c1", content="[1] Notes (notes.html)"),
            *said,
        ),
        answer=answer,
        found=("notes.html", "engine.html"),
        visited=("notes.html",),
        stop="submitted" if answer else "turn_limit",
        verdict=Verdict(reward=right.score, checks=(right,)),
        lineage=Lineage(model="oracle"),
    )
