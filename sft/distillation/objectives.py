"""What is lowered: the losses of both distillations, on tensors of one number or one distribution a token."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Scored(NamedTuple):
    """A loss, and what is told of it; all but the loss of shape (tokens,)."""

    loss: torch.Tensor
    """Nats, to be lowered."""
    advantage: torch.Tensor
    """log π_teacher − log π_student."""
    kept: torch.Tensor
    """Whether the weight of the token lies within its bounds."""


def mopd(
    student: torch.Tensor,
    teacher: torch.Tensor,
    drawn: torch.Tensor,
    share: torch.Tensor,
    *,
    least: float,
    most: float,
) -> Scored:
    """Multi-domain on-policy distillation (Nemotron-Cascade 2, arXiv 2603.19220): −Σ share · w · a · log π_student.

    a = log π_teacher − log π_student and the weight w = π_student / π_sampled pass no gradient; w is 0 outside of
    [least, most]. `student`, `teacher`, `drawn`: log-probabilities (nats) of the sampled tokens, and `share`: what each
    counts, such as 1 / (tokens of its answer × answers); all of shape (tokens,).
    """
    now = student.detach()
    advantage = teacher - now
    weight = torch.exp(now - drawn)
    kept = (weight >= least) & (weight <= most)
    loss = -(share * weight * kept * advantage * student).sum()
    return Scored(loss, advantage, kept)


def generalized_jsd(student: torch.Tensor, teacher: torch.Tensor, beta: float) -> torch.Tensor:
    """The generalized Jensen-Shannon divergence (arXiv 2306.13649, section 2) of each token, in nats.

    β KL(teacher ‖ m) + (1 − β) KL(student ‖ m) with m = β teacher + (1 − β) student. It vanishes at both ends, where
    its limit in direction, the forward KL (β = 0) or the reverse (β = 1), stands in. Log-distributions of shape
    (tokens, vocabulary) to (tokens,).
    """
    if beta == 0:
        return divergence(teacher, student)
    if beta == 1:
        return divergence(student, teacher)
    weights = torch.tensor([beta, 1 - beta], device=student.device).log()
    middle = torch.logaddexp(teacher + weights[0], student + weights[1])
    return beta * divergence(teacher, middle) + (1 - beta) * divergence(student, middle)


def divergence(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """KL(first ‖ second) of log-distributions (nats), shape (tokens, vocabulary) to (tokens,)."""
    return (first.exp() * (first - second)).sum(-1)
