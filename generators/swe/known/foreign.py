"""An instance of others: where its repository is had, what it mends, and whether its tests say so here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from datafactory.formats.instances import Instance
from datafactory.types import Reject
from generators.swe.known.fixes import KnownFix, Proven
from generators.swe.known.patches import Change, PatchFailed, applied, between, changed
from generators.swe.proving.validation import Valid
from generators.swe.sources import Checkout, Repository, excluded_benchmark
from generators.swe.sources.repository import refusal

FORGE = "https://github.com/{repo}"
"""Where the repositories of all public data sets of this kind are."""
SHOWN = 5
"""Tests that a reject names."""
_PLAIN = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*")


def place_of(
    instance: Instance,
    where: str | Mapping[str, str],
    *,
    requirements: Sequence[str] = (),
    allow_benchmarks: bool = False,
) -> Repository | Reject:
    """The repository of an instance at its commit. `where`: an address or a folder for all, with ``{repo}`` or
    ``{name}`` in it, or one for each ``owner/name``. Where an instance has no commit, the package of its name and
    version, or a folder as it lies. Rejects `unknown_repo`, `excluded`."""
    repo = instance.origin
    if not _PLAIN.fullmatch(repo):
        return Reject(reason="unknown_repo", detail=f"{repo!r} is no owner/name")
    if (benchmark := excluded_benchmark(repo)) and not allow_benchmarks:
        return Reject(reason="excluded", detail=refusal(repo, benchmark))
    pattern = where if isinstance(where, str) else where.get(repo)
    if pattern is None:
        return Reject(reason="unknown_repo", detail=f"'where' has no place for {repo}")
    at = pattern.replace("{repo}", repo).replace("{name}", repo.rpartition("/")[2])
    if instance.commit:
        at = f"{at}@{instance.commit}"
    elif pattern == FORGE:
        at = f"{repo}=={instance.version}" if "/" not in repo and instance.version else at
    keys = {"at": at, "requirements": tuple(requirements), "allow_benchmarks": allow_benchmarks}
    try:
        return Repository.model_validate(keys)
    except ValueError as error:
        return Reject(reason="unknown_repo", detail=f"{repo} at {instance.commit or instance.version!r}: {error}")


def fix_of(instance: Instance, base: Checkout) -> KnownFix:
    """What an instance mends. `base`: the files of its commit. Raises PatchFailed."""
    if instance.patch_makes_bug:
        found = changed(base.files, _applied(base, instance.patch, "patch"))
        return KnownFix(replace(base, files=found), between(found, base.files), {})
    start = replace(base, files=changed(base.files, _applied(base, instance.bug_patch, "bug_patch")))
    code, tests = _applied(start, instance.patch, "patch"), _applied(start, instance.test_patch, "test_patch")
    return KnownFix(start, {path: file for path, file in code.items() if path not in tests}, tests)


def _applied(checkout: Checkout, patch: str, name: str) -> Change:
    try:
        return applied(checkout.files, patch)
    except PatchFailed as error:
        raise PatchFailed(f"{name}: {error}") from error


def agreed(instance: Instance, proven: Proven) -> Valid | Reject:
    """The instance's own tests, where all of them say here what the instance says of them. Rejects `tests_disagree`,
    with their names.

    SWE-bench's log parsers end an id at its first blank: such an id stands for all that begin so.
    """
    failing, passing = set(proven.valid.fail_to_pass), set(proven.valid.pass_to_pass)
    by_start: dict[str, list[str]] = {}
    for test in (*proven.environment.tests, *proven.environment.flaky, *proven.environment.failing):
        for start in {test, test.split(" ")[0]}:
            by_start.setdefault(start, []).append(test)
    wanted = {test: by_start.get(test, []) for test in (*instance.fail_to_pass, *instance.pass_to_pass)}
    said = {
        "not there": [test for test, meant in wanted.items() if not meant],
        "not sure to pass with the fix": [
            test for test, meant in wanted.items() if not failing.union(passing).issuperset(meant)
        ],
        "pass without it": [test for test in instance.fail_to_pass if wanted[test] and not failing & {*wanted[test]}],
        "fail without it, and should not": [test for test in instance.pass_to_pass if failing & {*wanted[test]}],
    }
    if any(said.values()) or not instance.fail_to_pass:
        told = "; ".join(f"{_named(tests)} {what}" for what, tests in said.items() if tests)
        return Reject(reason="tests_disagree", detail=told or "FAIL_TO_PASS is empty")
    meant = {test for tests in wanted.values() for test in tests}
    return Valid(
        tuple(test for test in proven.valid.fail_to_pass if test in meant),
        tuple(test for test in proven.valid.pass_to_pass if test in meant),
        tuple(result for result in proven.valid.failing if result.id in meant),
    )


def _named(tests: Collection[str]) -> str:
    shown = ", ".join(sorted(tests)[:SHOWN])
    return f"{shown} and {len(tests) - SHOWN} more" if len(tests) > SHOWN else shown
