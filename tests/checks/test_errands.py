"""What the factory itself does in a box: getting it ready, and carrying off what an attempt left."""

from collections.abc import AsyncIterator

import pytest

from datafactory.checks import prove, verify
from datafactory.errands import carry_off
from datafactory.errors import SandboxError
from datafactory.protocols import SandboxHost
from datafactory.types import Check, Draft, Source, Step, digest_of, files
from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionSandbox

pytestmark = pytest.mark.namespace

MENDS = "printf 'two\\n' > /app/b.txt"


def task(**fields: object) -> Draft:
    """A repository of one file, judged by the patch that the attempt comes to."""
    judge = "cd /app && { [ ! -s /run/p.patch ] || git apply /run/p.patch; } && grep -qx two b.txt"
    given = {
        "prompt": "Say two.",
        "files": files({"/app/b.txt": "one\n"}),
        "prepare": ("git init -q /app && cd /app && git add . && git -c user.name=a -c user.email=b commit -qm c",),
        "collect": ("cd /app && git diff > /run/p.patch",),
        "artifacts": ("/run/p.patch",),
        "checks": (Check(name="says-two", argv=("sh", "-c", judge)),),
        "solution": (Step(command=MENDS),),
        "source": Source(generator="test"),
    }
    return Draft.model_validate({**given, **fields})


@pytest.fixture
async def host() -> AsyncIterator[SandboxHost]:
    """A sandbox that is up."""
    async with NamespaceSandbox().start() as up:
        yield up


async def test_a_draft_with_lines_before_and_after_proves_sound(host: SandboxHost) -> None:
    assert await prove(host, task(), repeats=2) is None


async def test_what_is_collected_is_the_attempt_in_the_clean_box(host: SandboxHost) -> None:
    draft = task()
    async with host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
        await box.exec(MENDS)
        artifacts, note = await carry_off(box, draft)
    assert (list(artifacts), note) == (["/run/p.patch"], "")
    assert (await verify(host, draft, artifacts)).solved
    assert not (await verify(host, draft, {})).solved


async def test_an_agent_that_breaks_its_repository_has_no_artifact_and_breaks_nothing_else(host: SandboxHost) -> None:
    draft = task()
    async with host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
        await box.exec("rm -rf /app/.git; mkdir /run/p.patch")
        artifacts, _ = await carry_off(box, draft)
    assert not (await verify(host, draft, artifacts)).solved


async def test_a_line_that_cannot_get_a_box_ready_is_the_boxs_fault(host: SandboxHost) -> None:
    with pytest.raises(SandboxError, match="getting a box ready: 'false' ended with 1"):
        async with host.open("base", {}, prepare=("true", "false")):
            pass


async def test_a_box_in_which_nothing_runs_is_made_ready_and_emptied_all_the_same() -> None:
    draft = task()
    async with (
        NoExecutionSandbox(inside=NamespaceSandbox()).start() as host,
        host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box,
    ):
        await box.exec(["python3", "-c", "print()"])
        await box.write("/app/b.txt", b"two\n")
        artifacts, _ = await carry_off(box, draft)
    assert [violation.command for violation in box.violations] == ["python3 -c 'print()'"]
    async with NamespaceSandbox().start() as clean:
        assert (await verify(clean, draft, artifacts)).solved


def test_tasks_without_such_lines_keep_the_digests_that_they_had() -> None:
    plain = task(prepare=(), collect=())
    assert plain.content_digest() != task().content_digest()
    shown = plain.model_dump(mode="json", exclude={"source", "prepare", "collect", "question"})
    assert plain.content_digest() == digest_of(shown)
