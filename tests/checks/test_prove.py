"""The soundness gate, in real boxes: every reason to turn a draft down, and a sound one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from datafactory.checks import clean_files, prove, verify
from datafactory.protocols import SandboxHost
from datafactory.types import Check, Draft, Source, Step, files

pytestmark = pytest.mark.namespace


@pytest.fixture
async def host() -> AsyncIterator[SandboxHost]:
    from sandboxes.namespace import NamespaceSandbox

    async with NamespaceSandbox().start() as up:
        yield up


DONE = '[ "$(cat out.txt)" = done ]'
"""Fails where the file is missing; `grep` would end with 2 there, which is a crash."""


def draft(check: str = DONE, solution: str = "echo done > out.txt", **more: Any) -> Draft:
    fields: dict[str, Any] = {
        "prompt": "Write done into out.txt.",
        "checks": (Check(name="out", argv=("bash", "-c", check), timeout=5.0),),
        "solution": (Step(command=solution),) if solution else (),
        "source": Source(generator="test"),
    }
    return Draft(**{**fields, **more})


async def reason(host: SandboxHost, made: Draft, **how: Any) -> tuple[str, str]:
    reject = await prove(host, made, **how)
    return (reject.reason, reject.detail) if reject else ("sound", "")


async def test_a_sound_draft_passes(host: SandboxHost) -> None:
    assert await reason(host, draft()) == ("sound", "")
    assert await reason(host, draft(), repeats=1) == ("sound", "")


async def test_a_draft_without_a_solution_cannot_be_proved(host: SandboxHost) -> None:
    assert (await reason(host, draft(solution="")))[0] == "no_solution"


async def test_a_solution_that_hangs_is_turned_down(host: SandboxHost) -> None:
    said, detail = await reason(host, draft(solution="sleep 60"), step_timeout=1.0)
    assert (said, detail) == ("solution_hangs", "step 1 ran past 1 s: sleep 60")


async def test_a_solution_that_leaves_too_much_is_turned_down(host: SandboxHost) -> None:
    said, detail = await reason(host, draft(solution="echo done > out.txt; head -c 20000000 /dev/zero > big"))
    assert said == "solution_too_large"
    assert detail


async def test_a_solution_that_fails_is_turned_down_with_the_checks_words(host: SandboxHost) -> None:
    made = draft(check="grep -qx done out.txt || { echo no such line; exit 1; }", solution="echo dnoe > out.txt")
    said, detail = await reason(host, made)
    assert said == "solution_fails"
    assert "out: no such line" in detail


async def test_a_check_that_passes_on_nothing_is_turned_down(host: SandboxHost) -> None:
    said, detail = await reason(host, draft(check="true"))
    assert (said, detail) == ("noop_scores", "reward 1 for doing nothing: out")


async def test_partial_credit_for_nothing_is_turned_down(host: SandboxHost) -> None:
    extra = Check(name="easy", argv=("true",), weight=0.1)
    said, detail = await reason(host, draft(checks=(*draft().checks, extra)))
    assert said == "noop_scores"
    assert detail.endswith("easy")


@pytest.mark.parametrize(
    ("check", "when"),
    [
        ("[ -e out.txt ] && exit 3; exit 1", "after the solution"),
        ("[ -e out.txt ] || exit 3", "on the untouched box"),
    ],
)
async def test_a_check_that_crashes_is_told_apart_from_one_that_fails(host: SandboxHost, check: str, when: str) -> None:
    said, detail = await reason(host, draft(check=check))
    assert said == "check_crashes"
    assert detail.startswith(f"out {when}")


async def test_repeats_that_disagree_are_flaky(host: SandboxHost) -> None:
    # The judging box keeps what a check leaves outside the artifacts: from the second repeat on, this one fails.
    check = "grep -qx done out.txt || exit 1; [ ! -e /tmp/seen ] || exit 1; touch /tmp/seen"
    said, detail = await reason(host, draft(check=check))
    assert said == "flaky"
    assert "(0.0, 1.0), (0.0, 0.0)" in detail


async def test_what_a_solution_deletes_is_gone_where_it_is_judged(host: SandboxHost) -> None:
    made = draft(
        check="[ ! -e old.txt ] && [ -e kept.txt ]",
        solution="rm old.txt",
        files=files({"/app/old.txt": "x", "/app/kept.txt": "y"}),
    )
    assert await reason(host, made) == ("sound", "")


async def test_verify_judges_artifacts_in_a_box_that_the_agent_never_touched(host: SandboxHost) -> None:
    made = draft()
    assert (await verify(host, made, files({"/app/out.txt": "done\n"}))).reward == 1.0
    assert (await verify(host, made, files({"/app/out.txt": "not yet\n"}))).reward == 0.0
    assert (await verify(host, made, {})).reward == 0.0


async def test_an_agent_cannot_replace_the_check(host: SandboxHost) -> None:
    judge = "/tests/judge.sh"
    strict = Check(name="out", argv=("bash", judge), files=files({judge: "grep -qx done /app/out.txt\n"}))
    made = draft(checks=(strict,), artifacts=("/app/", "/tests/"))
    cheat = files({judge: "exit 0\n", "/app/out.txt": "nothing\n"})
    assert (await verify(host, made, cheat)).reward == 0.0


def test_a_clean_box_has_the_artifacts_and_what_was_not_theirs() -> None:
    made = draft(
        files=files({"/app/in.txt": "a", "/etc/tool.conf": "b", "/data/x": "c"}), artifacts=("/app/", "/data/x")
    )
    clean = clean_files(made, files({"/app/out.txt": "d"}))
    assert {path: file.text for path, file in clean.items()} == {"/app/out.txt": "d", "/etc/tool.conf": "b"}
