"""Puts a task together of a repository, a bug that was validated and a problem statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datafactory.swe_facts import PATCH, SweFacts
from datafactory.types import Draft, File, Files, Source, Step
from generators.swe.checkout_lines import COLLECT, PREPARE
from generators.swe.environment import Environment
from generators.swe.places import TESTBED
from generators.swe.proving.validation import Valid
from generators.swe.sources import Checkout
from generators.swe.testing import resolved_check


def swe_draft(
    checkout: Checkout,
    environment: Environment,
    *,
    kind: str,
    hash_: str,
    broken: Files,
    patch: str,
    fix: str,
    valid: Valid,
    statement: str,
    rates: bool,
    more: dict[str, Any],
    remove: Sequence[str] = (),
    gone: Sequence[str] = (),
) -> Draft:
    """The task. `broken`: files as the agent finds them, by absolute path; `patch` makes the bug, empty where the
    commit has it, and `fix` mends it; `more`: further facts of the source, or others than these; `remove`: lines that
    take away what an agent shall not find; `gone`: test files that are not there when it is judged."""
    held_out = {path: checkout.files[path] for path in _judging(environment, valid, checkout.files)}
    shown = environment.commit[:8] or environment.version or environment.digest[:8]
    facts = SweFacts(
        instance_id=f"{environment.name}.{shown}.{kind}__{hash_}",
        repo=environment.name,
        version=environment.version,
        base_commit=environment.commit,
        bug_kind=kind,
        patch=patch,
        fix=fix,
        fail_to_pass=valid.fail_to_pass,
        pass_to_pass=valid.pass_to_pass,
        held_out=tuple(held_out),
        problem_statement=statement,
    )
    said = {**facts.model_dump(mode="json"), **more}
    check = resolved_check(
        environment.testing,
        valid.fail_to_pass,
        valid.pass_to_pass,
        held_out,
        gone=gone,
        rates=rates,
        timeout=120 + 5 * (environment.seconds + environment.testing.rebuild_seconds),
    )
    return Draft(
        prompt=statement,
        image=environment.image,
        workdir=TESTBED,
        files=broken,
        prepare=(*environment.copies.prepare, *remove, *PREPARE),
        collect=COLLECT,
        artifacts=(PATCH,),
        checks=(check,),
        solution=(Step(thought="Take the change back.", command=_applies(fix)),),
        skills=(kind,),
        domain="software_engineering",
        source=Source(
            generator="",
            item=str(said["instance_id"]),
            license=environment.license,
            facts=said,
        ),
    )


def _judging(environment: Environment, valid: Valid, files: Files) -> list[str]:
    """The files of the tests and what belongs to them, as far as the checkout has them."""
    named = {test.partition("::")[0] for test in (*valid.fail_to_pass, *valid.pass_to_pass)}
    return sorted(path for path in named.union(environment.test_files) if path in files)


def _applies(fix: str) -> str:
    """A line that applies a patch to the repository."""
    mark = "PATCH_ENDS"
    while mark in fix:
        mark += "_HERE"
    return f"git -C {TESTBED} apply --whitespace=nowarn <<'{mark}'\n{fix}{mark}"


def in_box(files: dict[str, bytes], checkout: Checkout) -> Files:
    """Files of the checkout with other content, by absolute path, with the modes that they have there."""
    return {f"{TESTBED}/{path}": File(data=data, mode=checkout.files[path].mode) for path, data in files.items()}
