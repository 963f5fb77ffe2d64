"""Installs a repository and what it needs in a box, also where only the build tells what that is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from generators.swe.environment.build import Builder
from generators.swe.environment.copies import Copies
from generators.swe.environment.declared import Declared, declared
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.target import Target, parse
from generators.swe.environment.wheels import Resolver, Wheels, version_of

if TYPE_CHECKING:
    from generators.swe.sources import Checkout

OURS = ("pytest", "coverage")
"""What runs and maps the tests, beside what a repository asks for."""


async def install(builder: Builder, target: Target, resolver: Resolver, checkout: Checkout) -> Copies:
    """Build `checkout` at /testbed, with a venv at /opt/env; where else its code is. Raises SetUpFailed."""
    files = checkout.files
    asked = declared(files, target, checkout.repository.requirements)
    last, first = await _resolve(resolver, asked)
    if asked.left_out:
        builder.note(
            f"not installed, of no use to tests or nothing that pip knows by name: {', '.join(asked.left_out)}"
        )
    for text, why in last.dropped.items():
        builder.note(f"not installed, could not be had: {text} ({why})")
    await builder.begin(files)
    await builder.install(last.files)
    if first is not None:  # the build's own requirements contradict the others: they have their turn in between
        await builder.install(first.files)
    if asked.backend:
        wanted = await builder.wanted(asked.backend, checkout.version)
        there = (*last.files, *(first.files if first else ()))
        if missing := unmet({asked.name: wanted}, target, asked.name, there):
            builder.note(f"the build backend asked for: {', '.join(missing)}")
            await builder.install((await resolver.resolve(missing)).files)
    await builder.editable(checkout.version, files, buildable=asked.buildable)
    if first is not None:
        await builder.install(last.files)
    late = unmet(await builder.required(), target, asked.name, last.files)
    if late:
        builder.note(f"only the build told that it needs: {', '.join(late)}")
        more = await resolver.resolve(
            [*asked.runtime, *late, *OURS], [*asked.tests, *(asked.build if not first else ())]
        )
        await builder.install([file for file in more.files if file not in last.files])
    return await builder.finish(files)


async def _resolve(resolver: Resolver, asked: Declared) -> tuple[Wheels, Wheels | None]:
    """Wheels for everything at once; where the build's requirements cannot be had beside the others, those apart."""
    needed = [*asked.runtime, *OURS]
    try:
        return await resolver.resolve([*asked.build, *needed], asked.tests), None
    except SetUpFailed:
        if not asked.build:
            raise
    rest = await resolver.resolve(needed, asked.tests)
    return rest, await resolver.resolve(asked.build)


def unmet(required: dict[str, list[str]], target: Target, name: str, wheels: Iterable[Path]) -> list[str]:
    """Requirements of the built distributions that count on `target` and that no wheel meets."""
    there = dict(version_of(wheel) for wheel in wheels)
    own = {canonicalize_name(each) for each in (*required, name) if each}
    found: dict[str, None] = {}
    for text in (text for texts in required.values() for text in texts):
        asked: Requirement | None = parse(text)
        if asked is None or canonicalize_name(asked.name) in own or not target.wants(asked):
            continue
        version = there.get(canonicalize_name(asked.name))
        asked.marker = None
        if version is None or not asked.specifier.contains(version, prereleases=True):
            found[str(asked)] = None
    return list(found)
