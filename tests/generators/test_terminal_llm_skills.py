"""Skills are drawn evenly, reproducibly and by the file that holds them."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from datafactory.protocols import Slot
from datafactory.types import DOMAINS, Draft, Reject
from generators.skill_axes import OWN, read_axes
from generators.terminal_llm_skills import TerminalLLMSkills
from tests.generators.authored import GOOD, CannedChat, changed


def slot(index: int, retry: int = 0) -> Slot:
    return Slot(index, retry, seed=1000 * index + retry)


def test_every_domain_of_the_paper_has_at_least_fifteen_primitive_skills() -> None:
    domains = read_axes(None).domains
    assert set(domains) == set(DOMAINS)
    for name, domain in domains.items():
        skills = [skill for kind in domain.skills.values() for skill in kind]
        assert len(skills) == len(set(skills)) >= 15, name
        assert 4 <= len(domain.skills) <= 7 and len(domain.scenarios) >= 6, name


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_draw_has_three_to_five_different_skills_of_at_least_two_types(domain: str) -> None:
    axes = read_axes(None)
    kinds = {skill: kind for kind, skills in axes.domains[domain].skills.items() for skill in skills}
    sizes = Counter()
    for seed in range(300):
        draw = axes.draw(domain, random.Random(seed), fewest=3, most=5)
        assert len(set(draw.skills)) == len(draw.skills)
        assert len({kinds[skill] for skill in draw.skills}) >= 2
        sizes[len(draw.skills)] += 1
    assert set(sizes) == {3, 4, 5}


async def test_the_draft_carries_the_skills_and_the_axes_that_were_asked_for() -> None:
    chat = CannedChat(GOOD)
    made = await TerminalLLMSkills(count=1).make(slot(3), chat)
    assert isinstance(made, Draft)
    assert made.domain == DOMAINS[3] and 3 <= len(made.skills) <= 5
    assert all(f"- {skill}" in chat.asked[0] for skill in made.skills)
    assert made.source.facts["axes"]["twist"] in chat.asked[0]
    assert made.source.facts["axes"]["scenario"] in chat.asked[0]


async def test_domains_take_turns_and_a_retry_draws_anew() -> None:
    generator, chat = TerminalLLMSkills(count=18), CannedChat(GOOD)
    made = [await generator.make(slot(n), chat) for n in range(18)]
    assert Counter(d.domain for d in made if isinstance(d, Draft)) == dict.fromkeys(DOMAINS, 2)
    again = [await generator.make(slot(0, retry), chat) for retry in (0, 0, 1)]
    first, same, other = (d.skills for d in again if isinstance(d, Draft))
    assert first == same != other


async def test_prompts_of_many_slots_differ() -> None:
    chat = CannedChat(GOOD)
    for n in range(300):
        await TerminalLLMSkills(count=300).make(slot(n), chat)
    assert len(set(chat.asked)) == 300


async def test_the_prompt_names_only_tools_that_the_image_has() -> None:
    chat = CannedChat(GOOD)
    await TerminalLLMSkills(count=1, domains=("data_science",)).make(slot(0), chat)
    await TerminalLLMSkills(count=1, domains=("data_science",), image="domain").make(slot(0), chat)
    assert "pandas" not in chat.asked[0] and "pandas" in chat.asked[1]


async def test_a_bad_answer_is_rejected_and_kept_for_reading() -> None:
    made = await TerminalLLMSkills().make(slot(0), CannedChat(changed(solution=[])))
    assert isinstance(made, Reject) and made.reason == "empty_solution"
    assert made.what is not None and made.what["title"] == GOOD["title"]


async def test_axes_of_ones_own_take_the_place_of_ours(tmp_path: Path) -> None:
    axes = yaml.safe_load(OWN.read_text())
    axes["domains"] = {"kitchen": {"guidance": "Cook.", "scenarios": ["a canteen"], "skills": {"a": ["x", "y", "z"]}}}
    (tmp_path / "axes.yaml").write_text(yaml.safe_dump(axes))
    generator = TerminalLLMSkills(axes=tmp_path / "axes.yaml", domains=("kitchen",), most=3)
    made = await generator.make(slot(0), CannedChat(GOOD))
    assert isinstance(made, Draft) and (made.domain, set(made.skills)) == ("kitchen", {"x", "y", "z"})
    assert generator.describe()["axes"] != TerminalLLMSkills().describe()["axes"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"domains": ("cooking",)}, "domains: cooking; known are data_processing"),
        ({"domains": ()}, "domains: none"),
        ({"fewest": 4, "most": 3}, "fewest: 4 is more than most"),
        ({"most": 30}, "most: data_processing, .* have fewer than 30 skills"),
        ({"axes": Path("absent.yaml")}, "axes: absent.yaml: "),
    ],
)
def test_a_wrong_field_is_said_before_the_run(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TerminalLLMSkills.model_validate(fields)


@pytest.mark.parametrize("text", ["domains: [", "{}", "domains: 3", "\x00"])
def test_a_broken_axes_file_is_said_before_the_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "axes.yaml").write_text(text)
    with pytest.raises(ValidationError, match=r"axes: .*axes\.yaml: "):
        TerminalLLMSkills(axes=tmp_path / "axes.yaml")
