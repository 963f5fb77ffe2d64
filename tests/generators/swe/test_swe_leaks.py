"""The fix of a task cannot be found in its box, whatever its repository gives away: way by way, and byte by byte."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from datafactory.protocols import Box, Sandbox, SandboxHost, Slot
from datafactory.types import Draft, File, Files, Reject, files
from generators.swe.swe_mutations import SWEMutations
from sandboxes.docker import DockerSandbox
from sandboxes.docker_box import DockerBox
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.engine import take_images_away
from tests.generators.swe.leaks import box_search
from tests.generators.swe.leaks.ways import BARRED, BYTECODE, COPIES, FACTORY, HISTORY, NETWORK
from tests.generators.swe.leaks.wordkit import LEFT, LINE, SOUND, TREE, bytecode, careless, leaky

KINDS = [
    pytest.param("namespace", marks=pytest.mark.namespace),
    pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.slow]),
]
SANDBOXES: dict[str, Sandbox] = {"namespace": NamespaceSandbox(), "docker": DockerSandbox(pool=0)}
TOPS = (
    "/testbed",
    "/opt",
    "/run",
    "/tmp",
    "/var",
    "/root",
    "/home",
    "/srv",
    "/mnt",
    "/app",
    "/etc",
    "/usr/lib/python3",
)
"""What is searched where a box shows this machine's programs: they are too many."""
CARELESS = f"""export ANSWER='{LINE}'; (cd /srv; exec -a '{LINE}' sleep 60) &
cd /testbed; git config --global safe.directory '*'
exec 9< /tests/held_out/levels.py; git update-index --refresh"""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Leaky:
    """A task whose fix is `LINE`, made from the repository that gives everything away."""

    host: SandboxHost
    draft: Draft
    rejects: list[Reject]

    def open(self) -> AbstractAsyncContextManager[Box]:
        """The box that an agent gets."""
        draft = self.draft
        return self.host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def task(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Leaky]:
    """Made once for all tests."""
    top: Path = tmp_path_factory.mktemp("leaks")
    at = f"{top / 'wordkit'}@{leaky(top / 'wordkit')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(top / "state"))
        spec = SWEMutations(count=12, repos=[at], operators=("arithmetic_operator",), combined=0, boxes=1)
        async with SANDBOXES[request.param].start() as host, spec.open(host) as maker:
            made = [await maker.make(Slot(index, 0, seed=index), None) for index in range(spec.count)]
            rejects = [each for each in made if isinstance(each, Reject)]
            drafts = [each for each in made if isinstance(each, Draft)]
            assert drafts, [(reject.reason, reject.detail) for reject in rejects]
            draft = next(draft for draft in drafts if f"+    {LINE}" in draft.source.facts["fix"])
            yield Leaky(host, draft, rejects)
        if request.param == "docker":
            take_images_away()


async def said(box: Box, line: str) -> str:
    """What a line prints."""
    return (await box.exec(f"cd /testbed; {line}", timeout=60)).output


async def code_in(box: Box) -> str:
    """The fixed function, compiled by the Python of a box, in hexadecimal digits."""
    await box.push(files({"/tmp/sound.py": SOUND}))
    last = "[x for x in compile(open('/tmp/sound.py').read(), 'x', 'exec').co_consts if hasattr(x, 'co_code')][-1]"
    code, name = (await said(box, f'python3 -c "code = {last}; print(code.co_code.hex(), code.co_name)"')).split()
    assert name == "alarm_level"
    return code


def searching() -> Files:
    """The program that searches a box."""
    return {"/tmp/search.py": File(data=Path(box_search.__file__).read_bytes())}


async def test_no_way_leads_to_the_fix(task: Leaky) -> None:
    async with task.open() as box:
        ways = {**HISTORY, **COPIES, **FACTORY, **BARRED}
        assert [name for name, line in ways.items() if LINE in await said(box, line)] == []
    async with task.open() as other:
        code = await code_in(other)
    async with task.open() as box:
        await box.exec("cd /testbed; python -m pytest -q; python -c 'import wordkit.levels'")
        assert [name for name, line in BYTECODE.items() if code in await said(box, line)] == []
        assert "levels" in await said(box, "find / -name '*.pyc' | grep levels")


async def test_no_way_leads_out(task: Leaky) -> None:
    async with task.open() as box:
        assert [name for name, line in NETWORK.items() if (await box.exec(line, timeout=30)).exit_code == 0] == []


async def test_no_file_of_the_box_holds_the_fixed_function(task: Leaky) -> None:
    """As text, packed, or compiled. What is planted is found, so the search would have found more."""
    async with task.open() as other:
        code = await code_in(other)
    async with task.open() as box:
        await box.push({"/tmp/planted": File(data=gzip.compress(SOUND.encode())), **searching()})
        tops = "/" if isinstance(box, DockerBox) else ":".join(TOPS)
        found = await box.exec(f"python3 /tmp/search.py {tops} {LINE.encode().hex()} {code}", timeout=300)
        *paths, count = found.stdout.decode().splitlines()
    assert paths == ["/tmp/planted"]
    assert int(count.split()[0]) > 500


async def test_what_lay_about_is_gone_and_the_rest_of_the_repository_is_there(task: Leaky) -> None:
    async with task.open() as box:
        there = (await said(box, "git ls-files")).splitlines()
    assert {path for path in there if ".egg-info/" not in path} == {*TREE, "README.md"} - set(LEFT)


async def test_what_could_be_read_off_another_file_is_not_broken(task: Leaky) -> None:
    refused = [reject for reject in task.rejects if reject.reason == "fix_elsewhere"]
    assert {reject.detail for reject in refused} == {"src/wordkit/trends.py has a second copy"}
    assert len(refused) >= 2


@pytest.mark.namespace
async def test_every_way_leads_to_the_fix_where_nobody_took_care() -> None:
    """The ways are real: none is a line that could print nothing anywhere."""
    async with NamespaceSandbox().start() as host, host.open("software_engineering", careless()) as box:
        await box.exec(CARELESS)
        ways = {**HISTORY, **COPIES, **FACTORY}
        assert [name for name, line in ways.items() if LINE not in await said(box, line)] == []
        code = bytecode().hex()
        assert [name for name, line in BYTECODE.items() if code not in await said(box, line)] == []
