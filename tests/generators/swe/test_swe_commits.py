"""Fixes out of a history: found by their files, proved by their tests, and nothing of them is in the box."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from datafactory.checks import verify
from datafactory.errands import carry_off
from datafactory.formats.swe_instances import to_swe_bench
from datafactory.protocols import SandboxHost, Slot
from datafactory.swe_facts import SweFacts
from datafactory.types import Draft, Files, Reject, Task
from generators.swe.known.commits import find_fixes, hints
from generators.swe.known.commits.grounds import nearest
from generators.swe.sources import History, Repository, fetch_history
from generators.swe.swe_commits import SWECommits
from generators.swe.swe_instances import SWEInstances
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.conftest import Mended
from tests.generators.swe.fixed import ADDRESS, AUTHOR, step
from tests.generators.swe.sources.made import git

NEWEST_FIRST = ["idle", "deletes", "adds", "limit"]


def looked(at: str, cache: Path, **more: int | tuple[str, ...]) -> tuple[History, list[str], Counter[str]]:
    """The history, the fixes that it has, newest first, and what else."""
    history = fetch_history(Repository(at=at), cache, 101)
    found = find_fixes(history, **{"most": 100, "most_files": 5, "most_lines": 200, **more})  # type: ignore[arg-type]
    return history, [fix.commit.id for fix in found.fixes], found.others


def test_fixes_are_commits_that_change_code_and_tests(mended: Mended, tmp_path: Path) -> None:
    all_of_them = [mended.fixes[name] for name in NEWEST_FIRST]
    _, fixes, others = looked(str(mended.folder), tmp_path)
    assert fixes == all_of_them
    assert others == {"without code": 3}
    _, elsewhere, _ = looked(f"{mended.folder.as_uri()}@main", tmp_path)
    assert elsewhere == all_of_them
    assert looked(str(mended.folder), tmp_path, most=2)[1] == all_of_them[:2]
    assert looked(f"{mended.folder}@{mended.fixes['limit']}", tmp_path)[1] == [mended.fixes["limit"]]


def test_fixes_have_bounds(mended: Mended, tmp_path: Path) -> None:
    _, fixes, others = looked(str(mended.folder), tmp_path, most_files=1)
    assert fixes == [mended.fixes["idle"], mended.fixes["limit"]] and others["too large"] == 2
    assert looked(str(mended.folder), tmp_path, most_lines=2)[1] == [mended.fixes["idle"], mended.fixes["limit"]]
    assert looked(str(mended.folder), tmp_path, paths=("words.py",))[1] == [mended.fixes["adds"]]


def test_an_address_is_asked_for_no_more_of_its_history_than_is_looked_at(mended: Mended, tmp_path: Path) -> None:
    history = fetch_history(Repository(at=mended.folder.as_uri()), tmp_path, 3)
    assert len(history.commits(100)) == 2  # of three, the last one's parent is not there
    assert [commit.id for commit in history.commits(2)] == [mended.fixes["idle"], mended.fixes["deletes"]]


def test_one_set_up_serves_all_that_require_the_same(mended: Mended, tmp_path: Path) -> None:
    folder = tmp_path / "counting"
    git(mended.folder.parent, "clone", "-q", str(mended.folder), str(folder))
    told = {"pyproject.toml": "[tool.pytest.ini_options]\n"}
    step(folder, "Tell how to test", told, day=9)
    wrong = (folder / "counting.py").read_text()
    more = {"tests/test_new.py": "def test_new(): pass\n"}
    last = step(folder, "Mend", {"counting.py": wrong.replace("<=", "<"), **more}, day=10)
    history, fixes, _ = looked(str(folder), tmp_path)
    found = find_fixes(history, most=100, most_files=5, most_lines=200).fixes
    near = nearest(history, found)
    before = [git(folder, "rev-parse", f"{fix}^") for fix in fixes]
    assert fixes[0] == last
    assert near == {before[0]: before[0], **dict.fromkeys(before[1:], before[-1])}


def test_a_message_tells_neither_who_wrote_it_nor_the_fix() -> None:
    people = (AUTHOR, ADDRESS)
    said = f"Mend sums\n\nThey began at 1.\n\nReported-by: Somebody <x@y.example>\nCo-authored-by: {AUTHOR} <{ADDRESS}>"
    assert hints(said, people, lambda text: None) == "Mend sums\n\nThey began at 1."
    assert hints("Mend sums, for x@y.example and @somebody", people, lambda text: None) == "Mend sums, for  and"
    assert hints(f"Mend sums as {AUTHOR} said", people, lambda text: None) == ""
    assert hints("Replace 1 by 0", people, lambda text: "it speaks of the fix") == ""


def test_packages_have_no_history() -> None:
    (problem,) = SWECommits(count=1, repos=["toolz==1.1.0"]).problems()
    assert problem == "repos[0].at: toolz==1.1.0 is a package, which has no history; name a git repository"


def test_another_commit_at_a_path_is_another_input(mended: Mended, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(mended.folder), "one")
    git(tmp_path, "clone", "-q", "--bare", str(mended.folder), "bare.git")

    def seen(at: str) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in SWECommits(count=1, repos=[at]).inputs()}

    before = seen(f"{tmp_path}/one")
    step(tmp_path / "one", "Go on", {"README.md": "On.\n"}, day=11)
    assert before and seen(f"{tmp_path}/one") != before
    assert {path.name for path in seen(f"{tmp_path}/bare.git")} == {"HEAD", "packed-refs"}
    assert not seen(f"{tmp_path}/one@main") and not seen(f"{tmp_path}/nowhere")


def test_a_repository_without_fixes_is_told_of_and_one_that_is_none(tmp_path: Path) -> None:
    step_in = tmp_path / "bare"
    step_in.mkdir()
    git(step_in, "init", "-q")
    step(step_in, "Begin", {"thing.py": "def thing(): ...\n"}, day=1)
    step(step_in, "Go on", {"thing.py": "def thing(): return 1\n"}, day=2)
    (tmp_path / "none").mkdir()
    spec = SWECommits(count=2, repos=[str(step_in), str(tmp_path / "none")])

    async def told() -> list[Draft | Reject]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
            async with spec.open(NoHost()) as maker:
                return [await maker.make(Slot(index, 0, seed=0), None) for index in range(2)]

    first, second = asyncio.run(told())
    assert isinstance(first, Reject) and first.final and first.reason == "unfit_no_fixes"
    assert first.detail.endswith("1 commits that are no merges: 0 change code and tests; 1 without tests")
    assert isinstance(second, Reject) and second.reason == "unfit_git" and "is no git repository" in second.detail


class NoHost:
    """A sandbox that nothing asks for a box."""

    def open(self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()) -> NoReturn:
        """Not to be called."""
        raise AssertionError(image)

    def image_digest(self, image: str) -> str:
        """Not to be called."""
        raise AssertionError(image)


@dataclass(frozen=True)
class Mined:
    """What the generator makes of the history."""

    host: SandboxHost
    slots: dict[str, Draft | Reject]
    """By what the fix does; ``behind``: the slot behind the last."""

    def draft(self, name: str) -> Draft:
        """The task of a fix."""
        made = self.slots[name]
        assert isinstance(made, Draft), made
        return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mined(set_up_already: Mended) -> AsyncIterator[Mined]:
    """All slots, in a sandbox that is up still."""
    spec = SWECommits(count=4, repos=[str(set_up_already.folder)], repeats=2, boxes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(set_up_already.state))
        async with NamespaceSandbox().start() as host, spec.open(host) as maker:
            names = enumerate([*NEWEST_FIRST, "behind"])
            yield Mined(host, {name: await maker.make(Slot(n, 0, seed=n), None) for n, name in names})


in_module = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.namespace
@in_module
async def test_fixes_are_tasks_that_the_fix_solves(mined: Mined, mended: Mended) -> None:
    for name, failing in {
        "limit": {"tests/test_counting.py::test_the_limit_is_out"},
        "adds": {"tests/long/test_words.py::test_longest", "tests/long/test_words.py::test_by_length"},
        "deletes": {"tests/test_counting.py::test_total"},
    }.items():
        draft = mined.draft(name)
        facts = SweFacts.model_validate(draft.source.facts)
        parent = git(mended.folder, "rev-parse", f"{mended.fixes[name]}^")
        assert facts.instance_id == f"counting.{parent[:8]}.commit__{mended.fixes[name][:8]}"
        assert (facts.base_commit, facts.patch, facts.problem_statement) == (parent, "", draft.prompt)
        assert set(facts.fail_to_pass) == failing and "tests/test_counting.py::test_inside" in facts.pass_to_pass


@pytest.mark.namespace
@in_module
async def test_patches_of_a_task_are_those_of_its_commit(mined: Mined, mended: Mended, tmp_path: Path) -> None:
    for name in ("limit", "adds", "deletes"):
        folder = tmp_path / name
        git(mended.folder.parent, "clone", "-q", str(mended.folder), str(folder))
        facts = mined.draft(name).source.facts
        git(folder, "checkout", "-q", facts["base_commit"])
        for patch in (facts["fix"], facts["test_patch"]):
            (tmp_path / "patch").write_text(patch)
            git(folder, "apply", "--index", str(tmp_path / "patch"))
        left = git(folder, "diff", "--cached", "--name-only", mended.fixes[name])
        assert left == ("CHANGES.md" if name == "limit" else "")  # prose is no part of a fix
    limit = mined.draft("limit").source.facts
    assert limit["created_at"] == "2024-05-02T10:00:00+00:00"
    assert limit["hints_text"] == "Leave the upper limit of a range out\n\nIt was counted in."


@pytest.mark.namespace
@in_module
async def test_an_agent_finds_the_parent_and_nothing_that_came_later(mined: Mined, mended: Mended) -> None:
    for name, later in {
        "limit": ["The limit is out", "def test_the_limit", "value < high\n"],
        "adds": ["def by_length", "def test_longest"],
        "deletes": ["return sum(", "def test_total("],
    }.items():
        draft = mined.draft(name)
        async with mined.host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
            commits = await box.exec(
                "git log --all --oneline | wc -l; git status --porcelain; git remote; git stash list"
            )
            assert commits.output.split() == ["1"]
            held = await box.exec("git ls-files -s | cut -d' ' -f2- | sed 's/ 0\t/ /'")
            blobs = git(mended.folder, "ls-tree", "-r", "--format=%(objectname) %(path)", f"{mended.fixes[name]}^")
            assert held.stdout.decode().split("\n")[:-1] == blobs.split("\n"), name
            objects = await box.exec("git cat-file --batch-all-objects --batch; cat /run/base.git/logs/HEAD")
            assert not [text for text in later if text in objects.output], name
            assert AUTHOR not in objects.output and mended.fixes[name] not in objects.output
        told = draft.model_dump_json()
        assert AUTHOR not in told and ADDRESS not in told


@pytest.mark.namespace
@in_module
async def test_an_attempt_is_judged_by_tests_that_it_never_saw(mined: Mined) -> None:
    draft = mined.draft("deletes")
    assert {"tests/test_legacy.py"}.isdisjoint(draft.source.facts["held_out"])

    async def attempt(line: str) -> float:
        async with mined.host.open(draft.image, draft.files, workdir=draft.workdir, prepare=draft.prepare) as box:
            await box.exec(line)
            artifacts, _ = await carry_off(box, draft)
        return (await verify(mined.host, draft, artifacts)).reward

    assert await attempt("true") == 0.0
    assert await attempt(draft.solution[0].command) == 1.0
    assert await attempt("rm -r tests && sed -i s/==/!=/ tests/test_counting.py") == 0.0
    assert await attempt("sed -i 's/result = 1/result = 0/' legacy.py") == 1.0  # another fix than the known one


@pytest.mark.namespace
@in_module
async def test_a_commit_that_mends_nothing_is_told_why(mined: Mined, mended: Mended) -> None:
    idle, behind = mined.slots["idle"], mined.slots["behind"]
    assert isinstance(idle, Reject) and idle.reason == "no_test_fails" and not idle.final
    assert idle.what is not None and idle.what["commit"] == mended.fixes["idle"]
    assert isinstance(behind, Reject) and behind.reason == "no_more_fixes" and behind.final
    assert "4 change code and tests; 3 without code" in behind.detail


@pytest.mark.namespace
@in_module
async def test_a_task_that_was_exported_comes_back_as_the_same_task(
    mined: Mined, set_up_already: Mended, tmp_path: Path
) -> None:
    ours = mined.draft("limit")
    facts = SweFacts.model_validate(ours.source.facts)
    row = to_swe_bench(Task(**dict(ours), id="swe_commits-3", digest=ours.content_digest()), facts)
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    where = {"counting": str(set_up_already.folder)}
    spec = SWEInstances(path=tmp_path / "rows.jsonl", where=where, repeats=2, boxes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(set_up_already.state))
        async with spec.open(mined.host) as maker:
            again = await maker.make(Slot(0, 0, seed=0), None)
    assert isinstance(again, Draft), again
    assert again.but(skills=ours.skills).content_digest() == ours.content_digest()
    assert {**SweFacts.model_validate(again.source.facts).model_dump(), "bug_kind": "commit"} == facts.model_dump()
