"""Prompts with planted topics: words of one subject each, among words that all of them use."""

from __future__ import annotations

import random

SUBJECTS = {
    "astronomy": "telescope galaxy orbit comet nebula planet eclipse parallax redshift supernova",
    "cooking": "recipe oven flour butter simmer whisk garlic dough broth saute",
    "databases": "table index join query transaction schema rollback cursor replica column",
    "sailing": "mast rudder anchor harbour tide keel rigging compass jib spinnaker",
}
FILLER = ["write", "compute", "result", "carefully", "following", "report", "answer", "values", "given", "output"]


def prompt(subject: str, rng: random.Random) -> str:
    """Fourteen words, half of them of the subject."""
    words = rng.sample(SUBJECTS[subject].split(), 7) + rng.choices(FILLER, k=7)
    rng.shuffle(words)
    return " ".join(words)


def tasks(each: int = 15, *, odd: int = 4, seed: int = 3) -> dict[str, str]:
    """Prompts by task id: `<subject>-<number>`, and a few of words that nobody else uses (`odd-<number>`)."""
    rng = random.Random(seed)
    made = {f"{subject}-{n:03d}": prompt(subject, rng) for subject in SUBJECTS for n in range(each)}
    for n in range(odd):
        made[f"odd-{n:03d}"] = " ".join("".join(rng.choices("bcdfghklmnprstvwz", k=7)) for _ in range(10))
    return made
