"""What stands in a benchmark is found in rows, however it is set, and nothing else is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from filters.contamination import read_items
from filters.decontaminate import Decontaminate

QUESTION = "A baker fills 14 trays with 9 rolls each, sells two thirds of them before noon, and gives 10 to a school."
PROGRAM = """    total_width = 0
    for line in lines:
        if line.startswith("#"):
            continue
        total_width += len(line) - 2
    return total_width if total_width > 0 else None
"""
RENAMED = """    n = 0
    for r in rows:
        if r.begins("#"):
            continue
        n += len(r) - 2
    return n if n > 0 else None
"""
TEST = "def check(candidate):\n    assert candidate(['# a', 'bcd']) == 1\n    assert candidate([]) is None\n"


def benchmark(folder: Path) -> Path:
    """Two items, as HumanEval's and GSM8K's rows are."""
    path = folder / "bench.jsonl"
    rows = [
        {"task_id": "bench/0", "prompt": "Add it up.", "canonical_solution": PROGRAM, "test": TEST},
        {"question": QUESTION, "answer": "14 times 9 is 126. #### 32"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def talk(*texts: str, inside: bool = False) -> list[str]:
    """Messages as JSON text; `inside`: in a command of an answer that is JSON itself."""
    said = [json.dumps({"plan": "", "commands": [{"keystrokes": text}]}) if inside else text for text in texts]
    return [json.dumps({"role": "assistant", "content": text}) for text in said]


def reasons(filter: Decontaminate, *rows: list[str]) -> list[str | None]:
    frame = pl.LazyFrame({"messages": list(rows)}, schema={"messages": pl.List(pl.String)})
    found: list[str | None] = frame.select(why=filter.reject(frame)).collect()["why"].to_list()
    return found


@pytest.mark.parametrize("inside", [False, True], ids=["said", "in a command"])
@pytest.mark.parametrize(
    "text",
    [QUESTION, QUESTION.upper(), QUESTION.replace(" ", "\n  "), QUESTION.replace(",", " –"), f"See: {QUESTION} Well?"],
    ids=["exact", "re-cased", "re-wrapped", "other marks", "within"],
)
def test_a_question_is_found_however_it_is_set(tmp_path: Path, text: str, inside: bool) -> None:
    (why,) = reasons(Decontaminate(against=(benchmark(tmp_path),)), talk("ls", text, inside=inside))
    assert why is not None and why.startswith("decontaminate: bench:2 question, ")
    assert "words: “" in why and why.endswith("”")


def test_the_reason_says_how_much_of_what_was_found(tmp_path: Path) -> None:
    half = " ".join(QUESTION.split()[:14])
    (why,) = reasons(Decontaminate(against=(benchmark(tmp_path),)), talk(f"{half} buns"))
    assert why == f"decontaminate: bench:2 question, 14 words: “{half}”"
    assert reasons(Decontaminate(against=(benchmark(tmp_path),), n=15), talk(f"{half} buns")) == [None]


@pytest.mark.parametrize("inside", [False, True], ids=["said", "in a command"])
def test_a_program_is_found_with_other_names(tmp_path: Path, inside: bool) -> None:
    shouted = PROGRAM.replace("line.startswith", "line.begins").replace("lines", "rows_of_text").replace("line", "x_y")
    for text in (RENAMED, shouted, RENAMED.replace("\n", " \\\n"), RENAMED.replace("len(r) - 2", "(len(r) - 2)")):
        (why,) = reasons(Decontaminate(against=(benchmark(tmp_path),)), talk(f"cat > f.py\n{text}", inside=inside))
        assert why is not None and why.startswith("decontaminate: bench/0 canonical_solution with other names, ")


@pytest.mark.parametrize(
    "text",
    [
        RENAMED.replace("n += len(r)", "m += len(r)"),
        RENAMED.replace("for r in rows", "for n in rows"),
        RENAMED.replace("- 2", "+ 2"),
        RENAMED.replace("> 0", "> 1"),
        RENAMED.replace("continue", "break"),
    ],
    ids=["another name", "one name for two", "another sign", "another number", "another word"],
)
def test_another_program_of_that_shape_is_none(tmp_path: Path, text: str) -> None:
    assert reasons(Decontaminate(against=(benchmark(tmp_path),)), talk(text)) == [None]


def test_short_texts_must_stand_there_whole_and_shorter_ones_are_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    short = "which river flows past the oldest bridge of Regensburg"
    path.write_text(json.dumps({"question": short}) + "\n" + json.dumps({"question": "yes or no"}))
    filter = Decontaminate(against=(path,))
    given = (
        talk(f"I wonder {short} today"),
        talk("which river flows past the oldest bridge of Graz"),
        talk("yes or no"),
    )
    found = reasons(filter, *given)
    assert found == [f"decontaminate: short:1 question, 9 words: “{short}”", None, None]


def test_what_many_items_share_is_no_item(tmp_path: Path) -> None:
    frame = "Write a function in Python that takes a list of numbers and gives back the"
    path = tmp_path / "many.jsonl"
    ends = ["sum", "mean", "mode", "range", "least", "most", "first", "last", "product", "median", "norm", "span"]
    path.write_text("".join(json.dumps({"prompt": f"{frame} {end}."}) + "\n" for end in ends))
    assert reasons(Decontaminate(against=(path,)), talk(f"{frame} longest")) == [None]
    (why,) = reasons(Decontaminate(against=(path,)), talk(f"{frame} mean."))
    assert why is not None and why.startswith("decontaminate: many:2 prompt")
    (why,) = reasons(Decontaminate(against=(path,), boilerplate=20), talk(f"{frame} longest"))
    assert why is not None


def test_letters_that_are_escaped_twice_are_read(tmp_path: Path) -> None:
    path = tmp_path / "accents.txt"
    path.write_text("Zoë’s café sells crème brûlée for 4 euros and naïve façades cost Renée nothing today")
    said = json.dumps({"commands": [{"keystrokes": path.read_text()}]}, ensure_ascii=True)
    (why,) = reasons(Decontaminate(against=(path,)), talk(said))
    assert why is not None and "accents" in why


def test_prompts_alone_can_be_looked_at(tmp_path: Path) -> None:
    filter = Decontaminate(against=(benchmark(tmp_path),), on="prompt")
    frame = pl.LazyFrame({"instruction": [QUESTION, "Bake.", None], "messages": [talk(QUESTION)] * 3})
    found = frame.select(why=filter.reject(frame)).collect()["why"].to_list()
    assert [why is None for why in found] == [False, True, True]


def test_benchmarks_are_read_from_every_kind_of_file(tmp_path: Path) -> None:
    rows = [{"instance_id": "a__b-1", "problem_statement": "It breaks.", "patch": "+ x = 1"}]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(rows[0]).encode()))
    pl.DataFrame(rows).write_parquet(tmp_path / "c.parquet")
    for name in ("a.json", "b.jsonl.gz", "c.parquet"):
        found = [(item.name.rpartition(":")[2], item.field, item.code) for item in read_items(tmp_path / name)]
        assert found == [("a__b-1", "problem_statement", False), ("a__b-1", "patch", True)]
    task = tmp_path / "tasks" / "count-words"
    (task / "tests").mkdir(parents=True)
    (task / "instruction.md").write_text("Count the words.")
    (task / "tests" / "test_outputs.py").write_text("assert True")
    found = [(item.name, item.field) for item in read_items(tmp_path / "tasks")]
    assert found == [("count-words", "instruction"), ("count-words", "tests/test_outputs.py")]
    assert [item.field for item in read_items(tmp_path / "a.json", ("patch",))] == ["patch"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.jsonl", '{"question": "a"}\n{"question"', r"x\.jsonl:2: no JSON"),
        ("x.jsonl", "[1]", r"x\.jsonl:1: a row of a benchmark is an object, not list"),
        ("x.jsonl", '{"gibberish": "a"}', "no key that benchmarks have; name yours with `fields`"),
        ("x.json", "{", r"x\.json: no JSON"),
        ("y.jsonl", None, r"y\.jsonl: cannot be read"),
    ],
)
def test_what_is_no_benchmark_is_named_before_anything_runs(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_items(tmp_path / name)
    assert len(list(Decontaminate(against=(tmp_path / name,)).problems())) == 1


@settings(max_examples=40, deadline=None)
@given(
    before=st.text(max_size=30),
    after=st.text(max_size=30),
    start=st.integers(0, 7),
    end=st.integers(0, 3),
)
def test_thirteen_words_are_found_and_twelve_are_not(before: str, after: str, start: int, end: int) -> None:
    import tempfile

    words = [f"word{number}x" for number in range(24)]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "bench.txt"
        path.write_text(" ".join(words))
        filter = Decontaminate(against=(path,))
        found: Any = reasons(
            filter,
            talk(f"{before} - {' '.join(words[start : start + 13 + end])} - {after}"),
            talk(f"{before} - {' '.join(words[start : start + 12])} - {after}"),
        )
    assert found[0] is not None and found[1] is None
