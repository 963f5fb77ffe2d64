"""What is sampled, scored and lowered is what the formulas say, token by token."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sft.distillation.spec import Teacher
from tests.sft.distilling import LARGER, model

pytestmark = pytest.mark.train

KNOWN = 260
"""Ids that count as tokens: fewer than the models have, as where a vocabulary is padded."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A student and a larger teacher."""
    place = tmp_path_factory.mktemp("models")
    return model(place / "student"), model(place / "teacher", LARGER, seed=2)


def loaded(folder: Path, implementation: str) -> Any:
    from transformers import AutoModelForCausalLM

    from sft.training import attention

    attention.register()
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=implementation)


def histories() -> list[np.ndarray[Any, Any]]:
    return [np.asarray(ids, dtype=np.int32) for ids in ([5, 6, 7, 8, 9, 10, 11], [200, 12], [40, 41, 42, 43])]


def sampled(student: Any, *, at_once: int = 8, temperature: float = 1.0, limit: int = 6) -> list[Any]:
    from sft.distillation.sampling import Asked, Sampler

    sampler = Sampler(student, temperature=temperature, endings={2}, known=KNOWN, at_once=at_once)
    return sampler.sample([Asked(ids, "default", limit, (0, place)) for place, ids in enumerate(histories())])


def by_hand(plain: Any, sample: Any, known: int) -> Any:
    """Log-probabilities of an answer's tokens, from a plain pass over it alone."""
    import torch

    whole = torch.tensor([[*sample.history.tolist(), *sample.answer.tolist()]])
    scores = plain(input_ids=whole).logits[0, :, :known].log_softmax(-1)
    places = range(len(sample.history) - 1, len(sample) - 1)
    return torch.stack([scores[at, token] for at, token in zip(places, sample.answer.tolist(), strict=True)])


def test_sampling_says_how_likely_each_token_was_whatever_is_written_beside_it(folders: tuple[Path, Path]) -> None:
    import torch

    plain = loaded(folders[0], "sdpa")
    together, alone = (sampled(loaded(folders[0], "packed"), at_once=many) for many in (8, 1))
    with torch.no_grad():
        for one, other in zip(together, alone, strict=True):
            assert one.answer.tolist() == other.answer.tolist()
            assert np.allclose(one.drawn, by_hand(plain, one, KNOWN), atol=1e-5)
            assert one.ended == (one.answer[-1] == 2) and 1 <= len(one.answer) <= 6
            assert 2 not in one.answer[:-1], "an answer stops at its end-of-turn token"


def test_sampling_draws_as_often_as_the_distribution_says(folders: tuple[Path, Path]) -> None:
    from sft.distillation.sampling import Asked, Sampler

    student = loaded(folders[0], "packed")
    many = 4000
    sampler = Sampler(student, temperature=0.1, endings=set(range(KNOWN)), known=KNOWN, at_once=many)
    drawn = sampler.sample([Asked(histories()[0], "default", 9, (number,)) for number in range(many)])
    assert {len(each.answer) for each in drawn} == {1}, "every token ends an answer here"
    found = [(int(each.answer[0]), float(each.drawn[0])) for each in drawn if each.drawn is not None]
    counts = {pair: found.count(pair) for pair in sorted(set(found), key=lambda pair: -pair[1])[:5]}
    for (_, score), count in counts.items():
        chance = math.exp(score)
        assert abs(count / many - chance) < 5 * math.sqrt(chance * (1 - chance) / many)


def test_advantages_and_gradients_are_those_computed_by_hand(folders: tuple[Path, Path]) -> None:
    import torch

    from sft.distillation.loaded import LoadedTeacher
    from sft.distillation.objectives import mopd
    from sft.distillation.samples import Pass, chosen

    student, plain, wise = loaded(folders[0], "packed"), loaded(folders[0], "sdpa"), loaded(folders[1], "sdpa")
    samples = sampled(student, temperature=2.0)
    told = Teacher(model=str(folders[1]))
    teacher = LoadedTeacher(told, "default", device=torch.device("cpu"), known=KNOWN, capacity=16)
    batch = Pass(samples, torch.device("cpu"))
    share = [np.full(len(each.answer), 1 / len(each.answer) / 3) for each in samples]
    made = mopd(
        chosen(batch.logits(student, KNOWN), batch.tokens),
        batch.spread(teacher.score(samples)),
        batch.spread([each.drawn for each in samples]),
        batch.spread(share),
        least=0.9,
        most=1.1,
    )
    torch.autograd.backward(made.loss)
    loss, advantages, kept = torch.zeros(()), [], []
    for each in samples:
        ours = by_hand(plain, each, KNOWN)
        for place, score in enumerate(by_hand(wise, each, KNOWN).detach()):
            advantages.append(float(score - ours[place].detach()))
            weight = math.exp(float(ours[place].detach()) - float(each.drawn[place]))
            kept.append(0.9 <= weight <= 1.1)
            if kept[-1]:
                loss = loss - weight * advantages[-1] * ours[place] / len(each.answer) / 3
    torch.autograd.backward(loss)
    assert made.advantage.tolist() == pytest.approx(advantages, abs=1e-4)
    assert made.kept.tolist() == kept and 0 < sum(kept) < len(kept), "both sides of the bounds are tried"
    assert float(made.loss.detach()) == pytest.approx(float(loss.detach()), abs=1e-4)
    for one, other in zip(student.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)


def test_the_divergence_is_the_papers_and_the_exact_kl_at_its_ends() -> None:
    import torch

    from sft.distillation.objectives import generalized_jsd

    teacher, student = torch.tensor([[0.7, 0.2, 0.1]]), torch.tensor([[0.1, 0.3, 0.6]])

    def kl(first: torch.Tensor, second: torch.Tensor) -> float:
        return sum(p * math.log(p / q) for p, q in zip(first[0].tolist(), second[0].tolist(), strict=True))

    middle = 0.3 * teacher + 0.7 * student
    wanted = {0.0: kl(teacher, student), 1.0: kl(student, teacher)}
    wanted[0.3] = 0.3 * kl(teacher, middle) + 0.7 * kl(student, middle)
    for beta, value in wanted.items():
        assert generalized_jsd(student.log(), teacher.log(), beta).tolist() == pytest.approx([value], rel=1e-5)
    assert generalized_jsd(teacher.log(), teacher.log(), 0.5).tolist() == pytest.approx([0.0], abs=1e-6)


def test_the_learning_rate_rises_and_falls_as_told() -> None:
    from sft.distillation.learning import rate_at
    from tests.sft.distilling import recipe

    told = {"teacher": Teacher(model="m"), "learning_rate": 1.0, "least_rate": 0.1, "warmup_steps": 4}
    cosine = recipe(Path("s"), schedule="cosine", **told)
    assert [rate_at(cosine, step, 12) for step in (0, 3, 4, 8)] == pytest.approx([0.25, 1.0, 1.0, 0.55])
    assert rate_at(recipe(Path("s"), schedule="linear", **told), 8, 12) == pytest.approx(0.5)
    assert rate_at(recipe(Path("s"), schedule="constant", **told), 11, 12) == 1.0
