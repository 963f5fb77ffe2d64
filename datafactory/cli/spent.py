"""What was spent on teachers, and what may be, in words and as JSON."""

from __future__ import annotations

from typing import Any

from datafactory.calls import Budget, Spent

UNITS = {"calls": "calls", "tokens": "tokens", "gpu_hours": "GPU hours", "dollars": "US dollars"}
"""The caps of a budget, as a person calls them."""


def in_words(spent: Spent) -> str:
    """One line: `1,204 calls, 3,410,022 tokens (71 % of the prompts cached), 2.10 GPU hours, 5.2500 US dollars`."""
    parts = [f"{spent.calls:,} calls", f"{spent.tokens:,} tokens{_cached(spent)}"]
    if spent.gpu_seconds:
        parts.append(f"{spent.gpu_hours:,.2f} GPU hours")
    if spent.dollars:
        parts.append(f"{spent.dollars:,.4f} US dollars")
    return ", ".join(parts)


def _cached(spent: Spent) -> str:
    share = 100 * spent.cached_tokens / max(spent.prompt_tokens, 1)
    return f" ({share:.0f} % of the prompts cached)" if spent.cached_tokens else ""


def as_row(spent: Spent) -> dict[str, Any]:
    """All of it, for scripts."""
    return {
        "calls": spent.calls,
        "prompt_tokens": spent.prompt_tokens,
        "cached_tokens": spent.cached_tokens,
        "completion_tokens": spent.completion_tokens,
        "gpu_seconds": round(spent.gpu_seconds, 3),
        "dollars": round(spent.dollars, 6),
    }


def caps(budget: Budget) -> str:
    """The caps that there are: `at most 10,000 calls and 5 US dollars`; empty: none."""
    listed = [f"{cap:,} {UNITS[name]}" for name, cap in budget.model_dump(exclude_none=True).items()]
    return f"at most {' and '.join(listed)}" if listed else ""
