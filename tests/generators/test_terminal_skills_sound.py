"""The embedded generator's tasks in real boxes: sound, with partial credit, and judged without the agent's help."""

from __future__ import annotations

import asyncio
import random

import pytest

from datafactory.checks import prove, verify
from datafactory.protocols import SandboxHost, Slot
from datafactory.types import DOMAINS, Draft, Files, Verdict
from generators.terminal_skills import TerminalSkills
from sandboxes.namespace import NamespaceSandbox

pytestmark = pytest.mark.namespace


def drafts(count: int, seed: int, **fields: object) -> list[Draft]:
    generator, seeds = TerminalSkills(count=count, **fields), random.Random(seed)  # type: ignore[arg-type]
    made = [generator.draft(Slot(i, 0, seeds.getrandbits(63))) for i in range(count)]
    return [d for d in made if isinstance(d, Draft)]


async def attempt(host: SandboxHost, draft: Draft, steps: int) -> tuple[Verdict, Files]:
    """Judge what the first `steps` steps of the reference solution leave behind."""
    async with host.open(draft.image, draft.files, workdir=draft.workdir) as box:
        for step in draft.solution[:steps]:
            await box.exec(step.command, timeout=60)
        left, note = await box.pull(draft.artifacts)
    assert not note
    return await verify(host, draft, left), left


@pytest.mark.slow
async def test_three_tasks_of_each_domain_are_sound():
    gate, found = asyncio.Semaphore(3), {}
    chosen = drafts(27, seed=11)
    assert {d.domain for d in chosen} == set(DOMAINS)
    async with NamespaceSandbox().start() as host:

        async def one(number: int, draft: Draft) -> None:
            async with gate:
                found[number] = await prove(host, draft, repeats=1)

        await asyncio.gather(*(one(n, d) for n, d in enumerate(chosen)))
    assert {n: f"{chosen[n].skills} {r.reason} {r.detail}" for n, r in found.items() if r} == {}


async def test_a_task_is_sound_three_times_over():
    async with NamespaceSandbox().start() as host:
        assert await prove(host, drafts(1, seed=23)[0], repeats=3) is None


async def test_half_the_work_gives_part_of_the_credit():
    draft = drafts(1, seed=5, domains=("data_querying",))[0]
    async with NamespaceSandbox().start() as host:
        rewards = [(await attempt(host, draft, steps))[0] for steps in range(len(draft.solution) + 1)]
    assert not any(v.crashed for v in rewards)
    assert rewards[0].reward == rewards[1].reward == 0
    assert 0 < rewards[2].reward < 1
    assert [v.reward for v in rewards] == sorted(v.reward for v in rewards)
    assert rewards[-1].solved


async def test_a_spoilt_product_costs_its_share_and_no_check_crashes():
    async with NamespaceSandbox().start() as host:
        for draft in drafts(3, seed=8, domains=("debugging", "security", "software_engineering")):
            _, left = await attempt(host, draft, len(draft.solution))
            made = sorted(set(left) - set(draft.files))
            spoilt = {**left, **{path: left[path].model_copy(update={"data": b"\xff\x00, spoilt"}) for path in made}}
            verdict = await verify(host, draft, spoilt)
            assert verdict.reward < 1 and not verdict.crashed
