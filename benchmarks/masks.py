"""Holds the trained tokens of real rows against the assistant turns that they should be, row by row.

    python benchmarks/masks.py RUN [RUN ...] [--limit 1000] [--student FOLDER_OR_NAME]

Of each run, the attempts of its last stage that has any become rows as in a dataset, and tokens as in training. Without
`--student` a tokenizer is trained on a part of the rows, with Qwen3's template. What is expected is found without the
renderer: the whole row is decoded, and what stands between the opening of an assistant's turn and its end is the turn;
it must hold the message's text and its calls. Every span of trained tokens must decode to one marked turn, with its
end, and no other token may be trained. Prints a line for each dialect, and the first row that fails.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from datafactory.storage import RECORDS, Tasks, lines, open_run
from datafactory.table import row
from datafactory.types import Trajectory

TURN = re.compile(r"<\|im_start\|>assistant\n(.*?<\|im_end\|>)", re.DOTALL)


def rows(run: Path, limit: int) -> Iterator[dict[str, Any]]:
    """The attempts of a run as rows, with messages as JSON values."""
    folder = open_run(run)
    tasks = Tasks(folder)
    stage = [each for each in folder.stages if "messages" in next(each.records(), {})][-1]
    for line in islice(lines(stage.path / RECORDS), limit):
        attempt = Trajectory.model_validate_json(line)
        yield row(attempt, tasks.get(attempt.task_id))


def spans(trained: Any) -> list[tuple[int, int]]:
    """Where runs of trained tokens begin and end."""
    edges = [at for at in range(1, len(trained)) if trained[at] != trained[at - 1]]
    bounds = [0, *edges, len(trained)]
    return [(one, other) for one, other in pairwise(bounds) if trained[one]]


def differs(made: dict[str, Any], renderer: Any, tokenizer: Any) -> str:
    """What is wrong with the row's mask; empty: nothing."""
    rendered = renderer.render(made)
    turns = TURN.findall(tokenizer.decode(rendered.ids, skip_special_tokens=False))
    answers = [message for message in made["messages"] if message["role"] == "assistant"]
    marked = [at for at, message in enumerate(made["messages"]) if message["role"] == "assistant"]
    wanted = [turns[place] for place, at in enumerate(marked) if made["train_turns"][at]]
    found = [tokenizer.decode(rendered.ids[a:b], skip_special_tokens=False) for a, b in spans(rendered.trained)]
    if found != wanted:
        return f"{len(found)} spans, {len(wanted)} turns; first that differs: {_first(found, wanted)}"
    for place, turn in enumerate(turns):
        for part in _parts(answers[place]):
            if part not in turn:
                return f"turn {place} does not hold {part[:80]!r}"
    return ""


def _parts(message: dict[str, Any]) -> Iterator[str]:
    # Templates take thoughts that stand in the text for thoughts, and set them on lines of their own.
    yield from (part.strip() for part in re.split("</?think>", message.get("content") or ""))
    for call in message.get("tool_calls") or ():
        yield json.dumps(call["function"]["name"])
        yield from (json.dumps(value, ensure_ascii=False)[1:-1] for value in _texts(call["function"]["arguments"]))


def _texts(arguments: Any) -> Iterator[str]:
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    yield from (value for value in given.values() if isinstance(value, str))


def _first(found: list[str], wanted: list[str]) -> str:
    pairs = ((one, other) for one, other in zip(found, wanted, strict=False) if one != other)
    return repr([text[-120:] for text in next(pairs, ("", ""))])


def main() -> None:
    """Check every row and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--student", default="")
    asked = parser.parse_args()
    from transformers import AutoTokenizer

    from sft.rendering import Renderer
    from sft.scratch import Scratch

    with tempfile.TemporaryDirectory() as folder:
        if not asked.student:
            sample = [each for run in asked.runs for each in rows(run, 100)]
            Scratch(layers=1, hidden=64, heads=2, vocabulary=4096).make(sample, Path(folder) / "student", seed=1)
        tokenizer = AutoTokenizer.from_pretrained(asked.student or Path(folder) / "student")
        renderer = Renderer(tokenizer)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for run in asked.runs:
            for made in rows(run, asked.limit):
                wrong = differs(made, renderer, tokenizer)
                counts[made["agent"]].update({"rows": 1, "turns": sum(made["train_turns"]), "wrong": bool(wrong)})
                if wrong and counts[made["agent"]]["wrong"] == 1:
                    print(f"{run} {made['id']}: {wrong}")
    for agent, count in sorted(counts.items()):
        print(f"{agent:14} {count['rows']:6,} rows {count['turns']:8,} turns  wrong: {count['wrong']}")
    if any(count["wrong"] for count in counts.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
