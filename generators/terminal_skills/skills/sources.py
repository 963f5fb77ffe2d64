"""Skills on trees of source code."""

from __future__ import annotations

import re

from datafactory.types import File
from generators.terminal_skills.artefacts import Column, Graph, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell

WALK = """
import os, re

modules = {}
for folder, _, names in os.walk($src):
    for name in names:
        if name.endswith('.py'):
            full = os.path.join(folder, name)
            modules[os.path.relpath(full, $src)] = open(full, encoding='utf-8').read()
"""


def find_remarks(bench: Bench, item: Artefact) -> Move:
    rows = []
    for name, file in sorted(item.value["tree"].items()):
        for number, line in enumerate(file.text.splitlines(), 1):
            found = re.search(r"# (TODO|FIXME)\((\w+)\): (.*)", line)
            rows += [(name, str(number), found[1], found[2], found[3])] if found else []
    names = ("file", "line", "tag", "owner", "text")
    roles = ("name", "int", "category", "name", "name")
    made = Table(tuple(map(Column, names, roles)), ()).but(rows)
    path = bench.wanted(["remarks", "todo", "open_items", "debt"], ".csv")
    text = bench.say(
        f"Collect the `# TODO(owner): text` and `# FIXME(owner): text` comments of all `.py` files below"
        f" `{item.path}/` in CSV"
        f" `{path}`, header `file,line,tag,owner,text`: relative path, line from 1, `TODO` or `FIXME`, owner, text;"
        f" sorted by"
        " path in byte order, then line.",
        f"`{path}` (CSV with header `file,line,tag,owner,text`) lists every TODO and FIXME comment, written as"
        f" `# TAG(owner): text`, in the Python files below `{item.path}/`, by relative path (bytes) and line number"
        f" (from 1).",
    )
    step = python(
        "A pattern over each line of each module.",
        WALK
        + """
with open($dst, 'w', encoding='utf-8') as f:
    f.write('file,line,tag,owner,text\\n')
    for name in sorted(modules):
        for number, line in enumerate(modules[name].split('\\n'), 1):
            for found in re.findall(r'# (TODO|FIXME)\\((\\w+)\\): (.*)', line):
                f.write(','.join([name, str(number), *found]) + '\\n')
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def trace_imports(bench: Bench, item: Artefact) -> Move:
    edges = []
    for name, file in item.value["tree"].items():
        lines = file.text.splitlines()
        module = name.rsplit("/", 1)[-1][:-3]
        edges += [(module, line.split()[1], len(lines)) for line in lines if line.startswith("import ")]
    if len(edges) < 4:
        raise Unfit("hardly any import")
    path = bench.wanted(["imports", "module_graph", "import_edges", "uses"], ".txt")
    text = bench.say(
        f"Write the import graph of the modules below `{item.path}/` to `{path}`: a line `<module> <imported module>"
        f" <lines>`"
        " per import statement, with bare module names and the number of lines of the importing file, sorted by the"
        " whole line"
        " in byte order.",
        f"For every `import` in the Python files below `{item.path}/` put a line `<importing module> <imported"
        f" module> <n>` in"
        f" `{path}` (module names without folder and suffix; n: how many lines the importing file has); lines in byte"
        f" order.",
    )
    step = shell(
        "awk over each file, with its line count.",
        """
        find %src% -name '*.py' | while IFS= read -r f; do
          awk -v m="$(basename "$f" .py)" -v n="$(wc -l < "$f")" '$1 == "import" { print m, $2, n }' "$f"
        done | LC_ALL=C sort > %dst%
        """,
        src=item.path,
        dst=path,
    )
    edges.sort(key=lambda e: f"{e[0]} {e[1]} {e[2]}")
    return move("edges", path, Graph(tuple(edges)), text, step)


def index_functions(bench: Bench, item: Artefact) -> Move:
    rows = []
    for name, file in sorted(item.value["tree"].items()):
        for found in re.finditer(r"^def (\w+)\((.*)\):", file.text, re.M):
            line = file.text[: found.start()].count("\n") + 1
            rows.append((found[1], name, str(line), str(len(found[2].split(",")) if found[2] else 0)))
    names, roles = ("function", "file", "line", "arguments"), ("name", "name", "int", "int")
    made = Table(tuple(map(Column, names, roles)), ()).but(sorted(rows, key=lambda r: (r[0], r[1])))
    path = bench.wanted(["functions", "api", "symbols", "definitions"], ".csv")
    text = bench.say(
        f"Index the functions defined in the `.py` files below `{item.path}/`: CSV `{path}`, header"
        " `function,file,line,arguments` (relative path, line of the `def` from 1, number of arguments), sorted by"
        " function,"
        " then file, in byte order.",
        f"`{path}`, CSV with header `function,file,line,arguments`: every function of the Python files below"
        f" `{item.path}/`,"
        " where it is (relative path, line number from 1) and how many arguments it takes; byte order of function,"
        " then file.",
    )
    step = python(
        "The syntax tree knows lines and arguments.",
        WALK
        + """
import ast

rows = []
for name, source in modules.items():
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            rows.append((node.name, name, node.lineno, len(node.args.args)))
with open($dst, 'w') as f:
    f.write('function,file,line,arguments\\n')
    f.writelines('%s,%s,%d,%d\\n' % row for row in sorted(rows))
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def rename_function(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value["tree"]
    used = sorted({m for f in tree.values() for m in re.findall(r"^def (\w+)", f.text, re.M)})
    old, new = bench.pick(used), f"{bench.slug()}_{bench.slug()}"
    made = {n: File(data=re.sub(rf"\b{old}\b", new, f.text).encode()) for n, f in tree.items()}
    path = bench.wanted(["refactored", "renamed", "src_next", "updated"])
    text = bench.say(
        f"Copy `{item.path}/` to `{path}/` and rename the identifier `{old}` to `{new}` there wherever it stands as a"
        f" whole word"
        " (also in comments, texts and imports); file names and all else stay.",
        f"Refactor: `{path}/` is `{item.path}/` with every whole word `{old}` changed to `{new}` in all files. Longer"
        f" words that"
        " contain it, file names and the original folder stay.",
    )
    step = shell(
        "Copy, then substitute at word boundaries.",
        f"mkdir -p %dst% && cp -r %src%/. %dst%/\nfind %dst% -type f -exec sed -i 's/\\b{old}\\b/{new}/g' {{}} +",
        src=item.path,
        dst=path,
    )
    return Move(
        text,
        (Artefact("sources", path, {**item.value, "tree": made}),),
        (step,),
    )


SKILLS = (
    Skill("find_remarks", "sources", "table", 1.5, find_remarks),
    Skill("trace_imports", "sources", "edges", 1.5, trace_imports),
    Skill("index_functions", "sources", "table", 2.0, index_functions),
    Skill("rename_function", "sources", "sources", 1.5, rename_function),
)
