"""Rows of math, code and SWE data sets become drafts, and what cannot is told with file and line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from datafactory.errors import DataError
from datafactory.formats.unified_diff import DiffError, patched
from datafactory.pipeline import load
from datafactory.protocols import Slot
from datafactory.types import Draft, Reject
from generators.terminal_adapters import TerminalAdapters

DATA = Path(__file__).parents[1] / "data"


async def made(adapter: TerminalAdapters, index: int = 0, retry: int = 0) -> Draft:
    draft = await adapter.make(Slot(index, retry, 7))
    assert isinstance(draft, Draft), draft
    return draft


async def refused(adapter: TerminalAdapters, index: int = 0, retry: int = 0) -> Reject:
    reject = await adapter.make(Slot(index, retry, 7))
    assert isinstance(reject, Reject), reject
    return reject


def lines(folder: Path, *rows: object) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return file


async def test_a_word_problem_keeps_its_text_and_hides_its_answer() -> None:
    draft = await made(TerminalAdapters(path=DATA / "gsm8k_20.jsonl", license="MIT"))
    assert draft.prompt.startswith("Natalia sold clips to 48 of her friends")
    assert "72" not in draft.prompt and "/app/answer.txt" in draft.prompt
    assert draft.source.item == "gsm8k_20.jsonl:1" and draft.source.license == "MIT"


async def test_the_reference_solution_works_the_problem_out() -> None:
    draft = await made(TerminalAdapters(path=DATA / "gsm8k_20.jsonl"))
    assert [step.command for step in draft.solution] == [
        "python3 -c 'print(48/2)'",
        "python3 -c 'print(f\"{48+24:.12g}\")' > /app/answer.txt\ncat /app/answer.txt",
    ]
    assert draft.source.facts["worked"] is True


async def test_a_working_that_does_not_arrive_is_said_to_be_none(tmp_path: Path) -> None:
    path = lines(tmp_path, {"question": "How many?", "answer": "It is <<10/3=3>>3 each.\n#### 3"})
    draft = await made(TerminalAdapters(path=path))
    assert draft.source.facts["worked"] is False
    assert [step.command for step in draft.solution] == ["echo 3 > /app/answer.txt"]


@pytest.mark.parametrize("expression", ["9**9**9", "__import__('os')", "1/0", "5 5", "x+1"])
async def test_an_annotation_that_is_no_plain_arithmetic_is_never_run(tmp_path: Path, expression: str) -> None:
    path = lines(tmp_path, {"question": "How many?", "answer": f"So <<{expression}=4>>4.\n#### 4"})
    assert all(expression not in step.command for step in (await made(TerminalAdapters(path=path))).solution)


async def test_an_answer_that_is_no_number_is_rejected_with_its_row(tmp_path: Path) -> None:
    row = {"question": "Who?", "answer": "#### Ada"}
    reject = await refused(TerminalAdapters(path=lines(tmp_path, row)))
    assert (reject.reason, reject.what, reject.generator) == ("no_number", row, "terminal_adapters")


async def test_a_function_task_shows_the_stub_and_keeps_test_and_solution_away() -> None:
    draft = await made(TerminalAdapters(path=DATA / "humaneval_20.jsonl.gz"))
    assert "def has_close_elements" in draft.prompt and "abs(elem - elem2)" not in draft.prompt
    assert "candidate(" not in draft.prompt and draft.files == {}
    assert draft.source.item == "HumanEval/0"


async def test_an_issue_brings_its_buggy_files_and_a_patch_in_either_direction_mends_them() -> None:
    adapter = TerminalAdapters(path=DATA / "swe_3.jsonl")
    drafts = [await made(adapter, index) for index in range(3)]
    assert len({draft.solution[-1].command for draft in drafts}) == 1, "three forms of one repair"
    assert all("start < merged" in d.files["/app/spans/merge.py"].text for d in drafts)
    assert all("start <= merged" in d.solution[-1].command for d in drafts)
    assert not any("test_merge" in path for d in drafts for path in d.files)


async def test_a_patch_that_does_not_fit_its_files_is_rejected(tmp_path: Path) -> None:
    row = json.loads((DATA / "swe_3.jsonl").read_text().splitlines()[0])
    row["files"]["spans/merge.py"] = row["files"]["spans/merge.py"].replace("merged = []", "merged = list()")
    assert (await refused(TerminalAdapters(path=lines(tmp_path, row)))).reason == "patch_does_not_fit"


@pytest.mark.parametrize(
    ("test", "by"),
    [
        ("def test_a():\n    pass", "plain_tests.py"),
        ("import unittest\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        pass", "plain_tests.py"),
        ("def test_a(tmp_path):\n    pass", "-m pytest"),
        ("async def test_a():\n    pass", "-m pytest"),
        ("class TestA:\n    def test_a(self):\n        pass", "-m pytest"),
        ("import pytest\ndef test_a():\n    pass", "-m pytest"),
        ("def setup_module():\n    pass", "-m pytest"),
    ],
)
async def test_only_tests_that_need_pytest_are_run_by_it(tmp_path: Path, test: str, by: str) -> None:
    row = {"problem_statement": "x", "files": {"a.py": "x"}, "fixed_files": {"a.py": "y"}, "tests": {"t.py": test}}
    script = (await made(TerminalAdapters(path=lines(tmp_path, row)))).checks[0].files["/tests/run.sh"].text
    assert [name for name in ("plain_tests.py", "-m pytest") if name in script] == [by]


@pytest.mark.parametrize("path", ["../evil.py", "/etc/passwd", "a/../../b", "a//b", ""])
async def test_a_row_whose_files_leave_the_repository_is_rejected(tmp_path: Path, path: str) -> None:
    row = {"problem_statement": "x", "files": {path: "x"}, "tests": {"t.py": ""}, "fixed_files": {"a.py": "y"}}
    assert (await refused(TerminalAdapters(path=lines(tmp_path, row)))).reason == "bad_path"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"question": "torn', "line 2: no JSON"),
        ("[1, 2]", "line 2: a row must be a JSON object, not list"),
        ({"question": "no answer"}, "line 2: the row has question; wanted question, answer (math); or prompt"),
    ],
)
async def test_a_malformed_row_is_told_with_file_and_line(tmp_path: Path, row: object, said: str) -> None:
    adapter = TerminalAdapters(path=lines(tmp_path, {"question": "1+1?", "answer": "2"}, row))
    await made(adapter)
    with pytest.raises(DataError) as caught:
        await adapter.make(Slot(1, 0, 0))
    assert f"rows.jsonl, {said}" in str(caught.value)


def test_more_tasks_than_rows_is_said_before_the_run() -> None:
    with pytest.raises(ValidationError, match=r"count: 21 tasks wanted, but .*gsm8k_20\.jsonl has 20 rows"):
        TerminalAdapters(path=DATA / "gsm8k_20.jsonl", count=21)


@pytest.mark.parametrize("name", ["absent.jsonl", "table.csv", "broken.jsonl.gz", "broken.parquet", "empty.jsonl"])
def test_a_file_that_cannot_be_read_is_said_before_the_run(tmp_path: Path, name: str) -> None:
    if name != "absent.jsonl":
        (tmp_path / name).write_bytes(b"" if name.startswith("empty") else b"no such thing")
    with pytest.raises(ValidationError, match=f"path: .*{name}"):
        TerminalAdapters(path=tmp_path / name)


async def test_spare_rows_fill_the_gaps_each_only_once(tmp_path: Path) -> None:
    path = lines(tmp_path, *({"question": f"q{n}", "answer": str(n)} for n in range(5)))
    adapter = TerminalAdapters(path=path, count=2)
    tried = [await adapter.make(Slot(index, retry, 0)) for retry in range(3) for index in range(2)]
    questions = [draft.prompt.splitlines()[0] for draft in tried if isinstance(draft, Draft)]
    assert questions == ["q0", "q1", "q2", "q3", "q4"]
    assert isinstance(tried[5], Reject) and tried[5].reason == "no_rows_left"


async def test_shuffled_rows_are_the_same_rows_in_another_order_that_stays() -> None:
    plain, mixed, again = [
        [(await made(TerminalAdapters(path=DATA / "gsm8k_20.jsonl", shuffle=s), n)).prompt for n in range(20)]
        for s in (False, True, True)
    ]
    assert mixed == again and mixed != plain and sorted(mixed) == sorted(plain)


async def test_plain_gzip_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    text = (DATA / "gsm8k_20.jsonl").read_bytes()
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(text))
    pl.read_ndjson(DATA / "gsm8k_20.jsonl").write_parquet(tmp_path / "rows.parquet")
    prompts = [
        [(await made(TerminalAdapters(path=path), n)).prompt for n in range(20)]
        for path in (DATA / "gsm8k_20.jsonl", tmp_path / "rows.jsonl.gz", tmp_path / "rows.parquet")
    ]
    assert prompts[0] == prompts[1] == prompts[2]


async def test_blank_lines_are_no_rows_and_the_count_is_theirs(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('\n{"question": "a?", "answer": "1"}\n\n{"question": "b?", "answer": "2"}')
    adapter = TerminalAdapters(path=file)
    assert adapter.count == 2
    assert (await made(adapter, 1)).source.item == "rows.jsonl:4"


def test_other_rows_at_the_same_path_make_another_shelf(tmp_path: Path) -> None:
    def folder(answer: str) -> str:
        rows = lines(tmp_path, {"question": "a?", "answer": answer})
        file = tmp_path / "pipeline.yaml"
        stage = f"{{use: synthesize, generators: [{{use: terminal_adapters, path: {rows}}}]}}"
        file.write_text(f"name: rows\nstages: [{stage}]\n")
        return load(file).stages[0].folder

    assert folder("1") == folder("1") != folder("17")


def test_a_diff_adds_removes_and_minds_the_last_newline() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n a\n-b\n\\ No newline at end of file\n"
    diff += "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-o\n"
    before, after = {"x": "a\nb", "old": "o\n"}, {"x": "a\n", "new": "n\n"}
    assert patched(before, diff) == after
    assert patched(after, diff, reverse=True) == before


@pytest.mark.parametrize(
    "diff", ["", "no diff", "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n", "--- a/x\n+++ b/x\n@@ x @@\n"]
)
def test_a_malformed_diff_is_an_error_not_an_empty_change(diff: str) -> None:
    with pytest.raises(DiffError):
        patched({"x": "a\nb\n"}, diff)
