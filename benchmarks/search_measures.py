"""What the questions of a run are like: hops, doubles, what a plain search finds of them, how the expert fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.near_duplicates import near_duplicates
from datafactory.protocols import Library
from datafactory.types import Question, Task, Trajectory

THRESHOLD, WORDS = 0.7, 3
"""Two questions are near-duplicates where the sets of their runs of so many words have at least this Jaccard index."""
TOPK = 10


def shapes(tasks: Sequence[Task]) -> dict[str, Any]:
    """How the questions are spread: hops, difficulty, skills, lengths."""
    asked = [task.question for task in tasks if task.question is not None]
    words = sorted(len(question.text.split()) for question in asked)
    skills = Counter(skill for task in tasks for skill in task.skills)
    return {
        "hops": dict(sorted(Counter(len(question.hops) for question in asked).items())),
        "evidence pages": dict(sorted(Counter(len(question.evidence) for question in asked).items())),
        "difficulty": dict(sorted(Counter(task.difficulty for task in tasks).items())),
        "unanswerable": share(not question.answers for question in asked),
        "words of a question": {"least": words[0], "median": words[len(words) // 2], "most": words[-1]},
        "skills": dict(skills.most_common()),
        "answers, distinct": len({question.answer for question in asked if question.answers}),
    }


def doubles(tasks: Sequence[Task]) -> dict[str, Any]:
    """How many questions come near an earlier one."""
    asked = [task.question for task in tasks if task.question is not None]
    pairs = near_duplicates([question.text for question in asked], THRESHOLD, WORDS)
    seen = Counter((question.answers, frozenset(question.evidence)) for question in asked if question.answers)
    return {
        "near-duplicates": share_of(len({later for _, later, _ in pairs}), len(asked)),
        "same text": len(asked) - len({question.text for question in asked}),
        "same answer and evidence": share_of(sum(count - 1 for count in seen.values()), len(asked)),
        "pairs": [[tasks[a].id, tasks[b].id, round(index, 3)] for a, b, index in pairs[:20]],
    }


async def found(tasks: Sequence[Task], library: Library) -> dict[str, Any]:
    """What of the evidence lies in the first ten passages that a search for the whole question finds."""
    asked = [task.question for task in tasks if task.question is not None and task.question.answers]
    asked = [question for question in asked if question.plain]
    return {
        "questions": len(asked),
        "plain": await _found(asked, [question.plain for question in asked], library),
        "obfuscated": await _found(asked, [question.text for question in asked], library),
    }


async def _found(asked: Sequence[Question], queries: Sequence[str], library: Library) -> dict[str, float | None]:
    shown: list[set[str]] = []
    for start in range(0, len(queries), 64):
        shown += [{hit.url for hit in hits} for hits in await library.retrieve(queries[start : start + 64], topk=TOPK)]
    seen = list(zip(asked, shown, strict=True))
    return {
        "all evidence pages": share(set(question.evidence) <= urls for question, urls in seen),
        "the answer's page": share(question.evidence[-1] in urls for question, urls in seen),
        "any of them": share(bool(set(question.evidence) & urls) for question, urls in seen),
        "recall": mean(len(set(question.evidence) & urls) / len(question.evidence) for question, urls in seen),
    }


def solved(tasks: Sequence[Task], attempts: Iterable[Trajectory]) -> dict[str, Any]:
    """How the attempts went, with and without an answer to be found."""
    by_id: Mapping[str, Task] = {task.id: task for task in tasks}
    made = [(attempt, by_id[attempt.task_id]) for attempt in attempts]
    return {
        "attempts": len(made),
        "stops": dict(Counter(attempt.stop for attempt, _ in made).most_common()),
        "answerable": _fared([(a, t) for a, t in made if t.question and t.question.answers]),
        "unanswerable": _fared([(a, t) for a, t in made if t.question and not t.question.answers]),
        "by hops": {
            hops: _fared(
                [(a, t) for a, t in made if t.question and t.question.answers and len(t.question.hops) == hops]
            )
            for hops in sorted({len(t.question.hops) for _, t in made if t.question and t.question.answers})
        },
    }


def _fared(made: Sequence[tuple[Trajectory, Task]]) -> dict[str, Any]:
    checks: dict[str, list[float]] = {}
    for attempt, _ in made:
        for check in attempt.verdict.checks if attempt.verdict else ():
            checks.setdefault(check.name, []).append(check.score)
    calls = sorted(_calls(attempt) for attempt, _ in made)
    return {
        "attempts": len(made),
        "solved": share(attempt.verdict is not None and attempt.verdict.solved for attempt, _ in made),
        **{name: mean(scores) for name, scores in sorted(checks.items())},
        "tool calls, mean": mean(calls),
        "tool calls, most": max(calls, default=0),
    }


def _calls(attempt: Trajectory) -> int:
    return sum(call.name != "answer" for message in attempt.messages for call in message.tool_calls)


def share(holds: Iterable[bool]) -> float | None:
    """How many of them hold, as a share; None: of none."""
    held = list(holds)
    return share_of(sum(held), len(held))


def share_of(part: int, whole: int) -> float | None:
    """A share to four digits."""
    return round(part / whole, 4) if whole else None


def mean(values: Iterable[float]) -> float | None:
    """The mean, to four digits; None: of nothing."""
    every = list(values)
    return round(sum(every) / len(every), 4) if every else None
