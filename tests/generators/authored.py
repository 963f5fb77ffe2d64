"""A chat that says what it is told to, and a good task for it to say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from datafactory.protocols import Episode
from datafactory.types import Message, Reply, Usage
from datafactory.types.messages import Finish

CHECK = """from pathlib import Path

path = Path("/app/report.txt")
assert path.exists(), "there is no report.txt"
totals = {}
for line in Path("/app/data/sales.csv").read_text().splitlines()[1:]:
    shop, _, amount = line.rpartition(",")
    totals[shop] = totals.get(shop, 0) + int(amount or 0)
wanted = [f"{shop}: {totals[shop]}" for shop in sorted(totals)]
assert path.read_text().splitlines() == wanted, "the totals are wrong"
"""

AWK = "awk -F, 'NR > 1 {t[$1] += $2} END {for (s in t) print s \": \" t[s]}' data/sales.csv | sort > report.txt"

GOOD: dict[str, Any] = {
    "title": "Sales by shop",
    "instruction": (
        "`/app/data/sales.csv` holds a line for each sale. Write the total of every shop to `/app/report.txt`, "
        "one line a shop as `<shop>: <total>`, sorted by shop. An empty amount counts as 0."
    ),
    "files": [{"path": "data/sales.csv", "content": "shop,amount\nPorto,3\nBergen,4\nPorto,\n"}],
    "checks": [
        {"name": "totals", "program": CHECK, "weight": 3},
        {"name": "newline", "program": "assert open('/app/report.txt').read().endswith('\\n')", "weight": 1.0},
    ],
    "solution": [
        {"thought": "Look at the data.", "command": "head data/sales.csv"},
        {
            "thought": "Add up by shop.",
            "command": AWK,
        },
    ],
    "difficulty": "easy",
    "skills": ["group and aggregate with ties"],
}


def changed(**changes: Any) -> dict[str, Any]:
    """The good task with some fields changed."""
    return GOOD | changes


class CannedChat:
    """Answers with `answers`, one after another and the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: str | Mapping[str, Any], finish: Finish = "stop") -> None:
        self.answers = [a if isinstance(a, str) else json.dumps(a) for a in answers]
        self.finish: Finish = finish
        self.asked: list[str] = []
        self.schemas: list[Mapping[str, Any] | None] = []
        self.episodes: list[Episode | None] = []

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        self.asked.append(messages[-1].content)
        self.schemas.append(schema)
        self.episodes.append(episode)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return Reply(
            message=Message(role="assistant", content=answer),
            finish=self.finish,
            usage=Usage(prompt_tokens=900, completion_tokens=400),
            model="canned-1",
        )
