"""The SWE benchmark: bugs validated by the tests that run their lines, beside the whole suite in a fresh container.

    python benchmarks/swe_validation.py --repos toolz==1.2.0 tenacity==9.2.1 --bugs 150 --out swe.json

Both sides judge the same bugs in the same sandbox, as many at a time. `ours` is `validate` of the generators: the tests
that cover the change, then the whole suite for bugs that fail one, then the failing tests again, three runs in all.
`whole suite` is what harnesses do: a container of the repository's image for each bug, the change in place, one run of
pytest; and, to know as much as `ours` does, two more such containers for each bug that failed a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from datafactory.local import CORES
from datafactory.protocols import SandboxHost
from datafactory.types import Reject
from generators.swe.candidates import Candidates, find_candidates
from generators.swe.environment import Environment
from generators.swe.mutations import Bug, NoBug
from generators.swe.places import TESTBED
from generators.swe.proving.benches import SLACK
from generators.swe.proving.validation import Valid, validate
from generators.swe.repositories import Ready, open_repositories
from generators.swe.sources import Repository

Chosen = tuple[Bug, dict[str, bytes]]
Found = dict[str, frozenset[str] | None]
"""By a bug's id: the stable tests that fail; None: hung."""


def chosen(candidates: Candidates, count: int) -> list[Chosen]:
    """The first bugs that can be made."""
    bugs: list[Chosen] = []
    for number in range(len(candidates)):
        if len(bugs) == count:
            break
        try:
            bug, broken = candidates.bug(number)
        except NoBug:
            continue
        bugs.append((bug, {f"{TESTBED}/{path}": data for path, data in broken.items()}))
    return bugs


async def each(bugs: list[Chosen], work: Callable[[Bug, dict[str, bytes]], Awaitable[None]], at_once: int) -> float:
    """Seconds for all of them, `at_once` at a time."""
    places = asyncio.Semaphore(at_once)

    async def one(bug: Bug, changes: dict[str, bytes]) -> None:
        async with places:
            await work(bug, changes)

    began = time.monotonic()
    await asyncio.gather(*(one(*each) for each in bugs))
    return time.monotonic() - began


async def ours(ready: Ready, bugs: list[Chosen], at_once: int) -> tuple[float, dict[str, Valid | Reject]]:
    """Seconds, and what came of each bug."""
    made: dict[str, Valid | Reject] = {}

    async def work(bug: Bug, changes: dict[str, bytes]) -> None:
        async with ready.benches.take() as pair:
            made[bug.id] = await validate(pair, ready.environment, bug, changes)

    return await each(bugs, work, at_once), made


