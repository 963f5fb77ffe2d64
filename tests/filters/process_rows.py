"""Hand-made attempts, with every column of the dataset."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from datafactory.protocols import Filter
from datafactory.table import empty

Message = dict[str, Any]

PATCH = """\
diff --git a/src/core.py b/src/core.py
--- a/src/core.py
+++ b/src/core.py
@@ -1,3 +1,3 @@
 def low(a, b):
-    return a < b
+    return a <= b

"""


def call(name: str, **arguments: Any) -> Message:
    """An answer with one tool call."""
    made = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


def bash(line: str) -> Message:
    """A command, as OpenHands' tools have it."""
    return call("execute_bash", command=line)


def edit(path: str, old: str = "a < b", new: str = "a <= b") -> Message:
    """An edit, likewise."""
    return call("str_replace_editor", command="str_replace", path=path, old_str=old, new_str=new)


def result(text: str = "done\n[exit code 0]") -> Message:
    """What a tool gives back."""
    return {"role": "tool", "content": text, "tool_call_id": "c"}


def said(text: str, role: str = "assistant") -> Message:
    """Plain words."""
    return {"role": role, "content": text}


def frame(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Rows with every column; what is not given is as at an attempt of `openhands` at a repository."""
    schema = empty().collect_schema()
    made = []
    for number, row in enumerate(rows):
        messages = row["messages"]
        train = [message["role"] == "assistant" for message in messages]
        whole = {
            "id": f"t/{number}",
            "task_id": "t",
            "attempt": number,
            "agent": "openhands",
            "repo": "toolz",
            "instruction": "Comparing equal numbers gives the wrong answer.",
            "stop": "submitted",
            "model_patch": PATCH,
            "train_turns": train,
            "n_turns": sum(train),
            "n_faults": 0,
            "tools": [],
            **row,
        }
        whole["messages"] = [json.dumps(message, ensure_ascii=False) for message in messages]
        made.append({name: whole.get(name) for name in schema})
    return pl.LazyFrame(made, schema=schema)


def why(filter: Filter, *messages: Message, **row: Any) -> str | None:
    """Why an attempt was dropped."""
    rows = frame({"messages": [said("Mend it.", "user"), *messages], **row})
    return rows.select(why=filter.reject(rows)).collect()["why"].to_list()[0]
