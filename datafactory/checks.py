"""Judging: checks run in a clean box, and the gate that tells a sound draft from an unsound one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from datafactory.protocols import Box, ExecResult, SandboxHost
from datafactory.types import Check, CheckResult, Draft, Files, Outcome, Reject, Verdict

LOG = 4000
"""Characters of a check's output that are kept: the end, where the reason stands."""

GENUINE = ("AssertionError", "OSError", "FileNotFoundError", "IsADirectoryError", "NotADirectoryError", "Failed")
"""Exceptions that speak of the attempt (a wrong or missing product), not of a broken check."""

_PYTHON = re.compile(
    r"^(?:E\s+)?(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Iteration|Warning))\b", re.M
)

_UNPARSED = re.compile(r"^(?:Syntax|Indentation|Tab)Error: .*\s*\Z", re.M)
"""How Python ends where the program that it was given does not parse: without a traceback."""

_FRAME = re.compile(r'^\s*File "([^"]+)", line \d+', re.M)
_LIBRARY = re.compile(r"/(?:python3[^/]*|site-packages|dist-packages)/|^<frozen ")


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
    outcome, score = _outcome(check, result)
    log = result.output[-LOG:]
    if check.reward_file is not None and not result.timed_out:
        outcome, score, said = _reward(check.reward_file, await box.read(check.reward_file))
        log = (log + said)[-LOG:]
    return CheckResult(name=check.name, outcome=outcome, score=score, weight=check.weight, log=log)


def _outcome(check: Check, result: ExecResult) -> tuple[Outcome, float]:
    if result.timed_out:
        return "timeout", 0.0
    if result.exit_code == 0:
        return "passed", 1.0
    if result.exit_code != 1 or _broke(check, result):
        return "crashed", 0.0
    return "failed", 0.0


def _broke(check: Check, result: ExecResult) -> bool:
    """Whether an exit status of 1 came from an exception that is no verdict (a bare traceback, or pytest's report)."""
    said = result.stderr.decode(errors="replace")
    if "Traceback (most recent call last)" in said or _UNPARSED.search(said):
        trace = said.rpartition("Traceback (most recent call last)")[2]
        raised = _PYTHON.findall(trace)
        return bool(raised) and raised[-1] not in GENUINE and _own(check, trace)
    report = result.stdout.decode(errors="replace")
    if "short test summary info" not in report and " FAILURES " not in report:
        return False
    raised = [name for name in _PYTHON.findall(report) if name]
    plain = re.search(r"^E\s+assert\b", report, re.M)
    return bool(raised) and not plain and not any(name in GENUINE for name in raised)


def _own(check: Check, trace: str) -> bool:
    """Whether the check raised it, rather than the attempt's program that it ran or imported: by the deepest frame
    outside libraries."""
    frames = [file for file in _FRAME.findall(trace) if not _LIBRARY.search(file)]
    return not frames or frames[-1] in {*check.files, *check.argv, "<string>", "<stdin>"}


def _reward(path: str, data: bytes | None) -> tuple[Outcome, float, str]:
    """A score left in a file, by Harbor's rules: one number, or a flat JSON object with `reward` (or of one key)."""
    if data is None:
        return "crashed", 0.0, f"\nno reward in {path}"
    try:
        value = json.loads(data)
        if isinstance(value, dict):
            value = value["reward"] if "reward" in value else math.fsum(value.values()) / len(value)
        score = float(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        return "crashed", 0.0, f"\n{path} holds no number: {error}"
    if not 0.0 <= score <= 1.0:
        return "crashed", 0.0, f"\n{path} holds {score}, not a number from 0 to 1"
    return ("passed" if score == 1.0 else "failed"), score, ""


def clean_files(draft: Draft, artifacts: Files) -> Files:
    """What a clean box starts from: the draft's files, with everything under its artifact paths replaced."""
    kept = {path: file for path, file in draft.files.items() if not _carried(path, draft.artifacts)}
    return {**kept, **artifacts}


def _carried(path: str, artifacts: Sequence[str]) -> bool:
    return any(path == root or (root.endswith("/") and path.startswith(root)) for root in artifacts)


async def verify(host: SandboxHost, draft: Draft, artifacts: Files) -> Verdict:
    """Judge what an attempt left behind, in a box that the agent never touched."""
    async with host.open(draft.image, clean_files(draft, artifacts), workdir=draft.workdir) as box:
        return await judge(box, draft.checks)


async def prove(host: SandboxHost, draft: Draft, *, repeats: int = 3, step_timeout: float = 120.0) -> Reject | None:
    """The soundness gate: None where the own solution scores 1, doing nothing scores 0, and `repeats` agree.

    Each repeat solves in a fresh box; all are judged in one more, reset in between. Reasons: `no_solution`,
    `solution_hangs`, `solution_too_large`, `solution_fails`, `noop_scores`, `check_crashes`, `flaky`.
    """
    if not draft.solution:
        return Reject(reason="no_solution", detail="the draft has no reference solution to prove it by")
    found: list[tuple[Verdict, Verdict]] = []
    async with host.open(draft.image, draft.files, workdir=draft.workdir) as bench:
        for number in range(repeats):
            artifacts = await _solve(host, draft, step_timeout)
            if isinstance(artifacts, Reject):
                return artifacts
            if number:
                await _reset(bench, draft, draft.files)
            nothing = await judge(bench, draft.checks)
            await _reset(bench, draft, clean_files(draft, artifacts))
            found.append((nothing, await judge(bench, draft.checks)))
            unsound = _unsound(found, last=number == repeats - 1)
            if unsound is not None:
                return unsound
    return None


async def _solve(host: SandboxHost, draft: Draft, timeout: float) -> Files | Reject:
    async with host.open(draft.image, draft.files, workdir=draft.workdir) as box:
        for number, step in enumerate(draft.solution, 1):
            result = await box.exec(step.command, timeout=timeout)
            if result.timed_out:
                return Reject(
                    reason="solution_hangs", detail=f"step {number} ran past {timeout:g} s: {step.command[:200]}"
                )
        artifacts, note = await box.pull(draft.artifacts)
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
