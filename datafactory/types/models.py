"""Models that a run made."""

from __future__ import annotations

from typing import Any

from datafactory.types.record import Record


class Model(Record):
    """A student that was trained, and the one that it was before."""

    id: str = ""
    """`<run>-<12 hex>`, where the digits say what it was trained on, and how."""
    folder: str
    """Its folder, within the shelf's: what transformers loads and vLLM serves."""
    base: str
    """The student before: a folder within the shelf's, or a name on the hub."""
    base_on_hub: bool = False
    """Whether `base` is such a name."""
    base_revision: str = ""
    """Of a model on the hub: the commit or tag; empty: the newest at that time."""
    trainer: dict[str, Any] = {}
    """The trainer's recipe, as in the pipeline file."""
    facts: dict[str, Any] = {}
    """What came of it: rows, tokens, trained tokens, refused rows by reason, steps, losses (nats), weights."""
    seconds: float = 0.0
    """What training took."""

    @property
    def base_name(self) -> str:
        """What the student before is called: its name on the hub, or whose weights were drawn for it."""
        if not self.base_on_hub:
            return f"{self.id}, untrained"
        return f"{self.base}@{self.base_revision}" if self.base_revision else self.base
