"""Plain questions: which are asked, what an answer comes to, and files that cannot be read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from datafactory.errors import DataError
from datafactory.evaluating.numbers import Prompts, number_in, prompt


@pytest.mark.parametrize(
    ("text", "number", "as_asked"),
    [
        ("She has 3 left.\n#### 18", "18", True),
        ("#### 5\nNo, wait.\n#### $1,234.50", "1234.50", True),
        ("#### -7 apples", "-7", True),
        ("The answer is 42.", "42", False),
        ("3 + 4 = 7, so 7.0 it is", "7.0", False),
        ("1,000,000 people", "1000000", False),
        ("nobody knows ####", None, False),
        ("", None, False),
    ],
)
def test_an_answer_is_the_number_after_the_last_marks_or_the_last_there_is(
    text: str, number: str | None, as_asked: bool
) -> None:
    assert number_in(text) == (None if number is None else Decimal(number), as_asked)


def file(folder: Path, *rows: str) -> Path:
    path = folder / "sums.jsonl"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_seed_draws_the_same_questions_and_another_seed_others(tmp_path: Path) -> None:
    path = file(tmp_path, *(f'{{"question": " What is {n}? ", "answer": "#### 1,{n:03}"}}' for n in range(50)))
    prompts = Prompts(file=path, count=10)
    drawn = prompts.drawn(1)
    assert [one.id for one in drawn] == sorted(one.id for one in drawn) and len(drawn) == 10
    assert drawn == prompts.drawn(1) != prompts.drawn(2)
    whole = Prompts(file=path, count=500).drawn(1)
    assert len(whole) == 50 and whole[7].answer == 1007 and whole[7].id == "sums-00007"
    assert prompt(whole[7]).startswith("What is 7?\n")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['{"question": "?", "answer": "#### 1"}', "{"], "sums.jsonl:2: "),
        (['{"question": "?"}'], "sums.jsonl:1: no 'answer'"),
        (['{"question": "?", "answer": "forty"}'], "sums.jsonl:1: the answer is no number: 'forty'"),
        (['{"question": "?", "answer": "#### inf"}'], "sums.jsonl:1: the answer is no finite number"),
        (["[1]"], "sums.jsonl:1: "),
        ([""], "no questions"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, rows: list[str], said: str) -> None:
    prompts = Prompts(file=file(tmp_path, *rows))
    with pytest.raises(DataError) as raised:
        prompts.rows()
    assert said in str(raised.value)
    assert list(prompts.problems()) == [f"prompts: {raised.value}"]
