"""Measures how different the tasks of `terminal_skills` are, how balanced, and how fast they are made.

    python benchmarks/near_duplicates.py [--tasks 5000] [--seed 7] [--at-most 0.05]

Two tasks are near-duplicates where the sets of 5-word shingles of their prompts have a Jaccard index of at
least 0.8. Candidates come from MinHash (128 permutations, 32 bands of 4: two prompts at 0.8 miss each other
with probability 5e-8), and each pair is then verified on the sets themselves. The rate is the share of tasks
that have at least one earlier near-duplicate. Ends with status 1 where the rate exceeds `--at-most`.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

PERMUTATIONS, BANDS, WORDS, THRESHOLD = 128, 32, 5, 0.8


def shingles(text: str, length: int = WORDS) -> set[str]:
    """Runs of `length` words, in lower case; a shorter text is one shingle."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + length]) for i in range(max(1, len(words) - length + 1))}


def near_duplicates(
    texts: Sequence[str], threshold: float = THRESHOLD, length: int = WORDS
) -> list[tuple[int, int, float]]:
    """Verified pairs (earlier, later, Jaccard index) at or above the threshold."""
    from rensa import RMinHash

    sets = [shingles(text, length) for text in texts]
    rows = PERMUTATIONS // BANDS
    buckets: dict[tuple[int, ...], list[int]] = {}
    found = []
    for at, mine in enumerate(sets):
        signature = RMinHash(num_perm=PERMUTATIONS, seed=7)
        signature.update(sorted(mine))
        digest, seen = signature.digest(), set()
        for band in range(BANDS):
            key = (band, *digest[band * rows : (band + 1) * rows])
            seen.update(buckets.setdefault(key, []))
            buckets[key].append(at)
        for other in sorted(seen):
            index = len(mine & sets[other]) / len(mine | sets[other])
            if index >= threshold:
                found.append((other, at, index))
    return found


def balance(counts: Iterable[int], kinds: int) -> float:
    """exp(entropy) over the number of kinds: 1 where all are equally frequent."""
    counted = [c for c in counts if c]
    total = sum(counted)
    return math.exp(-sum(c / total * math.log(c / total) for c in counted)) / kinds


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", type=int, default=5000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--at-most", type=float, default=0.05, help="highest rate that passes")
    options.add_argument("--show", type=int, default=0, help="print that many pairs")
    chosen = options.parse_args()

    from datafactory.protocols import Slot
    from datafactory.types import DOMAINS, Draft
    from generators.terminal_skills import SKILLS, TerminalSkills

    generator, seeds = TerminalSkills(count=chosen.tasks), random.Random(chosen.seed)
    start, busy = time.perf_counter(), time.process_time()
    made = [generator.draft(Slot(i, 0, seeds.getrandbits(63))) for i in range(chosen.tasks)]
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    drafts = [d for d in made if isinstance(d, Draft)]
    pairs = near_duplicates([d.prompt for d in drafts])
    rate = len({later for _, later, _ in pairs}) / len(drafts)
    skills, domains = Counter(s for d in drafts for s in d.skills), Counter(d.domain for d in drafts)
    sizes = sorted(len(d.model_dump_json()) for d in drafts)
    lines = {
        "tasks": len(drafts),
        "rejected slots": len(made) - len(drafts),
        "drafts per second": f"{chosen.tasks / seconds:.0f} (per second of processor time {chosen.tasks / busy:.0f})",
        "near-duplicate pairs": len(pairs),
        "near-duplicate rate": f"{rate:.4%}",
        "exact duplicates": len(drafts) - len({d.prompt for d in drafts}),
        "skills seen": f"{len(skills)} of {len(SKILLS)} (least: {min(skills.values())} tasks)",
        "skill balance exp(H)/N": f"{balance(skills.values(), len(SKILLS)):.3f}",
        "domain balance exp(H)/N": f"{balance(domains.values(), len(DOMAINS)):.3f}",
        "skill combinations": len({frozenset(d.skills) for d in drafts}),
        "skill sequences": len({d.skills for d in drafts}),
        "skills per task": dict(sorted(Counter(len(d.skills) for d in drafts).items())),
        "checks per task": f"{sum(len(d.checks) for d in drafts) / len(drafts):.2f}",
        "difficulty": dict(sorted(Counter(d.difficulty for d in drafts).items())),
        "KiB per draft": f"median {sizes[len(sizes) // 2] / 1024:.1f}, largest {sizes[-1] / 1024:.1f}",
    }
    for name, value in lines.items():
        print(f"{name:26} {value}")
    for one, other, index in sorted(pairs, key=lambda p: -p[2])[: chosen.show]:
        print(f"\n--- {index:.3f} {drafts[one].skills}\n{drafts[one].prompt}\n--- and\n{drafts[other].prompt}")
    return 0 if rate <= chosen.at_most else 1


if __name__ == "__main__":
    sys.exit(main())
