"""The embedded generator: what its drafts promise, without a box."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from datafactory.protocols import Generator, Slot
from datafactory.types import DOMAINS, Draft, Reject
from generators.terminal_skills import SKILLS, TerminalSkills
from generators.terminal_skills.fixtures import FIXTURES
from generators.terminal_skills.taxonomy import TAXONOMY

ROOT = Path(__file__).resolve().parents[2]


def drafts(count: int, seed: int = 3, **fields: object) -> list[Draft]:
    generator, seeds = TerminalSkills(count=count, **fields), random.Random(seed)  # type: ignore[arg-type]
    made = [generator.draft(Slot(i, 0, seeds.getrandbits(63))) for i in range(count)]
    assert not [r for r in made if isinstance(r, Reject)]
    return [d for d in made if isinstance(d, Draft)]


@pytest.fixture(scope="module")
def many() -> list[Draft]:
    return drafts(1000)


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("near_duplicates", ROOT / "benchmarks" / "near_duplicates.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_same_slot_gives_the_same_draft():
    generator = TerminalSkills(count=20)
    assert isinstance(generator, Generator)
    for index in range(20):
        slot = Slot(index, 0, 1000 + index)
        assert await generator.make(slot, None) == await TerminalSkills(count=20).make(slot, None)


async def test_another_seed_gives_another_draft():
    generator = TerminalSkills()
    assert await generator.make(Slot(0, 0, 1), None) != await generator.make(Slot(0, 1, 2), None)


def test_every_domain_gets_the_same_share(many: list[Draft]):
    counts = Counter(d.domain for d in many)
    assert set(counts) == set(DOMAINS) == set(TAXONOMY)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_there_are_many_skills_and_each_one_occurs():
    assert len(SKILLS) >= 40
    assert set(SKILLS) == {name for d in TAXONOMY.values() for name in (*d.home, *d.shared)}
    assert set(FIXTURES) == {name for d in TAXONOMY.values() for name in d.fixtures}
    generator, seeds, missing = TerminalSkills(), random.Random(3), set(SKILLS)
    for index in range(6000):
        missing -= set(generator.draft(Slot(index, 0, seeds.getrandbits(63))).skills)  # type: ignore[union-attr]
        if not missing:
            break
    assert not missing


def test_a_task_has_three_to_five_different_skills(many: list[Draft]):
    assert {len(d.skills) for d in many} == {3, 4, 5}
    assert all(len(set(d.skills)) == len(d.skills) for d in many)


def test_at_least_half_of_the_skills_belong_to_the_domain(many: list[Draft]):
    for draft in many:
        assert 2 * sum(s in TAXONOMY[draft.domain].home for s in draft.skills) >= len(draft.skills)


def test_a_skill_takes_what_an_earlier_one_or_the_fixture_gave(many: list[Draft]):
    for draft in many:
        kinds = {FIXTURES[draft.source.item].gives}
        for name in draft.skills:
            assert SKILLS[name].takes in {*kinds, "any"}
            kinds.add(SKILLS[name].gives)


def test_the_prompt_names_every_path_that_a_check_looks_at(many: list[Draft]):
    for draft in many:
        for check in draft.checks:
            facts = next(f for path, f in check.files.items() if path == check.argv[-1]).text
            for path in set(re.findall(r'"path": "(/app/[^"]+)"|"root": "(/app/[^"]+)"', facts)):
                assert f"{''.join(path)}" in draft.prompt


def test_prompts_read_as_english(many: list[Draft]):
    for draft in many:
        prose = re.sub(r"`[^`]*`", "`x`", draft.prompt)
        assert not re.search(
            r"\b[Aa] (?!one\b)[aeio]|\b[Aa]n [b-df-hj-np-tv-z]|\b([a-z]+) \1\b|[^\n ]  +\S| [,;.] |\bplus 0\b", prose
        )
        assert not re.search(r"null for an empty cell as text|\(A colleague", prose)


def test_what_a_check_asks_of_line_ends_is_said(many: list[Draft]):
    for draft in many:
        if any(check.argv[1].endswith(("/lines.py", "/table.py")) for check in draft.checks):
            assert re.search(r"line feed|LF", draft.prompt)


def test_no_product_lies_in_the_box_before_work_begins(many: list[Draft]):
    for draft in many:
        roots = {f"/app/{path.split('/')[2]}/" for path in draft.files}
        for check in draft.checks:
            facts = check.files[check.argv[-1]].text
            product = re.match(r'\{"(?:path|root)": "([^"]+)"', facts)
            if product and "program.py" not in check.argv[1]:
                assert not any(product[1].startswith(root) for root in roots)


def test_the_prompt_shows_no_command_of_the_solution(many: list[Draft]):
    for draft in many:
        for step in draft.solution[1:]:
            assert not [
                line for line in step.command.splitlines() if len(line.strip()) > 24 and line.strip() in draft.prompt
            ]


def test_checks_and_solution_use_only_what_a_bare_box_has(many: list[Draft]):
    for draft in many:
        assert all(c.argv[0] == "python3" for c in draft.checks)
        assert not re.search(r"\b(jq|gawk|perl|curl|pip|git|sqlite3 -)\b", "\n".join(s.command for s in draft.solution))


def test_several_products_give_partial_credit(many: list[Draft]):
    assert all(len(d.checks) >= 2 for d in many)
    for draft in many[:100]:
        total = sum(SKILLS[s].weight for s in draft.skills)
        assert abs(sum(c.weight for c in draft.checks) - total) < 1e-9
        expected = "easy" if total < 5 else "medium" if total < 7 else "hard"
        assert draft.difficulty == expected


def test_no_table_has_two_columns_of_one_name(many: list[Draft]):
    for draft in [*many, *drafts(200, seed=9, domains=("data_science",))]:
        for check in draft.checks:
            if check.argv[1].endswith("/table.py"):
                columns = json.loads(check.files[check.argv[-1]].text)["columns"]
                assert len(set(columns)) == len(columns)


def test_inputs_are_small(many: list[Draft]):
    assert max(sum(len(f.data) for f in d.files.values()) for d in many) < 64 << 10


def test_a_draft_survives_json(many: list[Draft]):
    for draft in many[:200]:
        assert Draft.model_validate_json(draft.model_dump_json()) == draft


def test_tasks_are_different(many: list[Draft]):
    pairs = benchmark().near_duplicates([d.prompt for d in many])
    assert len({later for _, later, _ in pairs}) < 0.05 * len(many)
    assert len({frozenset(d.skills) for d in many}) > 600


def test_a_reworded_prompt_is_found_as_a_near_duplicate(many: list[Draft]):
    prompt = many[0].prompt
    found = benchmark().near_duplicates([prompt, many[1].prompt, prompt.replace(prompt.split()[0], "Otherwise", 1)])
    assert [pair[:2] for pair in found] == [(0, 2)]


def test_skills_can_be_left_out_and_combinations_too():
    assert not any("filter_rows" in d.skills for d in drafts(60, without=("filter_rows",)))
    pair = ("strip_comments", "smooth_series")
    assert any(set(pair) <= set(d.skills) for d in drafts(60, domains=("scientific_computing",)))
    made = drafts(60, domains=("scientific_computing",), without_together=(pair,))
    assert not any(set(pair) <= set(d.skills) for d in made)


def test_only_the_skills_named_occur():
    allowed = ("clean_table", "filter_rows", "group_totals", "top_rows", "drop_duplicates", "running_total")
    made = drafts(12, domains=("data_processing",), only=allowed, skills_max=3)
    assert {s for d in made for s in d.skills} <= set(allowed)


def test_held_out_combinations_never_meet_the_training_ones():
    def combinations(split: str) -> set[frozenset[str]]:
        return {frozenset(d.skills) for d in drafts(90, held_out=0.3, split=split)}

    train, held = combinations("train"), combinations("held_out")
    assert train and held and not train & held


def test_limits_that_no_chain_can_meet_are_a_reject():
    made = TerminalSkills(domains=("security",), only=("find_breaches",)).draft(Slot(0, 0, 1))
    assert isinstance(made, Reject) and made.reason == "no_chain"


@pytest.mark.parametrize(
    "fields",
    [
        {"domains": ("cooking",)},
        {"domains": ()},
        {"without": ("no_such_skill",)},
        {"skills_min": 5, "skills_max": 4},
        {"split": "held_out"},
    ],
)
def test_wrong_fields_are_refused(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        TerminalSkills(**fields)  # type: ignore[arg-type]
