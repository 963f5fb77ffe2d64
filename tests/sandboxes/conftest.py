"""A live host for each sandbox and module of the contract suite, and a fresh box for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.protocols import Box, SandboxHost

pytest.register_assert_rewrite("tests.sandboxes.contract")

from tests.sandboxes.contract import EVERY, RECIPES, Recipe  # noqa: E402 - rewritten first

LACKING: set[str] = set()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a `recipe` over every sandbox, or over those that the module's `SANDBOXES` names."""
    if "recipe" not in metafunc.fixturenames:
        return
    names = getattr(metafunc.module, "SANDBOXES", EVERY)
    marks = {name: pytest.mark.docker if name.startswith("docker") else pytest.mark.namespace for name in names}
    metafunc.parametrize(
        "recipe", [pytest.param(name, marks=marks[name]) for name in names], indirect=True, scope="module"
    )


@pytest.fixture(scope="module")
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """A sandbox with small limits."""
    name: str = request.param
    if name.startswith("bubblewrap") and shutil.which("bwrap") is None:
        LACKING.add("bubblewrap")
        pytest.skip("bubblewrap is not installed")
    return RECIPES[name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(recipe: Recipe) -> AsyncIterator[SandboxHost]:
    """That sandbox, up."""
    async with recipe.start() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def box(host: SandboxHost) -> AsyncIterator[Box]:
    """A box that nobody had before."""
    async with host.open("base", {}) as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not run."""
    for name in sorted(LACKING):
        terminalreporter.write_line(f"NOT RUN: the contract over {name}, which is not installed", red=True, bold=True)
