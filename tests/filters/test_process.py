"""The seven signals of how an attempt was worked out: what drops one, in which words, and what does not."""

from __future__ import annotations

import pytest

from datafactory.types import MALFORMED
from filters.process.debug_residue import DebugResidue
from filters.process.edit_test_loop import EditTestLoop
from filters.process.explore_only import ExploreOnly
from filters.process.forbidden_git import ForbiddenGit
from filters.process.malformed_calls import MalformedCalls
from filters.process.submission import Submission
from filters.process.untested_edit import UntestedEdit
from tests.filters.process_rows import PATCH, Message, bash, call, edit, result, why

FIX = [bash("cat src/core.py"), result("def low"), edit("/testbed/src/core.py"), result(), bash("pytest -q"), result()]
DONE = [*FIX, call("finish", message="done")]
FAILED = result("FAILED tests/test_core.py::test_low\n1 failed, 3 passed\n[exit code 1]")
FAILED_ALL = result(
    "FAILED tests/test_core.py::test_low\nFAILED tests/test_core.py::test_high\n2 failed\n[exit code 1]"
)


def patch(path: str, *added: str, new: bool = False) -> str:
    lines = "".join(f"+{line}\n" for line in added)
    old = "/dev/null" if new else f"a/{path}"
    mode = "new file mode 100644\n" if new else ""
    return f"diff --git a/{path} b/{path}\n{mode}--- {old}\n+++ b/{path}\n@@ -0,0 +1,{len(added)} @@\n{lines}"


def test_work_that_is_finished_as_it_should_be_passes_all_seven() -> None:
    for chosen in (
        DebugResidue(),
        EditTestLoop(),
        ExploreOnly(),
        ForbiddenGit(),
        MalformedCalls(),
        Submission(),
        UntestedEdit(),
    ):
        assert why(chosen, *DONE) is None


def test_an_attempt_that_a_limit_ended_was_not_handed_in() -> None:
    assert why(Submission(), *FIX, stop="turn_limit") == "submission: ended by turn_limit"
    assert why(Submission(unfinished=True), *FIX, stop="turn_limit") is None


def test_what_is_handed_in_is_what_was_worked_on() -> None:
    assert why(Submission(), *DONE, model_patch=" \n") == "submission: the repository was left as it was"
    tests = patch("tests/test_core.py", "assert low(1, 1)")
    alone = "submission: tests alone were changed: tests/test_core.py"
    assert why(Submission(), *DONE, model_patch=tests) == alone
    assert why(Submission(tests_alone=True), edit("tests/test_core.py"), result(), model_patch=tests) is None
    other = patch("setup.cfg", "[metadata]")
    said = "submission: of 1 files that were edited, such as /testbed/src/core.py, none is in the patch"
    assert why(Submission(), *DONE, model_patch=other) == said


def test_attempts_at_other_tasks_are_not_judged_as_if_they_were_at_repositories() -> None:
    for chosen in (Submission(), ForbiddenGit(), ExploreOnly(), UntestedEdit(), DebugResidue()):
        row = {"repo": None, "model_patch": None, "stop": "turn_limit"}
        assert why(chosen, bash("git clone https://github.com/a/b"), result(), **row) is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("git fetch origin", "git fetch origin"),
        ("cd /testbed && git -C . reflog", "git -C . reflog"),
        ("git --no-pager ls-remote; ls", "git --no-pager ls-remote"),
        ("timeout 5 git cherry-pick abc", "git cherry-pick abc"),
    ],
)
def test_git_that_reaches_elsewhere(line: str, shown: str) -> None:
    assert why(ForbiddenGit(), bash(line), result()) == f"forbidden_git: 1 commands, first: {shown}"


@pytest.mark.parametrize("line", ["git diff", "git status; echo fetch", "git log -1", "grep -rn 'git push' docs"])
def test_git_at_work_on_one_commit(line: str) -> None:
    assert why(ForbiddenGit(), bash(line), result()) is None


def test_git_may_be_allowed_some_times_and_asked_of_all_tasks() -> None:
    twice = [bash("git fetch"), result(), bash("git pull"), result()]
    assert why(ForbiddenGit(max_commands=1), *twice) == "forbidden_git: 2 commands > 1, first: git fetch"
    assert why(ForbiddenGit(max_commands=2), *twice) is None
    assert why(ForbiddenGit(all_tasks=True), *twice, repo=None) == "forbidden_git: 2 commands, first: git fetch"


def rounds(*shown: Message) -> list[Message]:
    return [message for seen in shown for message in (edit("src/core.py"), result(), bash("pytest -q"), seen)]


def test_rounds_that_come_no_further() -> None:
    found = why(EditTestLoop(), *rounds(*[FAILED] * 5))
    assert found is not None
    assert found.startswith("edit_test_loop: 4 rounds without progress > 3, the last: ")
    assert why(EditTestLoop(), *rounds(*[FAILED] * 4)) is None
    assert why(EditTestLoop(max_rounds=4), *rounds(*[FAILED] * 5)) is None


