"""Skills that write a program and use it."""

from __future__ import annotations

from typing import Any

from generators.terminal_skills.artefacts import Column, Table, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.kernels import Kernel
from generators.terminal_skills.skill import Artefact, Judge, Move, Skill, Unfit, shell


def hidden_cases(bench: Bench, kernel: Kernel, count: int = 4) -> list[dict[str, Any]]:
    """Inputs that are not in the box, with what the program must print."""
    made = []
    for _ in range(count):
        lines = [kernel.draw(bench.rng) for _ in range(bench.rng.randint(5, 14))]
        made.append({"input": text_lines(lines), "output": text_lines(map(kernel.model, lines))})
    return made


def program_judge(path: str, cases: list[dict[str, Any]], *, direct: bool = False) -> Judge:
    argv = [path, "{input}"] if direct else ["python3", path, "{input}"]
    return Judge("program", {"path": path, "argv": argv, "cases": cases})


def write_tool(bench: Bench, item: Artefact) -> Move:
    kernel: Kernel = item.value["kernel"]
    direct = bench.chance(0.4)
    path = bench.wanted([kernel.name, "tool", "convert", "transform"], "" if direct else ".py")
    form = (
        "an executable script (any language this machine has, with a shebang line)" if direct else "a Python 3 program"
    )
    call = f"`{path} FILE`" if direct else f"`python3 {path} FILE`"
    text = bench.say(
        f"Write {form} at `{path}`. {call} must print, for each line of FILE (UTF-8) and in order, {kernel.said}. It"
        f" will also"
        " be run on other input files.",
        f"Build a small command-line tool, {form}, as `{path}`: called as {call} it prints one line per line of FILE"
        f" (UTF-8),"
        f" namely {kernel.said}. Inputs that you have not seen will be tried too.",
    )
    body = ("#!/usr/bin/env python3\n" if direct else "") + kernel.program()
    command = f"cat > %dst% <<'EOF'\n{body}EOF" + ("\nchmod 755 %dst%" if direct else "")
    step = shell("Write the program with a function per line and a small main part.", command, dst=path)
    value = {**item.value, "call": f"{path}" if direct else f"python3 {path}"}
    judge = program_judge(path, hidden_cases(bench, kernel), direct=direct)
    return Move(text, (Artefact("program", path, value, judged=False),), (step,), judges=(judge,))


def run_tool(bench: Bench, item: Artefact) -> Move:
    kernel: Kernel = item.value["kernel"]
    made = [kernel.model(line) for line in item.value["lines"]]
    path = bench.wanted(["results", "printed", "tool_output", "run"], ".txt")
    data = item.value["data"]
    text = bench.say(
        f"Run `{item.path}` on `{data}` and keep what it prints in `{path}`.",
        f"Save the (correct) output of `{item.path}` for `{data}` as `{path}`.",
        f"`{path}` gets the standard output of `{item.path}` on `{data}`.",
    )
    step = shell("Use the program on the given data.", f"{item.value['call']} %data% > %dst%", data=data, dst=path)
    return move("lines", path, made, text, step)


def tabulate_tool(bench: Bench, item: Artefact) -> Move:
    kernel: Kernel = item.value["kernel"]
    rows = [(str(i), line, kernel.model(line)) for i, line in enumerate(item.value["lines"], 1)]
    made = Table((Column("line", "id"), Column("input", "name"), Column("output", "category")), tuple(rows))
    path, data = bench.wanted(["pairs", "table", "conversion", "io_table"], ".csv"), item.value["data"]
    text = bench.say(
        f"Tabulate what `{item.path}` makes of `{data}`: CSV `{path}`, header `line,input,output`, a row per line"
        f" with its number"
        " from 1, the line, and the result.",
        f"Write `{path}`, a CSV file with the header `line,input,output`: number (from 1), text and converted text of"
        f" every"
        f" line of `{data}` according to `{item.path}`.",
    )
    code = (
        f"{item.value['call']} %data% > /tmp/converted && python3 - %data% %dst% <<'PY'\nimport csv, sys\n"
        "with open(sys.argv[1], encoding='utf-8') as a, open('/tmp/converted', encoding='utf-8') as b,"
        " open(sys.argv[2], 'w', newline='', encoding='utf-8') as out:\n"
        "    writer = csv.writer(out, lineterminator='\\n')\n    writer.writerow(['line', 'input', 'output'])\n"
        "    for n, (x, y) in enumerate(zip(a, b), 1):\n        writer.writerow([n, x.rstrip('\\n'),"
        " y.rstrip('\\n')])\nPY"
    )
    step = shell("Run it once and pair the lines.", code, data=data, dst=path)
    return move("table", path, made, text, step)


def wrap_pipeline(bench: Bench, item: Artefact) -> Move:
    kernel: Kernel = item.value["kernel"]
    path = bench.wanted(["tally", "summarise", "report_tool", "count_results"], ".sh")
    cases = hidden_cases(bench, kernel, 3)
    for case in cases:
        lines = case["output"].splitlines()
        found = sorted({(lines.count(x), x) for x in lines}, key=lambda p: (-p[0], p[1].encode()))
        case["output"] = text_lines(f"{n} {x}" for n, x in found)
    if item.value["kernel"].name == "caesar_shift":
        raise Unfit("lines hold blanks in a row")
    text = bench.say(
        f"Add a bash script `{path}`: `bash {path} FILE` runs `{item.path}` on FILE and prints each distinct result"
        f" line once as"
        " `<count> <line>`, highest count first, equal counts in byte order of the line. It is tried on other files"
        " as well.",
        f"Also write `{path}` for bash. Called as `bash {path} FILE`, it counts how often each line occurs in the"
        f" output of"
        f" `{item.path}` for FILE and prints `<count> <line>`, by count descending, then line in byte order; expect"
        f" unseen"
        " files.",
    )
    body = (
        "#!/usr/bin/env bash\nset -euo pipefail\nexport LC_ALL=C\n"
        f'PYTHONIOENCODING=utf-8 {item.value["call"]} "$1" | sort | uniq -c | sed \'s/^ *//\' | sort -t" " -k1,1nr'
        f" -k2\n"
    )
    step = shell("A pipeline in the C locale.", f"cat > %dst% <<'EOF'\n{body}EOF\nchmod 755 %dst%", dst=path)
    judge = Judge("program", {"path": path, "argv": ["bash", path, "{input}"], "cases": cases})
    return Move(text, (Artefact("program", item.path, item.value, judged=False),), (step,), judges=(judge,))


SKILLS = (
    Skill("write_tool", "assignment", "program", 3.0, write_tool),
    Skill("run_tool", "program", "lines", 0.5, run_tool),
    Skill("tabulate_tool", "program", "table", 1.0, tabulate_tool),
    Skill("wrap_pipeline", "program", "program", 2.0, wrap_pipeline),
)
