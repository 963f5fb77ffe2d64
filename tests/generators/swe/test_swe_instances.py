"""Instances of others run here: their fix resolves them, nothing does not, and their tests are held to their word."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from datafactory.checks import verify
from datafactory.formats.instances import Instance
from datafactory.protocols import Maker, SandboxHost, Slot
from datafactory.swe_facts import PATCH, SweFacts
from datafactory.types import Draft, File, Reject
from generators.swe.environment import Environment
from generators.swe.known.fixes import Proven
from generators.swe.known.foreign import FORGE, agreed, place_of
from generators.swe.mutations import diff
from generators.swe.proving.validation import Valid
from generators.swe.sources import Checkout, Repository
from generators.swe.swe_instances import SWEInstances
from generators.swe.testing import TestResult
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.conftest import Mended
from tests.generators.swe.fixed import COUNTING
from tests.generators.swe.sources.made import git

NO_FILES = Checkout(Repository(at="./none"), "none", "", "", "", {}, "")
COUNTED = "tests/test_counting.py::"
LIMIT = f"{COUNTED}test_the_limit_is_out"
PASS = [f"{COUNTED}test_inside", f"{COUNTED}test_outside", "tests/test_legacy.py::test_total_of_nothing_is_odd"]


def bench_row(mended: Mended, **other: Any) -> dict[str, Any]:
    """A row of SWE-bench's form: the fix of the limit."""
    fix = mended.fixes["limit"]

    def changes(*paths: str) -> str:
        return git(mended.folder, "diff", f"{fix}^", fix, "--", *paths) + "\n"

    return {
        "repo": "who/counting",
        "instance_id": "who__counting-7",
        "base_commit": git(mended.folder, "rev-parse", f"{fix}^"),
        "patch": changes("counting.py", "CHANGES.md"),
        "test_patch": changes("tests"),
        "problem_statement": "The limit is counted in",
        "hints_text": "see there",
        "created_at": "2024-05-02T00:00:00Z",
        "version": "1.0",
        "FAIL_TO_PASS": json.dumps([LIMIT]),
        "PASS_TO_PASS": json.dumps(PASS),
        **other,
    }


def smith_row(mended: Mended) -> dict[str, Any]:
    """A row of SWE-smith's form, whose patch breaks a sound commit."""
    base = git(mended.folder, "rev-parse", f"{mended.fixes['limit']}^")
    broken = COUNTING.replace("low <= value <= high", "low > value")
    return {
        "repo": f"swesmith/who__counting.{base[:8]}",
        "instance_id": f"who__counting.{base[:8]}.func_pm__abc",
        "patch": diff("counting.py", COUNTING.encode(), broken.encode()).decode(),
        "FAIL_TO_PASS": [PASS[0]],
        "PASS_TO_PASS": PASS[1:],
        "problem_statement": "",
    }


def written(folder: Path, *rows: Mapping[str, Any]) -> Path:
    """A file of rows."""
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@asynccontextmanager
async def opened(mended: Mended, path: Path, **fields: Any) -> AsyncIterator[tuple[SandboxHost, Maker]]:
    """A sandbox, and the generator ready to make drafts; the repositories are a folder's."""
    given = {"path": path, "where": {"who/counting": str(mended.folder)}, "repeats": 2, "boxes": 1, **fields}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(mended.state))
        async with NamespaceSandbox().start() as host, SWEInstances.model_validate(given).open(host) as maker:
            yield host, maker


async def make(maker: Maker, index: int) -> Draft | Reject:
    """What comes of a row."""
    return await maker.make(Slot(index, 0, seed=index), None)


@pytest.mark.namespace
async def test_rows_of_either_kind_are_tasks_that_their_fix_resolves(set_up_already: Mended, tmp_path: Path) -> None:
    bench, smith = bench_row(set_up_already), smith_row(set_up_already)
    async with opened(set_up_already, written(tmp_path, bench, smith)) as (host, maker):
        first, second = await make(maker, 0), await make(maker, 1)
        assert isinstance(first, Draft) and isinstance(second, Draft), (first, second)
        for draft in (first, second):
            fixed = {PATCH: File(data=draft.source.facts["fix"].encode())}
            assert (await verify(host, draft, fixed)).reward == 1.0 and (await verify(host, draft, {})).reward == 0.0
        facts = SweFacts.model_validate(first.source.facts)
        assert (first.prompt, facts.fix, facts.patch) == (bench["problem_statement"], bench["patch"], "")
        same = ("instance_id", "base_commit", "test_patch", "hints_text", "created_at", "version")
        assert {key: getattr(facts, key) for key in same} == {key: bench[key] for key in same}
        assert (facts.repo, facts.fail_to_pass, facts.pass_to_pass) == ("who__counting", (LIMIT,), tuple(PASS))
        facts = SweFacts.model_validate(second.source.facts)
        assert facts.patch == smith["patch"] and "+    return low <= value <= high" in facts.fix
        assert "between" in second.prompt and "low <= value" not in second.prompt  # the row says nothing itself
        async with host.open(first.image, first.files, workdir=first.workdir, prepare=first.prepare) as box:
            seen = await box.exec("cat tests/test_counting.py counting.py; ls CHANGES.md; git log --oneline | wc -l")
            assert "the_limit" not in seen.output and "value <= high" in seen.output
            assert "No such file" in seen.output and seen.stdout.endswith(b"\n1\n")