def test_a_round_that_fails_less_begins_anew() -> None:
    assert why(EditTestLoop(), *rounds(FAILED_ALL, FAILED_ALL, FAILED_ALL, FAILED, FAILED, FAILED, FAILED)) is None


def test_tests_that_are_run_again_without_an_edit_are_no_round() -> None:
    again = [message for _ in range(6) for message in (bash("pytest -q"), FAILED)]
    assert why(EditTestLoop(), *again) is None


def test_looking_around_is_no_work() -> None:
    look = [
        bash("ls"),
        result("src"),
        bash("grep -rn low src"),
        result("src/core.py:1"),
        bash("cat a > /tmp/b"),
        result(),
    ]
    said = "explore_only: 3 actions, none of which changes a file"
    assert why(ExploreOnly(), *look, model_patch="") == said
    assert why(ExploreOnly(), *look, edit("src/core.py"), result(), model_patch="") is None
    late = why(ExploreOnly(max_before=2), *look, edit("src/core.py"), result())
    assert late == "explore_only: 3 actions before the first change > 2"
    assert why(ExploreOnly(all_tasks=True), *look[:4], repo=None, model_patch=None) == said.replace("3", "2")
    assert why(ExploreOnly(all_tasks=True), bash("make"), result(), repo=None, model_patch=None) is None


def broken(name: str = "execute_bash") -> Message:
    return call(name, **{MALFORMED: "{command: ls"})


def test_calls_that_cannot_be_carried_out() -> None:
    bad = [broken(), result("error"), broken(), result("error")]
    good = [message for _ in range(8) for message in (bash("ls"), result())]
    said = (
        "malformed_calls: 2 of 10 calls are malformed > 0.1, first: the arguments of `execute_bash` were no JSON object"
    )
    assert why(MalformedCalls(), *bad, *good, n_faults=2) == said
    assert why(MalformedCalls(), *bad[:2], *good, n_faults=1) is None
    assert why(MalformedCalls(max_share=0.2), *bad, *good, n_faults=2) is None
    assert why(MalformedCalls(spare=2), *bad, n_faults=2) is None


@pytest.mark.parametrize(
    ("path", "line", "kind"),
    [
        ("src/core.py", "    print(a, b)", "print"),
        ("src/core.py", "import pdb", "debugger"),
        ("src/core.py", "    x = 1; breakpoint()", "debugger"),
        ("src/app.js", "  console.log(x)", "print"),
        ("src/core.py", "    return a  # TODO: negative numbers", "todo"),
    ],
)
def test_what_was_put_in_to_find_the_bug_and_left(path: str, line: str, kind: str) -> None:
    left = why(DebugResidue(), *DONE, model_patch=PATCH + patch(path, line))
    assert left == f"debug_residue: 1 left, first: {kind} in {path}: {line.strip()}"
    assert why(DebugResidue(max_lines=1), *DONE, model_patch=patch(path, line)) is None


def test_scratch_files_are_residue() -> None:
    left = why(DebugResidue(), *DONE, model_patch=patch("reproduce.py", "low(1, 1)", new=True))
    assert left == "debug_residue: 1 left, first: scratch in reproduce.py"
    assert why(DebugResidue(kinds=("todo",)), *DONE, model_patch=patch("reproduce.py", "low(1, 1)", new=True)) is None


@pytest.mark.parametrize(
    "changed",
    [
        patch("tests/test_core.py", "print('x')"),
        patch("docs/usage.md", "print(low(1, 1))"),
        patch("src/cli.py", "    print(result)"),
        PATCH.replace(" def low", " print('hello')\n def low").replace("@@ -1,3 +1,3 @@", "@@ -1,4 +1,5 @@")
        + "+    print(a)\n",
    ],
)
def test_lines_that_belong_there_are_no_residue(changed: str) -> None:
    assert why(DebugResidue(), *DONE, model_patch=changed) is None


def test_an_issue_about_printing_may_be_mended_by_a_print() -> None:
    row = {"model_patch": patch("src/core.py", "    print(a)"), "instruction": "`low` should print its arguments."}
    assert why(DebugResidue(), *DONE, **row) is None


def test_an_edit_that_is_handed_in_is_tested_after_it() -> None:
    late = [*FIX, edit("/testbed/src/core.py", "a <= b", "b >= a"), result()]
    said = "untested_edit: /testbed/src/core.py was edited in message 8, and not tested after that"
    assert why(UntestedEdit(), *late) == said
    assert why(UntestedEdit(), *late, bash("python repro.py"), result()) is None
    assert why(UntestedEdit(programs=False), *late, bash("python repro.py"), result()) == said
    assert why(UntestedEdit(programs=False), *late, bash("python -m pytest tests"), result()) is None


def test_where_nothing_may_be_executed_nothing_need_be_tested() -> None:
    edited = [edit("src/core.py"), result()]
    assert why(UntestedEdit(), *edited) is not None
    assert why(UntestedEdit(), *edited, lineage='{"sandbox": "no_execution"}') is None
    assert why(UntestedEdit(), *edited, edit("README.md"), result(), model_patch=patch("README.md", "x")) is None
