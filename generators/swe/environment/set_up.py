"""Sets up a repository without a person: from its files to a layer in which its tests are known to pass."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from datafactory import layers
from datafactory.errors import DataError, GeneratorError, SandboxError, boundary
from datafactory.protocols import SandboxHost
from datafactory.turns import awaited_turn
from datafactory.types import Files, digest_of
from generators.swe.environment import shelf
from generators.swe.environment.build import LOG, Builder
from generators.swe.environment.copies import Copies
from generators.swe.environment.extension import rebuilding
from generators.swe.environment.install import install
from generators.swe.environment.record import Environment, SetUpFailed
from generators.swe.environment.repeats import EACH, SUITE, Found, arguments, first_run
from generators.swe.environment.suite import Suite, find_suite, test_files
from generators.swe.environment.target import Target, look
from generators.swe.environment.wheels import Resolver
from generators.swe.places import ENV, TESTBED
from generators.swe.testing import Coverage
from generators.swe.testing.bench import open_bench

if TYPE_CHECKING:
    from generators.swe.sources import Checkout

BASE = "software_engineering"
"""The image that layers lie on: it has gcc, git and venv."""
VERSION = 2
"""Of the way environments are made: another number makes them anew."""
REPEATS = 3
"""Runs of the whole suite: a test that fails one time in ten is found in 27 of 100 cases, and the runs of a bug's
validation find more."""


async def set_up(host: SandboxHost, checkout: Checkout, *, folder: Path) -> Environment:
    """The environment of `checkout`, made in boxes of `host`; `folder` keeps wheels and environments, and whoever asks
    again for the same files, base image and tests gets what is on file.

    Raises SetUpFailed where it cannot be done without a person, SandboxError where boxes break, Missing without pip.
    """
    base_digest = await asyncio.to_thread(host.image_digest, BASE)
    key = key_of(checkout, base_digest)
    path = folder / shelf.KEPT / f"{key}.json"
    with boundary(GeneratorError, f"setting up {checkout.name}"):
        async with awaited_turn(path.with_suffix(".lock")):
            there = await asyncio.to_thread(shelf.read, path)
            if there is not None and await asyncio.to_thread(_is_kept, there.image):
                return there
            made = await _make(host, checkout, folder, layer_name(checkout, key), base_digest)
            await asyncio.to_thread(shelf.write, path, made)
            return made


def key_of(checkout: Checkout, base_digest: str) -> str:
    """What its environment is kept by: 24 hex digits of all that shapes it."""
    asked = checkout.repository
    return digest_of([VERSION, checkout.digest, base_digest, list(asked.tests), list(asked.requirements)], 24)


async def _make(host: SandboxHost, checkout: Checkout, folder: Path, image: str, base_digest: str) -> Environment:
    suite = find_suite(checkout.files, checkout.repository.tests)
    if suite is None:
        raise SetUpFailed("tests_found", "no file of it is named like a test (test_*.py, *_test.py)")
    target, commands, copies, files, found = await _build(host, checkout, folder, suite)
    await asyncio.to_thread(layers.save, image, base=BASE, base_digest=base_digest, files=files, path=(f"{ENV}/bin",))
    del files
    coverage = await _repeat(host, image, found)
    if not found.stable:
        raise SetUpFailed("no_passing_tests", f"no test passes in each of {REPEATS} runs", found.reports[-1].log[-LOG:])
    return Environment(
        image=image,
        name=checkout.name,
        version=checkout.version,
        commit=checkout.commit,
        license=checkout.license,
        digest=checkout.digest,
        python=target.python,
        commands=commands,
        testing=found.testing,
        tests=found.stable,
        flaky=found.flaky,
        failing=found.failing,
        seconds=found.reports[-1].seconds,
        test_files=test_files(checkout.files, suite),
        coverage=coverage,
        copies=copies,
    )


async def _build(
    host: SandboxHost, checkout: Checkout, folder: Path, suite: Suite, *, again: bool = True
) -> tuple[Target, tuple[str, ...], Copies, Files, Found]:
    """What is built is taken before any test runs, so that nothing of tests is in the layer. `again`: where the box
    breaks while they run, try in another one, before the tests are blamed."""
    async with host.open(BASE, {}, workdir=TESTBED) as box:
        target = await look(box)
        builder = Builder(box)
        resolver = Resolver(target, folder / "wheels")
        copies = await install(builder, target, resolver, checkout)
        files = await builder.layer()
        try:
            rebuild = await rebuilding(box, files, checkout.files, checkout.version)
            if rebuild.why_not:
                builder.note(rebuild.why_not)
            found = await first_run(box, await arguments(box, suite))
            found.testing = found.testing.but(rebuild=rebuild.line, rebuild_seconds=rebuild.seconds)
            return target, tuple(builder.commands), copies, files, found
        except SandboxError as error:
            if not again:
                raise SetUpFailed("tests_run", f"two boxes broke while the tests ran: {error}"[:LOG]) from error
    return await _build(host, checkout, folder, suite, again=False)


async def _repeat(host: SandboxHost, image: str, found: Found) -> Coverage:
    """The further runs are in a box of the layer: what passes there passes where tasks are made."""
    async with host.open(image, {}, workdir=TESTBED) as box, open_bench(box, found.testing) as bench:
        for _ in range(REPEATS - 1):
            report = await bench.run(None, timeout=SUITE, each=EACH)
            if report.timed_out:
                raise SetUpFailed("tests_run", f"the suite takes over {SUITE:g} s, and did not once", report.log[-LOG:])
            found.reports.append(report)
        found.unstable.update(await bench.unstable(timeout=SUITE))
        try:
            return await bench.coverage(timeout=2 * SUITE)
        except GeneratorError as error:
            raise SetUpFailed("tests_run", f"the suite does not run under coverage: {error}"[:LOG]) from error


def _is_kept(image: str) -> bool:
    """Whether the layer is there: a damaged one is made anew, as one that was removed."""
    try:
        return layers.find(image) is not None
    except DataError:
        return False


def layer_name(checkout: Checkout, key: str) -> str:
    """``layer/<repo>-<version or commit8>-<12 hex>``."""
    plain = re.sub(
        r"[^a-z0-9._-]+", "-", f"{checkout.name}-{checkout.version or checkout.commit[:8] or 'files'}".lower()
    )
    return f"{layers.PREFIX}{plain.strip('-.')}-{key[:12]}"