@pytest.mark.namespace
async def test_tests_are_held_to_their_word_unless_they_are_found_anew(set_up_already: Mended, tmp_path: Path) -> None:
    wrong = bench_row(set_up_already, FAIL_TO_PASS=[LIMIT, PASS[0], f"{COUNTED}test_nowhere"], PASS_TO_PASS=[])
    silent = bench_row(set_up_already, FAIL_TO_PASS=[PASS[0]], PASS_TO_PASS=[LIMIT])
    path = written(tmp_path, wrong, silent)
    async with opened(set_up_already, path) as (_, maker):
        got, other = await make(maker, 0), await make(maker, 1)
    assert isinstance(got, Reject) and isinstance(other, Reject) and got.reason == other.reason == "tests_disagree"
    assert got.detail == f"{COUNTED}test_nowhere not there; {PASS[0]} pass without it"
    assert other.detail == f"{PASS[0]} pass without it; {LIMIT} fail without it, and should not"
    async with opened(set_up_already, path, recompute=True) as (_, maker):
        found = await make(maker, 0)
    assert isinstance(found, Draft)
    assert found.source.facts["fail_to_pass"] == [LIMIT] and found.source.facts["pass_to_pass"] == PASS


@pytest.mark.namespace
async def test_rows_that_cannot_be_tasks_say_why(set_up_already: Mended, tmp_path: Path) -> None:
    unfit = bench_row(
        set_up_already, test_patch=bench_row(set_up_already)["test_patch"].replace(" def test_", " def toast_")
    )
    rows = {
        "patch_does_not_fit": unfit,
        "unknown_repo": bench_row(set_up_already, repo="who/else"),
        "excluded": bench_row(set_up_already, repo="who/django"),
        "unfit_git": bench_row(set_up_already, base_commit="0" * 40),
        "no_bug": bench_row(set_up_already, patch=bench_row(set_up_already)["test_patch"]),
        "no_test_fails": bench_row(set_up_already, test_patch=""),
    }
    async with opened(set_up_already, written(tmp_path, *rows.values())) as (_, maker):
        got = [await make(maker, index) for index in range(len(rows) + 1)]
    told = {reject.reason: reject.detail for reject in got if isinstance(reject, Reject)}
    assert list(told) == [*rows, "no_rows_left"]
    assert told["patch_does_not_fit"].startswith("test_patch: ")
    assert "SWE-bench Verified" in told["excluded"] and "has no commit" in told["unfit_git"]


def test_an_id_that_was_cut_at_a_blank_stands_for_all_that_begin_so() -> None:
    tests = ("t.py::test_a[x 1]", "t.py::test_a[x 2]", "t.py::test_b[y 1]", "t.py::test_c")
    environment = Environment.model_construct(tests=tests, flaky=("t.py::test_d[z 1]",), failing={})
    valid = Valid(tests[:1], tests[1:], (TestResult(id=tests[0], outcome="failed"),))
    proven = Proven(NO_FILES, environment, valid, {}, (), ())

    def said(failing: tuple[str, ...], passing: tuple[str, ...]) -> Valid | str:
        row = Instance(instance_id="a", repo="b/c", patch="d", fail_to_pass=failing, pass_to_pass=passing)
        got = agreed(row, proven)
        return got if isinstance(got, Valid) else got.detail

    assert said(("t.py::test_a[x",), ("t.py::test_b[y", "t.py::test_c")) == valid
    assert said((tests[0],), ("t.py::test_c",)) == Valid(tests[:1], tests[3:], valid.failing)
    assert said((tests[0],), ("t.py::test_a[x",)) == "t.py::test_a[x fail without it, and should not"
    assert said((tests[0],), ("t.py::test_d[z",)) == "t.py::test_d[z not sure to pass with the fix"
    assert said((), ("t.py::test_c",)) == "FAIL_TO_PASS is empty"


def test_where_rows_are_looked_for() -> None:
    row = {"instance_id": "a", "patch": "x", "fail_to_pass": (), "pass_to_pass": ()}

    def place(repo: str, where: str | dict[str, str] = FORGE, **more: str) -> str:
        got = place_of(Instance(repo=repo, **row, **more), where)  # type: ignore[arg-type]
        return got.at if isinstance(got, Repository) else got.reason

    commit = "0123456789" * 4
    assert place("a/b", base_commit=commit) == f"https://github.com/a/b@{commit}"
    assert place("a/b", "clones/{name}", base_commit=commit) == f"clones/b@{commit}"
    assert place("swesmith/a__b.01234567", {"a/b": "git@host:a/b"}) == "ssh://git@host/a/b@01234567"
    assert place("toolz", version="1.1.0") == "toolz==1.1.0"
    assert place("../../b") == place("a/b", {}) == place("a/b", base_commit="x y") == "unknown_repo"
    assert place("a/requests", base_commit=commit) == "excluded"


def test_the_file_is_looked_at_before_anything_runs(mended: Mended, tmp_path: Path) -> None:
    path = written(tmp_path, bench_row(mended), bench_row(mended))
    assert SWEInstances(path=path).count == 2 and list(SWEInstances(path=path).inputs()) == [path]
    listed = tmp_path / "rows.json"
    listed.write_text(json.dumps([bench_row(mended)]))
    assert SWEInstances(path=listed).count == 1
    (tmp_path / "none.jsonl").touch()
    for given, said in (
        ({"path": path, "count": 3}, "3 tasks wanted, but .* holds 2"),
        ({"path": tmp_path / "no.jsonl"}, "No such file"),
        ({"path": tmp_path / "none.jsonl"}, "holds no rows"),
    ):
        with pytest.raises(ValidationError, match=said):
            SWEInstances.model_validate(given)
