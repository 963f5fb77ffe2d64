"""From the recipe to a fleet that is up: the servers started or joined, and closed again with their report on file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from datafactory.errors import ConfigError, Missing
from datafactory.teachers.gate import Gate
from datafactory.teachers.openai_endpoint import endpoint
from datafactory.teachers.vllm import command, gpus, logs, probe, program
from datafactory.teachers.vllm.fleet import Fleet, manned
from datafactory.teachers.vllm.joined import Joined
from datafactory.teachers.vllm.owned import Owned
from datafactory.teachers.vllm.replica import Replica

if TYPE_CHECKING:
    from datafactory.teachers.vllm.teacher import VLLMTeacher


@asynccontextmanager
async def opened(spec: VLLMTeacher) -> AsyncIterator[Fleet]:
    """All servers up. Raises ConfigError, Missing, RunError."""
    joined = spec.addresses()
    replicas = [Replica(number, Gate(most=spec.at_once)) for number in range(len(joined) or spec.replicas)]
    fleet = Fleet(replicas, gpus=await asyncio.to_thread(held, spec), patience=spec.patience)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(probe.client(joined))
        if joined:
            keepers = [await _joined(spec, *pair, client, stack) for pair in zip(replicas, joined, strict=True)]
        else:
            keepers = await asyncio.to_thread(_owned, spec, replicas, client)
        stack.callback(lambda: logs.write_report({"model": spec.model, **fleet.report()}))
        await stack.enter_async_context(manned(fleet, [keeper.keep for keeper in keepers], client))
        fleet.context = (await replicas[0].models()).get(spec.model)
        yield fleet


def held(spec: VLLMTeacher) -> int:
    """GPUs that the teacher's servers hold."""
    if spec.addresses():
        return spec.gpus
    return 0 if installed(spec).cpu else spec.replicas * spec.gpus_each


def installed(spec: VLLMTeacher) -> program.Program:
    """The vllm to be started. Raises Missing."""
    found = program.find(spec.program)
    if found is None:
        raise Missing(f"teacher vllm: no vllm program; {program.GET}")
    return found


def _owned(spec: VLLMTeacher, replicas: list[Replica], client: aiohttp.ClientSession) -> list[Owned | Joined]:
    found = installed(spec)
    devices = gpus.visible() if spec.replicas > 1 else []
    return [
        Owned(
            replica,
            client,
            logs.fresh(spec.model, replica.number),
            argv=partial(command.argv, spec, found),
            environment=command.environment(
                found.path, gpus.share(devices, replica=replica.number, each=spec.gpus_each)
            ),
            connect=partial(
                endpoint, model=spec.model, gate=replica.gate, timeout=spec.timeout, tries=spec.tries, key=""
            ),
            patience=spec.start_seconds,
        )
        for replica in replicas
    ]


async def _joined(
    spec: VLLMTeacher, replica: Replica, address: str, client: aiohttp.ClientSession, stack: AsyncExitStack
) -> Owned | Joined:
    live = endpoint(address, model=spec.model, gate=replica.gate, timeout=spec.timeout, tries=spec.tries)
    return Joined(replica, client, await stack.enter_async_context(live), model=spec.model, patience=spec.join_seconds)


def check(spec: VLLMTeacher, fleet: Fleet) -> None:
    """Raises ConfigError where no answer could ever fit."""
    if fleet.context and spec.max_tokens and spec.max_tokens > fleet.context:
        raise ConfigError(
            f"teacher vllm: max_tokens is {spec.max_tokens}, and the model's whole context is {fleet.context} tokens"
        )
