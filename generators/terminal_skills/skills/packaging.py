"""Skills of dependency work: parse requirements, resolve versions, read an index."""

from __future__ import annotations

import re

from generators.terminal_skills.artefacts import Column, Graph, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.fixtures.packages import Index, version_key
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing, python

PINS = (Column("package", "package"), Column("operator", "category"), Column("version", "version"))
LOAD = """
import json

index = json.load(open($src))
key = lambda version: [int(part) for part in version.split('.')]
"""


def parse_requirements(bench: Bench, item: Artefact) -> Move:
    rows = sorted((re.sub(r"[-_.]+", "-", name).lower(), op, version) for name, op, version in item.value)
    if len({r[0] for r in rows}) < len(rows):
        raise Unfit("names repeat")
    made = Table(PINS, tuple(rows))
    path = bench.wanted(["parsed", "requirements_table", "normalised", "pins"], ".csv")
    text = bench.say(
        f"Parse `{item.path}` into the CSV file `{path}`, header `package,operator,version`: names normalised (lower"
        f" case, each"
        " run of `-`, `_` and `.` becomes one `-`), without extras, markers and comments; sorted by package in byte"
        " order.",
        f"`{path}` (CSV, header `package,operator,version`) has a row per entry of `{item.path}`, ordered by package"
        f" in byte"
        " order. In package names every run of hyphens, underscores and dots is one `-`, and capitals become lower"
        " case; drop"
        " extras, markers and comments.",
    )
    step = python(
        "One pattern for name, extras, operator and version.",
        r"""
        import re

        shape = re.compile(r'([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(==|>=|~=|<)\s*([0-9.]+)')
        rows = []
        for line in open($src):
            found = shape.match(line.strip())
            if found:
                name, operator, version = found.groups()
                rows.append([re.sub('[-_.]+', '-', name).lower(), operator, version])
        with open($dst, 'w') as f:
            f.write('package,operator,version\n')
            f.writelines(','.join(row) + '\n' for row in sorted(rows))
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def resolve_minimal(bench: Bench, item: Artefact) -> Move:
    index: Index = item.value
    tops = sorted(bench.some([n for n in index if any(v["requires"] for v in index[n].values())] or list(index), 2, 4))
    roots = {n: bench.pick(sorted(index[n])) for n in tops}
    seen, todo = set(roots.items()), list(roots.items())
    while todo:
        name, version = todo.pop()
        for pair in index[name][version]["requires"].items():
            if pair not in seen:
                seen.add(pair)
                todo.append(pair)
    chosen = {n: max((v for m, v in seen if m == n), key=version_key) for n, _ in seen}
    columns = (Column("package", "package"), Column("version", "version"), Column("size", "int"))
    made = Table(columns, tuple((n, chosen[n], str(index[n][chosen[n]]["size"])) for n in sorted(chosen)))
    path = bench.wanted(["lock", "resolved", "selection", "install_plan"], ".csv")
    wanted = listing([f"`{n}` {v}" for n, v in roots.items()], mark="")
    text = bench.say(
        f"Resolve {wanted} against `{item.path}` by minimal version selection: beginning with these versions, follow"
        f" `requires`"
        " from every version reached to the exact minimum versions it names; of each package the highest version"
        " reached is"
        f" chosen. CSV `{path}`, header `package,version,size`, sorted by package in byte order.",
        f"Lock the dependencies of {wanted} (minimal version selection over `{item.path}`: collect all versions that"
        f" can be"
        " reached through the minimums in `requires`, also from versions that are not chosen in the end, then choose"
        " the"
        f" highest one collected per package). Write `package,version,size` rows with that header to `{path}` (CSV,"
        f" packages"
        " in byte order).",
    )
    step = python(
        "Collect every pair that is reached, then take the highest version of each package.",
        LOAD
        + """
reached = set()

def visit(name, version):
    if (name, version) not in reached:
        reached.add((name, version))
        for pair in index[name][version]['requires'].items():
            visit(*pair)

for pair in $roots.items():
    visit(*pair)
chosen = {}
for name, version in reached:
    if name not in chosen or key(version) > key(chosen[name]):
        chosen[name] = version
with open($dst, 'w') as f:
    f.write('package,version,size\\n')
    for name in sorted(chosen):
        f.write(f"{name},{chosen[name]},{index[name][chosen[name]]['size']}\\n")
""",
        src=item.path,
        dst=path,
        roots=roots,
    )
    return move("table", path, made, text, step)


def latest_versions(bench: Bench, item: Artefact) -> Move:
    index: Index = item.value
    latest = {n: max(index[n], key=version_key) for n in sorted(index)}
    columns = (
        Column("package", "package"),
        Column("version", "version"),
        Column("requires", "int"),
        Column("size", "int"),
    )
    made = Table(
        columns,
        tuple((n, v, str(len(index[n][v]["requires"])), str(index[n][v]["size"])) for n, v in latest.items()),
    )
    path = bench.wanted(["latest", "newest", "heads", "current"], ".csv")
    text = bench.say(
        f"Find the highest version of each package in `{item.path}`: CSV `{path}`, header"
        f" `package,version,requires,size`"
        " (`requires`: how many packages that version needs directly), packages in byte order.",
        f"`{path}` (CSV, `package,version,requires,size`): each package of `{item.path}` with its highest version,"
        f" the number"
        " of that version's direct requirements and its size; ascending byte order of the package.",
    )
    step = python(
        "Versions compare as lists of numbers.",
        LOAD
        + """
with open($dst, 'w') as f:
    f.write('package,version,requires,size\\n')
    for name in sorted(index):
        version = max(index[name], key=key)
        entry = index[name][version]
        f.write(f"{name},{version},{len(entry['requires'])},{entry['size']}\\n")
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def requirement_edges(bench: Bench, item: Artefact) -> Move:
    index: Index = item.value
    edges = []
    for name in sorted(index):
        version = max(index[name], key=version_key)
        edges += [(name, d, len(index[d])) for d in sorted(index[name][version]["requires"])]
    if len(edges) < 3:
        raise Unfit("hardly any edge")
    path = bench.wanted(["requires", "edges", "dependency_graph", "needs"], ".txt")
    text = bench.say(
        f"Extract the graph of the newest versions: for the highest version of every package in `{item.path}` and"
        f" each of its"
        f" requirements a line `<package> <required package> <number of versions of the required package in the"
        f" index>` in"
        f" `{path}`, lines sorted by package, then required package, in byte order.",
        f"Write to `{path}`, for each direct requirement of the highest version of each package in `{item.path}`, the"
        f" line"
        " `<package> <required> <n>`, where n is how many versions of the required package the index has; order by"
        " package,"
        " then required, by bytes.",
    )
    step = python(
        "Only the highest version of each package counts.",
        LOAD
        + """
with open($dst, 'w') as f:
    for name in sorted(index):
        newest = index[name][max(index[name], key=key)]
        f.writelines(f'{name} {needed} {len(index[needed])}\\n' for needed in sorted(newest['requires']))
""",
        src=item.path,
        dst=path,
    )
    return move("edges", path, Graph(tuple(edges)), text, step)


SKILLS = (
    Skill("parse_requirements", "requirements", "table", 2.0, parse_requirements),
    Skill("resolve_minimal", "index", "table", 2.5, resolve_minimal),
    Skill("latest_versions", "index", "table", 1.5, latest_versions),
    Skill("requirement_edges", "index", "edges", 2.0, requirement_edges),
)
