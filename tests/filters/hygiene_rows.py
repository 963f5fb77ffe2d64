"""Hand-made rows for the filters on text."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from datafactory.protocols import Filter

Row = dict[str, Any]
SCHEMA = {
    **dict.fromkeys(("id", "instruction", "task", "stop"), pl.String),
    **dict.fromkeys(("messages", "tools"), pl.List(pl.String)),
    "train_turns": pl.List(pl.Boolean),
    **dict.fromkeys(("n_turns", "n_faults", "n_chars", "completion_tokens", "student_tokens"), pl.Int64),
}


def said(text: str, *, thought: str | None = None, calls: list[dict[str, Any]] | None = None) -> Row:
    """An answer of the teacher."""
    made: Row = {"role": "assistant", "content": text}
    if thought is not None:
        made["reasoning_content"] = thought
    if calls is not None:
        made["tool_calls"] = [
            {"id": f"c{number}", "type": "function", "function": {"name": "run", "arguments": arguments}}
            for number, arguments in enumerate(calls)
        ]
    return made


def shown(text: str, role: str = "user") -> Row:
    """What the teacher is shown."""
    return {"role": role, "content": text}


def typed(keys: str, analysis: str = "next") -> Row:
    """An answer in a text dialect, which types keys."""
    return said(
        json.dumps({"analysis": analysis, "plan": "go on", "commands": [{"keystrokes": keys}]}, ensure_ascii=False)
    )


def frame(*rows: Row, ascii_only: bool = False) -> pl.LazyFrame:
    """Rows of the dataset, with what the filters on text read; `messages` are objects."""
    made = []
    for number, row in enumerate(rows):
        messages = row["messages"]
        turns = [message["role"] == "assistant" for message in messages]
        whole = {"id": f"t/{number}", "instruction": "go", "task": None, "stop": "submitted", "tools": [], **row}
        texts = [json.dumps(message, ensure_ascii=ascii_only) for message in messages]
        counted = {"train_turns": turns, "n_turns": sum(turns), "n_faults": 0, "n_chars": sum(map(len, texts))}
        made.append({**counted, **whole, "messages": texts, "completion_tokens": 0, "student_tokens": None})
    return pl.LazyFrame(made, schema=SCHEMA)


def reasons(filter: Filter, *rows: Row, ascii_only: bool = False) -> list[str | None]:
    """For each row, why it was dropped."""
    given = frame(*rows, ascii_only=ascii_only)
    return given.select(why=filter.reject(given)).collect()["why"].to_list()


def why(filter: Filter, *messages: Row, ascii_only: bool = False, **row: Any) -> str | None:
    """Why a conversation was dropped."""
    return reasons(filter, {"messages": list(messages), **row}, ascii_only=ascii_only)[0]
