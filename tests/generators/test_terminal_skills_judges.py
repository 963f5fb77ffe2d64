"""The judges: what is wrong with a product is a failure with a reason, never a crash, and what is left open passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generators.terminal_skills import judges
from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.kernels import KERNELS
from generators.terminal_skills.skills.bugs import run_source

FOLDER = Path(judges.__file__).parent


def judged(tmp_path: Path, script: str, facts: dict[str, Any]) -> tuple[int, str]:
    """Exit status and output of a judge over facts."""
    (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    argv = [sys.executable, str(FOLDER / f"{script}.py"), str(tmp_path / "facts.json")]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def facts_for(script: str, path: Path) -> dict[str, Any]:
    case = {"input": "a\n", "output": "a\n"}
    return {
        "table": {"path": str(path), "columns": ["a", "b"], "rows": [["1", "2.5"]], "tolerance": {"b": 0.01}},
        "lines": {"path": str(path), "lines": ["one", "two"]},
        "document": {"path": str(path), "value": {"n": 1.5, "s": ["x"]}, "tolerance": 0.001},
        "tree": {"root": str(path), "files": {"a.txt": {"sha256": "0" * 64, "size": 1, "regular": True}}},
        "program": {"path": str(path), "argv": ["python3", str(path), "{input}"], "cases": [case]},
        "bundle": {"path": str(path), "members": {"a.txt": str(path)}},
    }[script]


@pytest.mark.parametrize("script", ["table", "lines", "document", "tree", "program", "bundle"])
@pytest.mark.parametrize("product", ["missing", "folder", "empty", "binary", "text", "json", "dangling"])
def test_a_bad_product_fails_with_a_reason(tmp_path: Path, script: str, product: str):
    path = tmp_path / "product"
    if product == "folder":
        path.mkdir()
    elif product == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif product != "missing":
        path.write_bytes(
            {"empty": b"", "binary": b"\xff\xfe\x00\n,", "text": b'a,"b\n1', "json": b'[1, {"n": null}]'}[product]
        )
    status, said = judged(tmp_path, script, facts_for(script, path))
    assert status == 1 and said.startswith("FAILED: ")


@pytest.mark.parametrize("sums", [False, True])
def test_a_bad_checksum_list_fails_with_a_reason(tmp_path: Path, sums: bool):
    product = tmp_path / "a.txt"
    product.write_text("hello\n")
    path = tmp_path / "sums"
    path.write_text(f"{'0' * 64}  {product}\n" if sums else "nonsense\n")
    status, said = judged(tmp_path, "bundle", {"path": str(path), "paths": [str(product)]})
    assert status == 1 and "FAILED" in said


@pytest.mark.parametrize("text", ["a,b\n1,2.5\n", 'a,b\n"1",2.501\n', '"a","b"\n"1","2.5"\n'])
def test_a_table_passes_whatever_its_quotes_and_rounding(tmp_path: Path, text: str):
    (tmp_path / "t.csv").write_text(text, newline="")
    assert judged(tmp_path, "table", facts_for("table", tmp_path / "t.csv"))[0] == 0


@pytest.mark.parametrize(
    "text",
    [
        "b,a\n2.5,1\n",
        "a,b\n1,2.6\n",
        "a,b\n1,2.5\n1,2.5\n",
        "a,b\n",
        "a,b\n1\n",
        "a,b\n1.0,2.5\n",
        "a,b\n1 ,2.5\n",
        "a,b\r\n1,2.5\r\n",
        "a,b\n1,2.5",
    ],
)
def test_a_wrong_table_fails(tmp_path: Path, text: str):
    (tmp_path / "t.csv").write_text(text, newline="")
    assert judged(tmp_path, "table", facts_for("table", tmp_path / "t.csv"))[0] == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [("one\ntwo\n", 0), ("one\ntwo", 1), ("one\r\ntwo\r\n", 1), ("two\none\n", 1), ("one\ntwo\n\n", 1)],
)
def test_lines_are_judged_in_order_and_by_their_ends(tmp_path: Path, text: str, status: int):
    (tmp_path / "l.txt").write_text(text, newline="")
    assert judged(tmp_path, "lines", facts_for("lines", tmp_path / "l.txt"))[0] == status


@pytest.mark.parametrize(
    ("text", "status"), [("0 1.0004\n", 0), ("0  1\n", 0), ("0 1\r\n", 1), ("0 1.1\n", 1), ("0\n", 1)]
)
def test_lines_of_numbers_have_a_tolerance_but_no_carriage_returns(tmp_path: Path, text: str, status: int):
    (tmp_path / "s.txt").write_text(text, newline="")
    facts = {"path": str(tmp_path / "s.txt"), "lines": ["0 1"], "tolerance": 0.001}
    assert judged(tmp_path, "lines", facts)[0] == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"s": ["x"], "n": 1.5004}', 0),
        ('{"s": ["x"], "n": 1.6}', 1),
        ('{"s": ["x"], "n": "1.5"}', 1),
        ('{"s": ["x"], "n": 1.5, "more": 1}', 1),
        ('{"s": ["x"], "n": NaN}', 1),
        ('{"s": ["x"], "n": true}', 1),
    ],
)
def test_documents_have_free_order_and_numbers_a_tolerance(tmp_path: Path, text: str, status: int):
    (tmp_path / "d.json").write_text(text)
    assert judged(tmp_path, "document", facts_for("document", tmp_path / "d.json"))[0] == status


def test_a_program_that_hangs_or_raises_fails(tmp_path: Path):
    path = tmp_path / "p.py"
    for source in ("raise SystemExit(3)", "print('b')", "1 / 0", "def f(", "if True:\npass"):
        path.write_text(source)
        status, said = judged(tmp_path, "program", facts_for("program", path))
        assert status == 1 and all(line.startswith("  ") for line in said.splitlines()[1:])
    path.write_text("import sys\nprint(open(sys.argv[1]).read(), end='')")
    assert judged(tmp_path, "program", facts_for("program", path))[0] == 0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_a_kernels_source_agrees_with_its_model_and_its_bugs_do_not(kernel: Any):
    import random

    rng = random.Random(5)
    lines = [kernel.draw(rng) for _ in range(400)]
    truth = [kernel.model(line) for line in lines]
    assert run_source(kernel.program(), lines) == truth
    for right, wrong in kernel.bugs:
        assert right in kernel.source
        assert run_source(kernel.program().replace(right, wrong, 1), lines) != truth


def test_a_table_knows_when_line_tools_can_cut_it():
    columns = (Column("a", "id"), Column("b", "name"))
    assert Table(columns, (("1", "x y"),)).plain
    assert not Table(columns, (("1", 'x, "y"'),)).plain
