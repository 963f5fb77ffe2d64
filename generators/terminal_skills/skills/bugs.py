"""Skills of finding what is wrong: broken programs, wrong records of theirs, settings that drifted apart."""

from __future__ import annotations

import json
from typing import Any

from datafactory.types import files
from generators.terminal_skills.artefacts import Column, Table, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.kernels import Kernel
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell
from generators.terminal_skills.skills.tooling import hidden_cases, program_judge


def run_source(source: str, lines: list[str]) -> list[str]:
    """What a broken program of ours makes of each line; its exceptions show as `error`."""
    space: dict[str, Any] = {"__name__": "module"}
    exec(compile(source, "module", "exec"), space)
    made = []
    for line in lines:
        try:
            made.append(str(space["convert"](line)))
        except (ValueError, IndexError, KeyError, TypeError):
            made.append("error")
    return made


def fix_module(bench: Bench, item: Artefact) -> Move:
    kernel: Kernel = item.value["kernel"]
    cases = hidden_cases(bench, kernel, 6)
    for case in cases:
        if run_source(item.value["broken"], case["input"].splitlines()) != case["output"].splitlines():
            break
    else:
        raise Unfit("the hidden inputs do not show the bug")
    text = bench.say(
        f"`{item.path}` gives wrong results. Repair it in place; for each line of its input it must print"
        f" {kernel.said}. Keep how"
        " it is called; it will be run on other inputs.",
        f"There is a bug (or more than one) in `{item.path}`. What it should print for each line is {kernel.said}."
        f" Fix the"
        " file itself without changing how it is called; files you have not seen will be used to try it.",
    )
    step = python(
        "Reading the code against its purpose shows what is wrong; edit just that.",
        """
        path = $path
        source = open(path, encoding='utf-8').read()
        for wrong, right in $fixes:
            assert wrong in source, wrong
            source = source.replace(wrong, right, 1)
        open(path, 'w', encoding='utf-8').write(source)
        """,
        path=item.path,
        fixes=item.value["fixes"],
    )
    source = item.value["broken"]
    for wrong, right in item.value["fixes"]:
        source = source.replace(wrong, right, 1)
    if source != item.value["fixed"]:
        raise Unfit("the bugs overlap")
    value = {**item.value, "call": f"python3 {item.path}"}
    judge = program_judge(item.path, cases)
    return Move(text, (Artefact("program", item.path, value, judged=False),), (step,), judges=(judge,))


def list_disagreements(bench: Bench, item: Artefact) -> Move:
    if "broken" not in item.value:
        raise Unfit("there never was a bug")
    kernel: Kernel = item.value["kernel"]
    lines = item.value["lines"] + [kernel.draw(bench.rng) for _ in range(20)]
    recorded = run_source(item.value["broken"], lines)
    rows = [(str(i), r, kernel.model(line)) for i, (line, r) in enumerate(zip(lines, recorded, strict=True), 1)]
    columns = (Column("line", "id"), Column("recorded", "name"), Column("correct", "name"))
    made = Table(columns, ()).but(r for r in rows if r[1] != r[2])
    given, old = (
        bench.given(["asked", "past_inputs", "history"], ".txt"),
        bench.given(["answered", "past_outputs"], ".txt"),
    )
    path = bench.wanted(["wrong", "disagreements", "corrections", "regressions"], ".csv")
    text = bench.say(
        f"Find out which past answers were wrong: CSV `{path}`, header `line,recorded,correct`, for each line of"
        f" `{given}` whose"
        f" recorded answer in `{old}` is not what the repaired `{item.path}` gives: line number (from 1), recorded"
        f" answer,"
        " correct answer; in file order.",
        f"Compare `{old}` with what a correct `{item.path}` prints for `{given}`. Each difference is a row of the CSV"
        f" file"
        f" `{path}` (header `line,recorded,correct`): line number from 1, what was recorded, what is right.",
    )
    command = (
        f"{item.value['call']} %given% > /tmp/right.txt && python3 - %old% %dst% <<'PY'\nimport csv, sys\n"
        "old = open(sys.argv[1], encoding='utf-8').read().split('\\n')[:-1]\n"
        "right = open('/tmp/right.txt', encoding='utf-8').read().split('\\n')[:-1]\n"
        "with open(sys.argv[2], 'w', newline='', encoding='utf-8') as f:\n"
        "    writer = csv.writer(f, lineterminator='\\n')\n    writer.writerow(['line', 'recorded', 'correct'])\n"
        "    writer.writerows([n, a, b] for n, (a, b) in enumerate(zip(old, right), 1) if a != b)\nPY"
    )
    step = shell("Run the repaired program and compare line by line.", command, given=given, old=old, dst=path)
    note = f"`{given}` has lines that the faulty program was once given, and `{old}` its answers, line for line."
    extra = files({given: text_lines(lines), old: text_lines(recorded)})
    return move("table", path, made, text, step, files=extra, inputs=(note,))


def compare_settings(bench: Bench, item: Artefact) -> Move:
    mine: dict[str, Any] = item.value
    other = {k: bench.slug() if bench.chance(0.2) else v for k, v in mine.items() if not bench.chance(0.15)}
    other.update({f"{bench.slug()}.{bench.slug()}": bench.rng.randint(1, 99) for _ in range(2)})
    source = bench.given(["production", "other_host", "yesterday", "reference_settings"], ".json")

    def shown(settings: dict[str, Any], key: str) -> str:
        return json.dumps(settings[key], ensure_ascii=False) if key in settings else ""

    keys = sorted(k for k in {*mine, *other} if shown(mine, k) != shown(other, k))
    columns = (Column("key", "id"), Column("here", "name"), Column("there", "name"))
    made = Table(columns, ()).but((k, shown(mine, k), shown(other, k)) for k in keys)
    path = bench.wanted(["drift", "settings_diff", "differences", "deviations"], ".csv")
    text = bench.say(
        f"Compare the flat JSON objects `{item.path}` (here) and `{source}` (there). CSV `{path}`, header"
        f" `key,here,there`: a row"
        " per key that is missing on one side or has different values, in byte order; values as JSON (texts in double"
        " quotes, characters beyond ASCII as they are), an empty cell where the key is missing.",
        f"Which settings differ between `{item.path}` and `{source}`? Write CSV rows `key,here,there` (header"
        f" included) to"
        f" `{path}`, sorted by key in byte order: the value in the first and in the second file in JSON notation (so"
        f" texts"
        " keep double quotes, nothing beyond ASCII is escaped), empty where there is none.",
    )
    step = python(
        "Compare the union of the keys.",
        """
        import csv, json

        here, there = (json.load(open(p, encoding='utf-8')) for p in ($src, $source))
        show = lambda d, k: json.dumps(d[k], ensure_ascii=False) if k in d else ''
        with open($dst, 'w', newline='', encoding='utf-8') as f:
            writer = csv.writer(f, lineterminator='\\n')
            writer.writerow(['key', 'here', 'there'])
            for key in sorted({**here, **there}):
                if show(here, key) != show(there, key):
                    writer.writerow([key, show(here, key), show(there, key)])
        """,
        src=item.path,
        source=source,
        dst=path,
    )
    extra = files({source: json.dumps(other, indent=2, ensure_ascii=False) + "\n"})
    note = f"`{source}` is a flat JSON object of settings from elsewhere."
    return move("table", path, made, text, step, files=extra, inputs=(note,))


SKILLS = (
    Skill("fix_module", "module", "program", 3.0, fix_module),
    Skill("list_disagreements", "program", "table", 2.0, list_disagreements),
    Skill("compare_settings", "settings", "table", 1.5, compare_settings),
)
