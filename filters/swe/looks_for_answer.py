"""Drops attempts that looked for the answer: in history, on the network, in other copies, in the checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from datafactory.spec import Spec
from filters.swe.looking import Kind, Scan, Sign

if TYPE_CHECKING:
    import polars as pl

SHOWN = 120
"""Characters of a command in a reason."""
_SHELLS = {"execute_bash", "bash", "shell", "run"}
_CHANGING = {"create", "str_replace", "insert", "undo_edit"}


class LooksForAnswer(Spec):
    """Drops attempts whose commands look for the answer rather than work it out; whether they found it does not count.
    Attempts at other than SWE tasks pass.

    SWE-ZERO (arXiv 2604.01496) closes the repository's history instead; a box that does both has few such attempts."""

    use_name = "looks_for_answer"
    rowwise: ClassVar[bool] = True

    allow: tuple[Kind, ...] = ()
    """Kinds of signs that stay."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `repo` and `held_out`."""
        import polars as pl

        def seen(attempts: pl.Series) -> pl.Series:
            return pl.Series(attempts.name, [self._first(attempt) for attempt in attempts.to_list()], dtype=pl.String)

        attempts = pl.struct("messages", "repo", "held_out")
        return attempts.map_batches(seen, return_dtype=pl.String, is_elementwise=True)

    def _first(self, attempt: dict[str, Any]) -> str | None:
        if not attempt["repo"]:  # in a terminal task git's reflog may be just what is asked for
            return None
        found = signs(attempt["messages"] or (), attempt["repo"], attempt["held_out"] or ())
        sign = next((sign for sign in found if sign.kind not in self.allow), None)
        if sign is None:
            return None
        shown = " ".join(sign.shown.split())
        clipped = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        return f"looks_for_answer: {sign.kind}: {clipped}"


def signs(messages: Any, repo: str = "", held_out: Any = ()) -> Iterator[Sign]:
    """The signs in a conversation (its messages as JSON text), in order."""
    from filters.swe.looking.packages import names_of

    scan = Scan(names_of(repo), tuple(held_out))
    for text in messages:
        if '"assistant"' not in text:
            continue
        message = orjson.loads(text)
        if message.get("role") != "assistant":
            continue
        calls = message.get("tool_calls") or ()
        for call in calls:
            yield from _of_call(scan, call["function"])
        if not calls:
            for line in _typed(message.get("content") or ""):
                yield from scan.line(line)


def _of_call(scan: Scan, function: dict[str, Any]) -> Iterator[Sign]:
    given = function.get("arguments")
    if isinstance(given, str):  # as on the wire
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return
    if not isinstance(given, dict):
        return
    command, path = given.get("command"), given.get("path")
    if function.get("name") in _SHELLS and isinstance(command, str):
        yield from scan.line(command)
    elif isinstance(path, str):
        yield from scan.opened(path, edited=command in _CHANGING)


def _typed(content: str) -> Iterator[str]:
    """The keystrokes of an answer in the dialect Terminus 2."""
    if '"keystrokes"' not in content:
        return
    from datafactory.agent.terminus_parse import parse

    yield from (command.text for command in parse(content).commands)
