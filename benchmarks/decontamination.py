"""Measures decontamination: every item of a benchmark planted in prompts and in trajectories, beside clean rows.

    python benchmarks/decontamination.py --humaneval HumanEval.jsonl.gz --gsm8k gsm8k_test.jsonl gsm8k_train.jsonl

Each text of each item is planted as it is, in capitals, wrapped at 40 letters, and programs with other names and other
indentation; once as the prompt, once within a command of a long trajectory. Clean rows: functions and documentation of
the standard library, and the other benchmark's items. Prints what was found of what was planted, by benchmark and way,
what is too short to be looked for, and what of the clean rows was dropped.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import keyword
import random
import re
import sysconfig
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from filters.contamination import Item, read_items
from filters.decontaminate import Decontaminate

FIXED = {*keyword.kwlist, *dir(builtins)}
WAYS: dict[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "re-cased": lambda text: text.upper(),
    "re-wrapped": lambda text: "\n".join(textwrap.wrap(" ".join(text.split()), 40, break_long_words=False)),
}


def renamed(text: str) -> str:
    """A program with every name of its own changed, one word where there were several."""
    names: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        word = found.group()
        return word if word in FIXED else names.setdefault(word, f"q{'abcdefghij'[len(names) % 10]}{len(names)}x")

    return re.sub(r"[A-Za-z_]\w*", other, textwrap.indent(text, "  "))


def rows(texts: list[str], *, within: bool) -> pl.LazyFrame:
    """A row for each text: as the prompt, or in a command in the middle of a conversation."""
    made = []
    for number, text in enumerate(texts):
        filler = random.Random(number)
        talk = [{"role": "user", "content": "Solve the task." if within else text}]
        for turn in range(8):
            command = (
                f"cat > /app/f{turn}.py <<'EOF'\n{text}\nEOF\n" if within and turn == 4 else f"ls -la /app/{turn}\n"
            )
            noise = " ".join(str(filler.random()) for _ in range(40))
            said = json.dumps({"analysis": "look", "plan": "go on", "commands": [{"keystrokes": command}]})
            talk += [
                {"role": "assistant", "content": said},
                {"role": "user", "content": f"New Terminal Output:\n{noise}"},
            ]
        made.append([json.dumps(message) for message in talk])
    return pl.LazyFrame({"messages": made}, schema={"messages": pl.List(pl.String)})


def reasons(filter: Decontaminate, texts: list[str], *, within: bool) -> list[str | None]:
    """Why each was dropped."""
    given = rows(texts, within=within)
    found: list[str | None] = given.select(why=filter.reject(given)).collect()["why"].to_list()
    return found


def planted(filter: Decontaminate, items: list[Item], name: str) -> None:
    """What is found of one benchmark."""
    index = filter._index()
    unseen = {(item.name, item.field) for item in index.unseen}
    seen = [item for item in items if (item.name, item.field) not in unseen]
    print(
        f"{name}: {len(items)} texts of {len({item.name for item in items})} items; too short to be looked for: ",
        end="",
    )
    print(dict(Counter(item.field for item in items if (item.name, item.field) in unseen)) or "none")
    for way, change in WAYS.items():
        show(name, way, filter, seen, change)
    short = {(item.name, item.field) for item in index.named_only}
    code = [item for item in seen if item.code and (item.name, item.field) not in short]
    print(f"  programs too short to be looked for with other names: {sum(item.code for item in seen) - len(code)}")
    if code:
        show(name, "renamed", filter, code, renamed)


def show(name: str, way: str, filter: Decontaminate, items: list[Item], change: Callable[[str], str]) -> None:
    """One line of the table."""
    for within in (False, True):
        found = reasons(filter, [change(item.text) for item in items], within=within)
        missed = Counter(item.field for item, why in zip(items, found, strict=True) if why is None)
        right = sum(item.name in (why or "") for item, why in zip(items, found, strict=True))
        where = "trajectory" if within else "prompt"
        total = f"found {len(items) - missed.total()} of {len(items)}, named {right}"
        print(f"  {way:<11}{where:<11} {total}; missed {dict(missed)}")


def library(count: int) -> Iterator[str]:
    """Functions of the standard library, and what its modules say of themselves."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and count > 0:
                count -= 1
                yield ast.get_source_segment(source, node) or ""


def main() -> None:
    """Plant, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humaneval", type=Path, required=True)
    parser.add_argument("--gsm8k", type=Path, nargs="+", required=True)
    asked = parser.parse_args()
    files = (asked.humaneval, *asked.gsm8k)
    for path in files:
        planted(Decontaminate(against=(path,)), read_items(path), path.name)
    every = Decontaminate(against=files)
    clean = list(library(3000))
    began = time.monotonic()
    dropped = [why for why in reasons(every, clean, within=True) if why]
    took = time.monotonic() - began
    print(f"clean: {len(dropped)} of {len(clean)} pieces of the standard library dropped, {took:.1f} s")
    print("\n".join(dropped[:10]))
    test = Decontaminate(against=asked.gsm8k[:1])
    for path in asked.gsm8k[1:]:
        questions = [item.text for item in read_items(path) if item.field == "question"]
        hits = [why for why in reasons(test, questions, within=False) if why]
        print(f"{path.name} beside {asked.gsm8k[0].name}: {len(hits)} of {len(questions)} questions dropped")
        print("\n".join(hits[:6]))


if __name__ == "__main__":
    main()
