"""The order in which a corpus's things and facts are asked about: each once, rare relations early."""

from __future__ import annotations

from generators.search.facts import Fact, FactsIndex
from generators.search.phrases import can_ask

_SHARES = {
    "title": 45.0,
    "made_in": 10.0,
    "made_by": 10.0,
    "made_at": 5.0,
    "default": 8.0,
    "added_in": 8.0,
    "abbreviation": 6.0,
    "source": 5.0,
    "event": 2.0,
    "changed_in": 3.0,
    "deprecated_in": 3.0,
    "removed_in": 2.0,
    "stable_since": 1.0,
}
"""Parts of the questions that ask for each, as long as there are any."""


class Roots:
    """A shuffled list, 16 bytes for each thing and fact."""

    def __init__(self, index: FactsIndex, seed: int) -> None:
        import numpy as np

        self._index = index
        self._groups = [group for group in index.roots() if group[0] == "title" or can_ask(group[0])]
        random = np.random.default_rng(seed)
        waits, codes = [], []
        for code, (relation, _, rows) in enumerate(self._groups):
            waits.append(random.permutation(np.cumsum(random.exponential(1 / _SHARES.get(relation, 1.0), rows))))
            codes.append(np.stack([np.full(rows, code), np.arange(rows)], axis=1))
        every = np.concatenate(codes) if codes else np.zeros((0, 2), dtype=np.int64)
        order = np.argsort(np.concatenate(waits), kind="stable") if waits else np.zeros(0, dtype=np.int64)
        self._order = every[order]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._order)

    def take(self, number: int) -> tuple[int, Fact | None]:
        """A page, and the fact of it whose value is asked for; None: its name is."""
        code, row = self._order[number].tolist()
        relation, first, _ = self._groups[code]
        return self._index.root(relation, first + row)
