"""A small attempt and its task, for judges."""

from __future__ import annotations

from datafactory.types import Check, CheckResult, Message, Source, Step, Task, Trajectory, Verdict, files

PROMPT = "Write the number of lines of `/app/in.txt` to `/app/out.txt`."


def a_task(id: str = "count-1") -> Task:
    """A task whose checks and solution say things that a judge must never read."""
    return Task(
        id=id,
        digest="d" * 16,
        prompt=PROMPT,
        checks=(
            Check(name="hidden_check", argv=("python3", "/tests/secret.py"), files=files({"/tests/secret.py": "1"})),
        ),
        solution=(Step(thought="the true way", command="wc -l < in.txt > out.txt"),),
        source=Source(generator="counting"),
    )


def an_attempt(
    *said: tuple[str, str], id: str = "count-1", reward: float | None = 0.25, attempt: int = 0
) -> Trajectory:
    """An attempt in which `said` was said, by role, after the agent's instruction."""
    told = said or (("assistant", "wc -l in.txt > out.txt"), ("user", "root@box:/app#"), ("assistant", "Done."))
    result = CheckResult(name="hidden_check", outcome="failed", score=0.25, log="expected 7 lines")
    return Trajectory(
        task_id=id,
        attempt=attempt,
        teacher="scripted",
        agent="terminus-2",
        domain="file_operations",
        messages=(
            Message(role="user", content="The instruction of the agent."),
            *(Message(role=role, content=text) for role, text in told),  # type: ignore[arg-type]
        ),
        stop="submitted",
        verdict=None if reward is None else Verdict(reward=reward, checks=(result,)),
    )
