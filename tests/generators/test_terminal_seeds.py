"""A model's answer becomes a draft, or a reject with its precise reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from datafactory.errors import ConfigError, DataError
from datafactory.protocols import Slot
from datafactory.types import Draft, Reject
from generators.terminal_seeds import TerminalSeeds
from tests.generators.authored import CHECK, GOOD, CannedChat, changed

SOLUTION = "totals = df.groupby('shop')['amount'].sum().sort_index()"


def seeds(folder: Path, *rows: dict[str, Any], **fields: Any) -> TerminalSeeds:
    file = folder / "seeds.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows or ({"problem": "Add up the sales."},)))
    return TerminalSeeds(path=file, **fields)


async def reason(folder: Path, answer: Any, **fields: Any) -> str:
    made = await seeds(folder, **fields).make(Slot(0, 0, 1), CannedChat(answer))
    assert isinstance(made, Reject), made
    assert made.generator == "terminal_seeds" and made.detail and made.what
    return made.reason


async def test_a_good_answer_becomes_a_draft_with_its_origin(tmp_path: Path) -> None:
    row = {"problem": "Add up the sales.", "domain": "Data Processing", "id": "s-9", "license": "CC-BY-4.0"}
    made = await seeds(tmp_path, row).make(Slot(0, 0, 1), CannedChat(GOOD))
    assert isinstance(made, Draft)
    assert made.prompt == GOOD["instruction"] and made.domain == "data_processing"
    assert list(made.files) == ["/app/data/sales.csv"]
    assert [(check.name, check.weight) for check in made.checks] == [("totals", 3.0), ("newline", 1.0)]
    assert made.checks[0].files["/tests/check_1.py"].text == CHECK
    assert (made.source.item, made.source.license, made.source.model) == ("s-9", "CC-BY-4.0", "canned-1")
    assert made.source.facts["tokens"]["completion_tokens"] == 400


async def test_the_model_is_asked_once_by_a_schema_that_a_good_answer_fits(tmp_path: Path) -> None:
    chat = CannedChat(GOOD)
    await seeds(tmp_path).make(Slot(4, 2, 99), chat)
    assert len(chat.asked) == 1 and chat.schemas[0] is not None
    jsonschema.validate(GOOD, chat.schemas[0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**GOOD, "surprise": 1}, chat.schemas[0])
    episode = chat.episodes[0]
    assert episode is not None and (episode.id, episode.seed) == ("terminal_seeds-00004#2", 99)


async def test_a_seeds_solution_is_shown_to_the_model_and_to_nobody_else(tmp_path: Path) -> None:
    generator = seeds(tmp_path, {"problem": "Add up the sales.", "solution": SOLUTION})
    chat = CannedChat(GOOD)
    made = await generator.make(Slot(0, 0, 1), chat)
    assert SOLUTION in chat.asked[0]
    assert isinstance(made, Draft) and SOLUTION not in made.model_dump_json()
    leaking = changed(instruction=GOOD["instruction"] + f" Hint: {SOLUTION}")
    told = await generator.make(Slot(0, 0, 1), CannedChat(leaking))
    assert isinstance(told, Reject) and told.reason == "solution_leak"


def judged(program: str, weight: float = 1.0) -> dict[str, Any]:
    return {"checks": [{"name": "a", "program": program, "weight": weight}]}


COMMAND = GOOD["solution"][1]["command"]
STEPS = (
    "import csv, sys\ntotals = {}\nfor row in csv.DictReader(open('data/sales.csv')):\n    totals[row['shop']] = 1\n"
)
LONG = "Bergen: 4 and then Porto: 3 and then a great many more shops with totals, so that it is long"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"instruction": " \n"}, "empty_instruction"),
        ({"instruction": "As an AI language model, I ask you to sort."}, "identity"),
        ({"instruction": "x" * 20_001}, "too_large"),
        ({"title": "a\0b"}, "not_text"),
        ({"checks": []}, "no_checks"),
        (judged("assert ("), "check_syntax"),
        (judged("assert 1\0"), "check_syntax"),
        (judged("assert 1", 0.0), "check_weight"),
        (judged("import requests\nassert 1"), "check_imports"),
        (judged("print(1)"), "check_asserts_nothing"),
        (judged("def test_a():\n    assert 0"), "check_asserts_nothing"),
        (judged("assert open('/solution/x')"), "checks_mention_solution"),
        ({"checks": [GOOD["checks"][0], GOOD["checks"][0]]}, "duplicate_check"),
        ({"solution": []}, "empty_solution"),
        ({"solution": [{"thought": "t", "command": " "}]}, "empty_solution"),
        ({"solution": [{"thought": "t", "command": "pip install pandas && run"}]}, "needs_network"),
        ({"solution": [{"thought": "t", "command": "curl -s https://example.org > x"}]}, "needs_network"),
        ({"files": [{"path": "/app/a.csv", "content": ""}]}, "absolute_path"),
        ({"files": [{"path": "../etc/a.csv", "content": ""}]}, "path_outside_app"),
        ({"files": [{"path": "a/../../b", "content": ""}]}, "path_outside_app"),
        ({"files": [{"path": "./a", "content": ""}]}, "bad_path"),
        ({"files": [{"path": "a", "content": ""}, {"path": "a/b", "content": ""}]}, "duplicate_path"),
        ({"files": [{"path": "a", "content": "x" * 300_000}]}, "too_large"),
        ({"files": [{"path": "expected_output.csv", "content": "x"}]}, "expected_values_leak"),
        ({"instruction": f"Run   {COMMAND} and be done."}, "solution_leak"),
        ({"files": [{"path": "notes.txt", "content": f"x\n{COMMAND}\n"}]}, "solution_leak"),
        ({"checks": [{"name": "a", "program": f"assert {LONG!r} == 1", "weight": 1.0}], "instruction": LONG},
         "expected_values_leak"),
    ],
)  # fmt: skip
async def test_each_breach_has_its_own_reason(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert await reason(tmp_path, changed(**changes)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "not_json"),
        ("Here is the task: {}", "not_json"),
        (json.dumps(GOOD)[:-20], "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "schema"),
        ({k: v for k, v in GOOD.items() if k != "checks"}, "schema"),
        ({**GOOD, "difficulty": "brutal"}, "schema"),
        ({**GOOD, "extra": 1}, "schema"),
        ({**GOOD, "checks": [{"name": "a", "program": "assert 1", "weight": "2"}]}, "schema"),
    ],
)
async def test_what_is_no_task_is_told_by_kind(tmp_path: Path, answer: Any, expected: str) -> None:
    assert await reason(tmp_path, answer) == expected


async def test_an_answer_that_was_cut_off_is_truncated_whatever_it_holds(tmp_path: Path) -> None:
    made = await seeds(tmp_path).make(Slot(0, 0, 1), CannedChat(GOOD, finish="length"))
    assert isinstance(made, Reject) and made.reason == "truncated"


@pytest.mark.parametrize("wrapping", ["```json\n{}\n```", "```\n{}\n```", "<think>Let me see.</think>\n{}", "\n {} \n"])
async def test_a_fence_or_thoughts_around_the_answer_do_no_harm(tmp_path: Path, wrapping: str) -> None:
    chat = CannedChat(wrapping.replace("{}", json.dumps(GOOD)))
    assert isinstance(await seeds(tmp_path).make(Slot(0, 0, 1), chat), Draft)


async def test_a_program_to_be_mended_may_share_lines_with_its_mended_form(tmp_path: Path) -> None:
    mended = STEPS + "    totals[row['shop']] += int(row['amount'] or 0)\nprint(sorted(totals.items()))\n"
    solution = [{"thought": "Mend it.", "command": f"cat > total.py <<'EOF'\n{mended}EOF"}]
    broken = [*GOOD["files"], {"path": "total.py", "content": STEPS}]
    answer = changed(files=broken, solution=solution)
    assert isinstance(await seeds(tmp_path).make(Slot(0, 0, 1), CannedChat(answer)), Draft)
    told = changed(files=[*GOOD["files"], {"path": "total.py", "content": mended}], solution=solution)
    assert await reason(tmp_path, told) == "solution_leak"


async def test_a_domain_image_allows_its_packages(tmp_path: Path) -> None:
    check = {"name": "a", "program": "import pandas\nassert pandas", "weight": 1.0}
    answer = changed(checks=[check])
    assert await reason(tmp_path, answer) == "check_imports"
    generator = seeds(tmp_path, {"problem": "p", "domain": "data_science"}, image="domain")
    made = await generator.make(Slot(0, 0, 1), CannedChat(answer))
    assert isinstance(made, Draft) and made.image == "data_science"


async def test_a_folder_of_texts_is_a_seed_a_file_in_rounds(tmp_path: Path) -> None:
    for name, text in {"b.md": "Second.", "a.txt": "First.", "c.pdf": "none"}.items():
        (tmp_path / name).write_text(text)
    chat = CannedChat(GOOD)
    generator = TerminalSeeds(path=tmp_path, count=3)
    items = [(await generator.make(Slot(n, 0, n), chat)).source.item for n in range(3)]  # type: ignore[union-attr]
    assert items == ["a.txt", "b.md", "a.txt"] and "First." in chat.asked[2]
    assert TerminalSeeds(path=tmp_path).count == 2


async def test_a_seed_without_a_problem_is_told_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"seeds\.jsonl, line 1: no problem; wanted text under one of problem,"):
        await seeds(tmp_path, {"text": "?"}).make(Slot(0, 0, 1), CannedChat(GOOD))


async def test_without_a_teacher_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="terminal_seeds asks a model: name one under 'teacher:'"):
        await seeds(tmp_path).make(Slot(0, 0, 1), None)


@pytest.mark.parametrize(
    ("fields", "said"), [({"domain": "cooking"}, "domain: 'cooking'"), ({"path": "absent"}, "path: ")]
)
def test_a_wrong_field_is_said_before_the_run(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TerminalSeeds(**{"path": tmp_path / "none.jsonl", **fields})
