"""What tests of SWE tasks share: a history, and an environment for it that is there already."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from datafactory import layers
from datafactory.types import files
from generators.swe.environment import Environment, shelf
from generators.swe.environment.set_up import BASE, key_of, layer_name
from generators.swe.places import ENV, TESTBED
from generators.swe.repositories import cache
from generators.swe.sources import Checkout, Repository, fetch
from generators.swe.testing import Coverage, Testing
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.fixed import history
from tests.generators.swe.sources.made import git
from tests.generators.swe.testing.repository import PACKAGES, packages


@dataclass(frozen=True)
class Mended:
    """A git repository in which people mended things."""

    folder: Path
    fixes: dict[str, str]
    """Full names of commits by what they do."""
    state: Path
    """For XDG_STATE_HOME."""


@pytest.fixture(scope="session")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Mended:
    """Made once for all tests, which leave it as it is."""
    top: Path = tmp_path_factory.mktemp("mended")
    return Mended(top / "counting", history(top / "counting"), top / "state")


@pytest.fixture(scope="session")
def set_up_already(mended: Mended) -> Mended:
    """With the environment of the commit that the first fix mends on file; set-ups have tests of their own, and take
    long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(mended.state))
        first = git(mended.folder, "rev-parse", f"{mended.fixes['limit']}^")
        asyncio.run(_set_up(fetch(Repository(at=f"{mended.folder}@{first}"), mended.state)))
    return mended


async def _set_up(checkout: Checkout) -> None:
    async with NamespaceSandbox().start() as host:
        base_digest = host.image_digest(BASE)
        key = key_of(checkout, base_digest)
        tree = {f"{TESTBED}/{path}": file for path, file in checkout.files.items()}
        async with host.open(BASE, tree, workdir=TESTBED) as box:
            made = await box.exec(
                f"/usr/bin/python3 -m venv --without-pip {ENV} && cd {ENV}/lib/python3*/site-packages"
                f" && echo {TESTBED} > testbed.pth && pwd && rm -rf {ENV}/lib64 && cd {TESTBED}",
                timeout=60,
            )
            assert made.stdout, made.output
            where = made.stdout.decode().strip()
            await box.push(files({f"{where}/{name}": data for name, data in packages(*PACKAGES).items()}))
            lies, left_out = await box.pull([f"{ENV}/", f"{TESTBED}/"], limit=1 << 28)
            assert not left_out, left_out
    image = layer_name(checkout, key)
    layers.save(image, base=BASE, base_digest=base_digest, files=lies, path=(f"{ENV}/bin",))
    made_of = Environment(
        image=image,
        name=checkout.name,
        version="",
        commit=checkout.commit,
        license="",
        digest=checkout.digest,
        python="3.11",
        commands=(),
        testing=Testing(arguments=("tests",)),
        tests=("tests/test_counting.py::test_inside",),
        flaky=(),
        failing={},
        seconds=1.0,
        test_files=("tests/test_counting.py", "tests/test_legacy.py"),
        coverage=Coverage(),
    )
    path = cache() / "environments" / shelf.KEPT / f"{key}.json"
    path.parent.mkdir(parents=True)
    shelf.write(path, made_of)
