"""Judging: checks run in a clean box, and the gate that tells a sound draft from an unsound one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from datafactory.errands import carry_off
from datafactory.protocols import Box, SandboxHost
from datafactory.ruling import read_score, rule
from datafactory.types import Check, CheckResult, Draft, Files, Outcome, Reject, Verdict

LOG = 4000
"""Characters of a check's output that are kept: the end, where the reason stands."""


async def judge(box: Box, checks: Sequence[Check]) -> Verdict:
    """Run every check in `box` and weigh what they found. Raises SandboxError where the box itself breaks."""
    results = [await _run(box, check) for check in checks]
    if all(r.score == 1.0 for r in results):
        return Verdict(reward=1.0, checks=tuple(results))
    total = math.fsum(r.weight for r in results)
    reward = math.fsum(r.weight * r.score for r in results) / total
    return Verdict(reward=min(round(reward, 6), 0.999999), checks=tuple(results))


async def _run(box: Box, check: Check) -> CheckResult:
    if check.files:
        await box.push(check.files)
    if check.reward_file is not None:
        folder = check.reward_file.rpartition("/")[0] or "/"
        await box.exec(["sh", "-c", 'mkdir -p "$1" && rm -f "$2"', "sh", folder, check.reward_file])
    result = await box.exec(check.argv, timeout=check.timeout)
    outcome: Outcome = "timeout"
    score, said = 0.0, ""
    if check.reward_file is not None and not result.timed_out:
        outcome, score, said = read_score(check.reward_file, await box.read(check.reward_file))
    elif not result.timed_out:
        outcome = rule(result.exit_code, result.stdout, result.stderr, {*check.files, *check.argv})
        score = float(outcome == "passed")
    log = (result.output[-LOG:] + said)[-LOG:]
    return CheckResult(name=check.name, outcome=outcome, score=score, weight=check.weight, log=log)


def clean_files(draft: Draft, artifacts: Files) -> Files:
    """What a clean box starts from: the draft's files, with everything under its artifact paths replaced."""
    kept = {path: file for path, file in draft.files.items() if not _carried(path, draft.artifacts)}
    return {**kept, **artifacts}


def _carried(path: str, artifacts: Sequence[str]) -> bool:
    return any(path == root or (root.endswith("/") and path.startswith(root)) for root in artifacts)


async def verify(host: SandboxHost, draft: Draft, artifacts: Files) -> Verdict:
    """Judge what an attempt left behind, in a box that the agent never touched."""
    return await _judged(host, draft, clean_files(draft, artifacts), None)


def _opened(host: SandboxHost, draft: Draft, files: Files) -> AbstractAsyncContextManager[Box]:
    return host.open(draft.image, files, workdir=draft.workdir, prepare=draft.prepare)


async def prove(host: SandboxHost, draft: Draft, *, repeats: int = 3, step_timeout: float = 120.0) -> Reject | None:
    """The soundness gate: None where the own solution scores 1, doing nothing scores 0, and `repeats` agree.

    Each repeat solves in a fresh box; all are judged in one more, reset in between (in fresh ones where the draft has
    lines to `prepare` a box). Reasons: `no_solution`,
    `solution_hangs`, `solution_too_large`, `solution_fails`, `noop_scores`, `check_crashes`, `flaky`.
    """
    if not draft.solution:
        return Reject(reason="no_solution", detail="the draft has no reference solution to prove it by")
    found: list[tuple[Verdict, Verdict]] = []
    async with AsyncExitStack() as stack:
        # What `prepare` made cannot be put back to how it was: such a draft is judged in fresh boxes only.
        bench = None if draft.prepare else await stack.enter_async_context(_opened(host, draft, draft.files))
        for number in range(repeats):
            artifacts = await _solve(host, draft, step_timeout)
            if isinstance(artifacts, Reject):
                return artifacts
            if bench is not None and number:
                await _reset(bench, draft, draft.files)
            nothing = await _judged(host, draft, draft.files, bench)
            solved = clean_files(draft, artifacts)
            if bench is not None:
                await _reset(bench, draft, solved)
            found.append((nothing, await _judged(host, draft, solved, bench)))
            unsound = _unsound(found, last=number == repeats - 1)
            if unsound is not None:
                return unsound
    return None


async def _judged(host: SandboxHost, draft: Draft, files: Files, bench: Box | None) -> Verdict:
    if bench is not None:
        return await judge(bench, draft.checks)
    async with _opened(host, draft, files) as box:
        return await judge(box, draft.checks)


async def _solve(host: SandboxHost, draft: Draft, timeout: float) -> Files | Reject:
    async with _opened(host, draft, draft.files) as box:
        for number, step in enumerate(draft.solution, 1):
            result = await box.exec(step.command, timeout=timeout)
            if result.timed_out:
                return Reject(
                    reason="solution_hangs", detail=f"step {number} ran past {timeout:g} s: {step.command[:200]}"
                )
        artifacts, note = await carry_off(box, draft)
    return Reject(reason="solution_too_large", detail=note) if note else artifacts


async def _reset(box: Box, draft: Draft, files: Files) -> None:
    """Put a judging box back to `files`: artifacts, check files and the draft's own files go first."""
    inside = [path for path in draft.artifacts if path.endswith("/")]
    alone = (
        {p for p in draft.artifacts if not p.endswith("/")}
        | set(draft.files)
        | {p for c in draft.checks for p in c.files}
    )
    script = 'for d in "$@"; do [ -d "$d" ] && find "$d" -mindepth 1 -delete; done; exit 0'
    if inside:
        await box.exec(["sh", "-c", script, "sh", *inside])
    await box.exec(["rm", "-rf", "--", *sorted(alone)])
    await box.push(files)


def _unsound(found: Sequence[tuple[Verdict, Verdict]], *, last: bool) -> Reject | None:
    nothing, solved = found[-1]
    if nothing.crashed or solved.crashed:
        broken = solved if solved.crashed else nothing
        when = "after the solution" if solved.crashed else "on the untouched box"
        log = next(c.log for c in broken.checks if c.outcome == "crashed")
        return Reject(reason="check_crashes", detail=f"{', '.join(broken.crashed)} {when}: {log[-1500:]}")
    if len({(a.reward, b.reward) for a, b in found}) > 1:
        return Reject(reason="flaky", detail=f"repeats disagree: {[(a.reward, b.reward) for a, b in found]}")
    if not last and len(found) == 1:
        return None  # one repeat cannot tell a wrong draft from a flaky one
    if not solved.solved:
        failed = next(c for c in solved.checks if c.score < 1.0)
        return Reject(reason="solution_fails", detail=f"reward {solved.reward:g}; {failed.name}: {failed.log[-1500:]}")
    if nothing.reward > 0:
        passed = [c.name for c in nothing.checks if c.score > 0]
        return Reject(reason="noop_scores", detail=f"reward {nothing.reward:g} for doing nothing: {', '.join(passed)}")
    return None
