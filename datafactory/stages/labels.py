"""What the components of one stage are called in keys, funnels and reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def label(component: object) -> str:
    """A component's name in the pipeline file; its class's where it has none."""
    return str(getattr(component, "use_name", "") or type(component).__name__)


def labels(components: Sequence[object]) -> list[str]:
    """A name for each component: its own, numbered from the second of a kind on."""
    seen: Counter[str] = Counter()
    made = []
    for name in map(label, components):
        seen[name] += 1
        made.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return made