async def whole_suite(
    host: SandboxHost, environment: Environment, bugs: list[Chosen], at_once: int
) -> tuple[float, Found]:
    """Seconds, and which stable tests failed with each bug, in one run."""
    found: Found = {}
    testing = environment.testing
    argv = [testing.python, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-q", "-rA"]
    argv += ["--tb=no", *testing.arguments]

    async def work(bug: Bug, changes: dict[str, bytes]) -> None:
        async with host.open(environment.image, {}, workdir=TESTBED) as box:
            for path, data in changes.items():
                await box.write(path, data)
            result = await box.exec(argv, timeout=SLACK + 4 * environment.seconds)
            lines = result.output.splitlines()
            passed = {line[7:].strip() for line in lines if line.startswith("PASSED ")}
            parts = {word for line in lines if line.startswith("SUBFAILED") for word in line.split() if "::" in word}
            found[bug.id] = None if result.timed_out else frozenset(environment.tests) - (passed - parts)

    return await each(bugs, work, at_once), found


def agree(made: dict[str, Valid | Reject], found: Found) -> list[str]:
    """Bugs about which the two sides say different things."""
    wrong = []
    for bug, ruling in made.items():
        other = found[bug]
        if isinstance(ruling, Valid):
            same = other == frozenset(ruling.fail_to_pass)
        else:
            same = {
                "hangs": other is None,
                "not_covered": other == frozenset(),
                "no_test_fails": other == frozenset(),
            }.get(ruling.reason, True)
        if not same:
            wrong.append(bug)
    return wrong


async def measure(host: SandboxHost, ready: Ready, asked: argparse.Namespace) -> dict[str, Any]:
    """One repository."""
    environment = ready.environment
    candidates = find_candidates(ready.checkout.files, environment, operators=(), combined=0.0, seed=0)
    bugs = chosen(candidates, asked.bugs)
    seconds, made = await ours(ready, bugs, asked.at_once)
    valid = [bug for bug, _ in bugs if isinstance(made[bug.id], Valid)]
    row: dict[str, Any] = {
        "repository": f"{environment.name} {environment.version}",
        "tests": len(environment.tests),
        "suite_s": environment.seconds,
        "sites": len(candidates),
        "bugs": len(bugs),
        "valid": len(valid),
        "rejects": Counter(r.reason for r in made.values() if isinstance(r, Reject)),
        "ours_s": seconds,
        "valid_per_minute": 60 * len(valid) / seconds,
        "operators": {
            name: [sum(bug.kind == name for bug in valid), sum(bug.kind == name for bug, _ in bugs)]
            for name in sorted({bug.kind for bug, _ in bugs})
        },
    }
    compared = bugs[: asked.compare]
    if compared:
        again, same = await ours(ready, compared, asked.at_once)
        once, found = await whole_suite(host, environment, compared, asked.at_once)
        failing = [each for each in compared if found[each[0].id]]
        more = [await whole_suite(host, environment, failing, asked.at_once) for _ in range(2)]
        thrice = once + sum(seconds for seconds, _ in more)
        row |= {"compared": len(compared), "compared_ours_s": again, "whole_suite_s": once, "thrice_s": thrice}
        row |= {"times": once / again, "times_thrice": thrice / again, "disagree": agree(same, found)}
        row["flaky"] = sorted({bug for _, others in more for bug in others if others[bug] != found[bug]})
    return row


async def work(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """All repositories, one after the other."""
    from sandboxes.docker import DockerSandbox
    from sandboxes.namespace import NamespaceSandbox

    sandbox = DockerSandbox(pool=0) if asked.sandbox == "docker" else NamespaceSandbox()
    repositories = [Repository.model_validate(name) for name in asked.repos]
    rows = []
    async with sandbox.start() as host:
        began = time.monotonic()
        async with open_repositories(host, repositories, boxes=asked.at_once) as (ready, unfit):
            print(f"{len(ready)} repositories set up in {time.monotonic() - began:.0f} s; unfit: {unfit}", flush=True)
            for each_ready in ready:
                rows.append(await measure(host, each_ready, asked))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def report(rows: list[dict[str, Any]]) -> None:
    """A table for each question."""
    heads = ["repository", "tests", "suite, s", "bugs", "valid", "valid a minute", "compared", "ours (3 runs), s"]
    heads += ["whole suite once, s", "times", "three times, s", "times", "disagree", "flaky there"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        shown = [row["repository"], row["tests"], f"{row['suite_s']:.2f}", row["bugs"], row["valid"]]
        shown.append(f"{row['valid_per_minute']:.0f}")
        keys = ("compared_ours_s", "whole_suite_s", "times", "thrice_s", "times_thrice")
        shown += [row.get("compared", 0), *(f"{row.get(key, 0):.1f}" for key in keys)]
        shown += [len(row.get("disagree", [])), len(row.get("flaky", []))]
        print(f"| {' | '.join(map(str, shown))} |")
    totals: dict[str, list[int]] = {}
    for row in rows:
        for name, (valid, tried) in row["operators"].items():
            total = totals.setdefault(name, [0, 0])
            total[0] += valid
            total[1] += tried
    print("\n| operator | valid | tried |\n|---|---|---|")
    for name, (valid, tried) in sorted(totals.items()):
        print(f"| {name} | {valid} | {tried} |")


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", nargs="+", required=True, help="as the generator's `repos`")
    parser.add_argument("--bugs", type=int, default=100, help="bugs to validate, for each repository")
    parser.add_argument("--compare", type=int, default=40, help="of them, how many the other side judges too")
    parser.add_argument("--sandbox", choices=("docker", "namespace"), default="docker")
    parser.add_argument("--at-once", type=int, default=CORES)
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    asked = parser.parse_args()
    rows = asyncio.run(work(asked))
    report(rows)
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
