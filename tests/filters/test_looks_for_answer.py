"""What counts as looking for the answer, and what does not."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.swe.looking import KINDS, Scan
from filters.swe.looking.lines import commands
from filters.swe.looking.packages import names_of
from filters.swe.looks_for_answer import LooksForAnswer, signs
from tests.filters import looking_lines_later as later
from tests.filters.looking_lines import HARMLESS, LOOKING
from tests.generators.swe.leaks.ways import BARRED, BYTECODE, COPIES, FACTORY, HISTORY, NETWORK
from tests.sandboxes.no_execution_honest import HONEST

HELD_OUT = ("toolz/tests/test_itertoolz.py",)
CASES = [(kind, line) for kind, lines in LOOKING.items() for line in lines]


def kinds(*lines: str) -> list[str]:
    """The kinds of signs in the lines of one attempt."""
    scan = Scan(names_of("pytoolz__toolz"), HELD_OUT)
    return [sign.kind for line in lines for sign in scan.line(line)]


def said(name: str, **arguments: object) -> str:
    """An answer with one tool call, as it lies in the table."""
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return json.dumps({"role": "assistant", "content": "", "tool_calls": [call]})


def of(*messages: str, repo: str = "toolz") -> list[str]:
    return [sign.kind for sign in signs(messages, repo, HELD_OUT)]


def test_every_kind_has_lines_and_there_are_many():
    assert tuple(LOOKING) == KINDS
    assert len(CASES) >= 80
    assert len(HARMLESS) >= 60


@pytest.mark.parametrize(("kind", "line"), CASES, ids=[line for _, line in CASES])
def test_a_line_that_looks_for_the_answer_is_seen(kind, line):
    assert kind in kinds(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_is_left_alone(line):
    assert kinds(line) == []


def test_the_lines_that_the_sandbox_without_execution_lets_pass_are_left_alone():
    flagged = {line: found for line in HONEST if (found := kinds(line))}
    assert flagged == {}


def test_lines_that_were_written_later_are_told_apart_too():
    def flagged(line: str) -> bool:
        return any(Scan(names_of(later.REPO), later.HELD_OUT).line(line))

    assert [line for line in later.LOOKING if not flagged(line)] == []
    assert [line for line in later.HARMLESS if flagged(line)] == []
    assert [line for line in later.MISSED if flagged(line)] == [], "seen now: say so in docs/swe-filters.md"


def test_a_file_is_known_from_the_folder_that_the_shell_is_in():
    assert kinds("cd toolz/tests", "rm test_itertoolz.py") == ["test_edits"]
    assert kinds("cd /tmp", "rm test_itertoolz.py") == []


def test_work_that_the_agent_laid_by_itself_may_be_taken_back():
    assert kinds("git stash -q", "pytest -q", "git stash pop") == []
    assert kinds("git stash pop", "git stash") == ["git_history"]


def test_without_a_repository_no_package_is_the_one_under_repair():
    assert list(Scan().line("pip install toolz")) == []
    assert [sign.kind for sign in Scan().line("pip download toolz")] == ["package_download"]


@pytest.mark.parametrize(
    ("repo", "line"),
    [
        ("python-dateutil", "pip install dateutil"),
        ("dateutil/dateutil", "pip install -U dateutil"),
        ("pallets__markup_safe", "pip install Markup.Safe"),
        ("ruamel.yaml", "cat /opt/env/lib/python3.11/site-packages/ruamel_yaml/main.py"),
    ],
)
def test_a_package_is_known_by_its_names(repo, line):
    assert list(Scan(names_of(repo)).line(line))


def test_calls_of_every_dialect_are_read():
    terminus = {"analysis": "", "plan": "", "commands": [{"keystrokes": "git reflog\n", "duration": 1}]}
    assert of(said("execute_bash", command="git reflog")) == ["git_history"]
    assert of(said("bash", command="git fetch")) == ["git_remote"]
    assert of(json.dumps({"role": "assistant", "content": json.dumps(terminus)})) == ["git_history"]
    wire = {"name": "execute_bash", "arguments": '{"command": "cat /tests/x"}'}
    assert of(json.dumps({"role": "assistant", "tool_calls": [{"function": wire}]})) == ["factory_files"]
    assert of(json.dumps({"role": "tool", "content": "git reflog; the assistant"})) == []


def test_the_editor_opens_files_too():
    view = {"command": "view"}
    site = "/opt/env/lib/python3.11/site-packages"
    assert of(said("str_replace_editor", path="/tests/test_x.py", **view)) == ["factory_files"]
    assert of(said("str_replace_editor", path=f"{site}/toolz/itertoolz.py", **view)) == ["installed_copy"]
    assert of(said("str_replace_editor", path="/testbed/.git/packed-refs", **view)) == ["git_history"]
    assert of(said("str_replace_editor", path=f"/testbed/{HELD_OUT[0]}", **view)) == []
    edit = said("str_replace_editor", command="str_replace", path=f"/testbed/{HELD_OUT[0]}", old_str="a")
    assert of(edit) == ["test_edits"]
    assert of(said("str_replace_editor", path=f"{site}/pytest.py", **view)) == []


def test_the_filter_names_the_kind_and_the_command():
    rows = pl.LazyFrame(
        {
            "messages": [
                [said("bash", command="ls\ngit  reflog")],
                [said("bash", command="git diff")],
                [said("bash", command="git reflog")],
            ],
            "repo": ["toolz", "toolz", ""],
            "held_out": [list(HELD_OUT), [], []],
        }
    )

    def reasons(filter: LooksForAnswer) -> list[str | None]:
        return rows.select(why=filter.reject(rows)).collect(engine="streaming")["why"].to_list()

    assert reasons(LooksForAnswer()) == ["looks_for_answer: git_history: ls git reflog", None, None], (
        "the last has no repository"
    )
    assert reasons(LooksForAnswer(allow=("git_history",))) == [None, None, None]


pieces = st.sampled_from(
    ["git", "log", "'", '"', "$(", ")", "<<EOF", "\n", "EOF", "|", "`", "pip", "-c", "\0", "é", " "]
)


@settings(max_examples=150, deadline=None)
@given(line=st.lists(pieces, max_size=12).map("".join) | st.text(max_size=40))
def test_no_line_breaks_the_scanner(line):
    assert all(command.words and command.words[0] for command in commands(line))
    assert set(kinds(line)) <= set(KINDS)


def test_most_ways_that_boxes_close_are_seen_and_the_others_are_known():
    ways = HISTORY | COPIES | FACTORY | BYTECODE | BARRED | NETWORK
    lines = {name: f"cd /testbed; {line}" if name not in NETWORK else line for name, line in ways.items()}
    unseen = {name for name, line in lines.items() if not of(said("execute_bash", command=line), repo="o__wordkit")}
    assert unseen == {
        "the module that is imported", "other Pythons", "what processes hold open", "roots of processes",
        "folders of processes", "below the overlay", "below the folder", "curl", "a name", "an address", "a datagram",
        "the machine's own ports", "the gateway",
    }  # fmt: skip
    assert len(ways) - len(unseen) >= 70
