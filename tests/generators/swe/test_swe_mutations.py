"""Tasks made by breaking a repository: proved by its tests, solved by the known fix, and by nothing less."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from datafactory.checks import prove, verify
from datafactory.errands import carry_off
from datafactory.protocols import Maker, SandboxHost, Slot
from datafactory.swe_facts import SweFacts
from datafactory.types import Draft, Reject, Source, Task
from generators.swe.swe_mutations import SWEMutations
from sandboxes.namespace import NamespaceSandbox

COUNTING = '''"""Counts."""


def most_common(words, least=1):
    """The words that are there at least so often, the most frequent first."""
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    kept = [word for word in counts if counts[word] >= least]
    return sorted(kept, key=lambda word: (-counts[word], word))


def between(value, low, high):
    """Whether low <= value < high."""
    if low > high:
        raise ValueError("low is above high")
    return low <= value and value < high


def untested(value):
    """No test runs this."""
    return value + 1
'''
TESTS = """import pytest

from counting import between, most_common


def test_the_most_frequent_comes_first():
    assert most_common(["b", "a", "b"]) == ["b", "a"]


def test_rare_words_are_left_out():
    assert most_common(["b", "a", "b"], least=2) == ["b"]


@pytest.mark.parametrize("value, inside", [(1, True), (2, False), (0, False)])
def test_what_is_between(value, inside):
    assert between(value, 1, 2) is inside


def test_a_range_has_an_order():
    with pytest.raises(ValueError):
        between(1, 2, 1)
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for layers and environments, and the repository beside it."""
    top: Path = tmp_path_factory.mktemp("swe")
    for name, text in {"counting.py": COUNTING, "tests/test_counting.py": TESTS}.items():
        (top / "counting" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / "counting" / name).write_text(text)
    return top


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A repository without tests."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "thing.py").write_text("def thing():\n    return 1\n")
    return tmp_path / "bare"


@asynccontextmanager
async def opened(state: Path, **fields: Any) -> AsyncIterator[tuple[SandboxHost, Maker]]:
    """A sandbox, and the generator ready to make drafts."""
    given = {"count": 8, "repos": [str(state / "counting")], "boxes": 1, **fields}
    async with NamespaceSandbox().start() as host, SWEMutations.model_validate(given).open(host) as maker:
        yield host, maker


async def drafts(maker: Maker, count: int, tries: int = 4) -> tuple[list[Draft], list[Reject]]:
    """What the first slots come to, as the stage fills them."""
    made: list[Draft] = []
    rejects: list[Reject] = []
    for index in range(count):
        for retry in range(tries):
            got = await maker.make(Slot(index, retry, seed=100 * index + retry), None)
            if isinstance(got, Draft):
                made.append(got)
                break
            rejects.append(got)
    return made, rejects


@pytest.mark.namespace
async def test_a_broken_repository_is_a_task_that_its_fix_solves(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    async with opened(state) as (host, maker):
        made, rejects = await drafts(maker, 2)
        again = await maker.make(Slot(0, 0, seed=0), None)
        first = made[0]
        assert len(made) == 2, [(reject.reason, reject.detail) for reject in rejects]
        for draft in made:
            facts = SweFacts.model_validate(draft.source.facts)
            assert facts.fail_to_pass and facts.pass_to_pass
            assert not set(facts.fail_to_pass) & set(facts.pass_to_pass)
            assert facts.held_out == ("tests/test_counting.py",)
            assert await prove(host, draft, repeats=2) is None, facts.patch
        if isinstance(again, Draft):
            assert again.source.facts["patch"] == first.source.facts["patch"]


@pytest.mark.namespace
async def test_what_an_agent_sees_holds_no_trace_of_the_fix(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    async with opened(state) as (host, maker):
        (draft,), _ = await drafts(maker, 1)
        good = [
            line[1:] for line in draft.source.facts["fix"].splitlines() if line.startswith("+") and line[1:2] != "+"
        ]
        async with host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
            commits = await box.exec(
                "git log --all --oneline | wc -l; git status --porcelain; git stash list; git remote"
            )
            assert commits.output.split() == ["1"]
            blobs = await box.exec("git cat-file --batch-all-objects --batch")
            held = await box.exec("cat /testbed/counting.py; find / -xdev -name '*.patch' 2>/dev/null")
            sound = [line for line in good if COUNTING.count(line) == 1 and line.strip()]
            assert not [line for line in sound if line in blobs.output or line in held.output], draft.source.facts[
                "fix"
            ]


@pytest.mark.namespace
async def test_an_attempt_counts_by_its_patch_alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    async with opened(state, reward="rates") as (host, maker):
        (draft,), _ = await drafts(maker, 1)

        async def attempt(line: str) -> float:
            async with host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
                await box.exec(line)
                artifacts, _ = await carry_off(box, draft)
            return (await verify(host, draft, artifacts)).reward

        assert await attempt("true") == 0.0
        assert await attempt(draft.solution[0].command) == 1.0
        assert await attempt(f"{draft.solution[0].command}\ngit add -A && git commit -qm done && rm -rf .git") == 1.0
        assert await attempt("echo 'def test_all(): pass' > tests/test_counting.py") == 0.0
        assert await attempt("rm counting.py") == 0.0


@pytest.mark.namespace
async def test_a_repository_that_cannot_be_set_up_is_told_of_once_and_the_others_fill_in(
    state: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    async with opened(state, count=2, repos=[str(bare), str(state / "counting")]) as (_, maker):
        made, rejects = await drafts(maker, 2)
    assert [reject.reason for reject in rejects if reject.reason.startswith("unfit")] == ["unfit_tests_found"]
    assert len(made) == 2


@pytest.mark.namespace
async def test_a_generator_without_a_repository_gives_its_slots_up(
    state: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    async with opened(state, repos=[str(bare)]) as (_, maker):
        got = await maker.make(Slot(5, 0, seed=0), None)
    assert isinstance(got, Reject) and got.final and got.reason == "unfit_tests_found"


def test_operators_and_repositories_are_checked_before_anything_runs(tmp_path: Path) -> None:
    spec = SWEMutations(count=1, repos=["django==5.0", str(tmp_path / "nowhere/")], operators=("comparison_boundry",))
    said = "\n".join(spec.problems())
    assert "repos[0].at: " in said and "SWE-bench Verified" in said
    assert "repos[1].at: there is no folder" in said
    assert "comparison_boundry" in said


def test_facts_survive_the_task_as_json() -> None:
    facts = SweFacts(instance_id="a__b.0123abcd.kind__1", repo="a__b", fail_to_pass=("t",), pass_to_pass=("u",))
    source = Source(generator="swe_mutations", facts=facts.model_dump(mode="json"))
    assert Task.model_fields["source"].annotation is Source
    assert SweFacts.model_validate(json.loads(source.model_dump_json())["facts"]) == facts
