"""Skills on directed graphs."""

from __future__ import annotations

import heapq
from functools import cache

from generators.terminal_skills.artefacts import Column, Graph, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell

READ = """\
with open($src) as f:
    edges = [line.split() for line in f if line.strip()]
"""


def _reach(graph: Graph, start: str, *, backwards: bool = False) -> set[str]:
    after, seen, todo = graph.next(backwards=backwards), set[str](), [start]
    while todo:
        for node in after[todo.pop()] - seen:
            seen.add(node)
            todo.append(node)
    return seen - {start}


def reachable_nodes(bench: Bench, item: Artefact) -> Move:
    graph: Graph = item.value
    backwards = bench.chance(0.4)
    starts = [n for n in graph.nodes if len(_reach(graph, n, backwards=backwards)) > 2]
    if not starts:
        raise Unfit("nothing reaches far")
    start = bench.pick(starts)
    made = sorted(_reach(graph, start, backwards=backwards))
    path = bench.wanted(["reachable", "closure", "affected", "downstream"], ".txt")
    what = f"from which `{start}` can be reached" if backwards else f"that can be reached from `{start}`"
    text = bench.say(
        f"List all names {what} along one or more edges of `{item.path}` (first to second), without `{start}` itself,"
        f" sorted by bytes, one a line, in `{path}`.",
        f"`{path}`: every node of `{item.path}` {what}, directly or through others, following the edges from first to"
        f" second"
        f" name; leave out `{start}`; ascending byte order, one a line.",
    )
    step = python(
        "Grow the set until nothing new comes in.",
        READ
        + """\
found = {$start}
while True:
    new = {NEW for a, b, *_ in edges if OLD in found} - found
    if not new:
        break
    found |= new
with open($dst, 'w') as f:
    f.writelines(name + '\\n' for name in sorted(found - {$start}))
""".replace("NEW", "a" if backwards else "b").replace("OLD", "b" if backwards else "a"),
        src=item.path,
        dst=path,
        start=start,
    )
    return move("lines", path, made, text, step)


def _costs(graph: Graph, start: str) -> dict[str, int]:
    best, queue = {start: 0}, [(0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        for a, b, w in graph.edges:
            if a == node and cost + w < best.get(b, 1 << 60):
                best[b] = cost + w
                heapq.heappush(queue, (cost + w, b))
    return best


def cheapest_costs(bench: Bench, item: Artefact) -> Move:
    graph: Graph = item.value
    starts = [n for n in graph.nodes if len(_reach(graph, n)) > 2]
    if not starts:
        raise Unfit("nothing reaches far")
    start = bench.pick(starts)
    costs = _costs(graph, start)
    rows = sorted(((n, c) for n, c in costs.items() if n != start), key=lambda p: (p[1], p[0]))
    made = Table((Column("node", "name"), Column("cost", "int")), tuple((n, str(c)) for n, c in rows))
    path = bench.wanted(["costs", "distances", "cheapest", "paths"], ".csv")
    text = bench.say(
        f"For every node that can be reached from `{start}` in `{item.path}`, compute the cost of the cheapest way"
        f" (sum of the"
        f" numbers along directed edges). `{path}`: CSV, header `node,cost`, without `{start}`, sorted by cost, then"
        f" node in byte order.",
        f"Starting at `{start}`, how cheaply can each other node of `{item.path}` be reached, adding up the third"
        f" field along"
        f" the edges' direction? Answer as CSV in `{path}` (`node,cost`), cheapest first, equal costs by node name in"
        f" byte"
        " order; unreachable nodes are left out.",
    )
    step = python(
        "Relax the edges until no cost falls (Bellman-Ford).",
        READ
        + """\
best = {$start: 0}
changed = True
while changed:
    changed = False
    for a, b, w in edges:
        if a in best and best[a] + int(w) < best.get(b, float('inf')):
            best[b] = best[a] + int(w)
            changed = True
del best[$start]
with open($dst, 'w') as f:
    f.write('node,cost\\n')
    for cost, node in sorted((cost, node) for node, cost in best.items()):
        f.write(f'{node},{cost}\\n')
""",
        src=item.path,
        dst=path,
        start=start,
    )
    return move("table", path, made, text, step)


def count_degrees(bench: Bench, item: Artefact) -> Move:
    graph: Graph = item.value
    out, into = graph.next(), graph.next(backwards=True)
    columns = (Column("node", "name"), Column("outgoing", "int"), Column("incoming", "int"))
    made = Table(columns, tuple((n, str(len(out[n])), str(len(into[n]))) for n in graph.nodes))
    path = bench.wanted(["degrees", "links_per_node", "connectivity", "fan"], ".csv")
    text = bench.say(
        f"Count the edges of each node in `{item.path}`: CSV file `{path}`, header `node,outgoing,incoming`, a row"
        f" for every"
        " name that occurs, sorted by name in byte order.",
        f"How many edges leave and enter each node of `{item.path}`? Write `node,outgoing,incoming` rows (CSV with that"
        f" header) for all names to `{path}`, ascending byte order of the name.",
    )
    step = shell(
        "Two counters in awk, then sort under the header.",
        "{ echo 'node,outgoing,incoming'; awk 'NF { o[$1]++; i[$2]++; all[$1]; all[$2] } END { for (n in all) printf"
        ' "%s,%d,%d\\n", n, o[n], i[n] }\' %src% | LC_ALL=C sort -t, -k1,1; } > %dst%',
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def order_topologically(bench: Bench, item: Artefact) -> Move:
    graph: Graph = item.value
    needs = {n: set(after) for n, after in graph.next().items()}
    made: list[str] = []
    while needs:
        ready = sorted(n for n, after in needs.items() if not after)
        if not ready:
            raise Unfit("there is a cycle")
        made.append(ready[0])
        del needs[ready[0]]
        for after in needs.values():
            after.discard(ready[0])
    path = bench.wanted(["order", "build_order", "install_order", "sequence"], ".txt")
    text = bench.say(
        f"Write an order to `{path}`, one name a line, in which every name of `{item.path}` comes after all names"
        f" that it has"
        " an edge to. Whenever several could be next, take the smallest in byte order.",
        f"Sort `{item.path}` topologically into `{path}` (a name per line): the second name of an edge always stands"
        f" before"
        " the first. Of all names that may come next, always choose the one that is first in byte order.",
    )
    step = python(
        "Kahn's algorithm with a heap, so that ties go by name.",
        """
        import heapq
        from collections import defaultdict

        waiting, users, names = defaultdict(set), defaultdict(set), set()
        for line in open($src):
            if line.strip():
                a, b = line.split()[:2]
                names |= {a, b}
                waiting[a].add(b)
                users[b].add(a)
        ready = [n for n in names if not waiting[n]]
        heapq.heapify(ready)
        with open($dst, 'w') as f:
            while ready:
                name = heapq.heappop(ready)
                f.write(name + '\\n')
                for user in users[name]:
                    waiting[user].discard(name)
                    if not waiting[user]:
                        heapq.heappush(ready, user)
        """,
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


def longest_chains(bench: Bench, item: Artefact) -> Move:
    graph: Graph = item.value
    after = graph.next()
    if any(n in _reach(graph, m) for n in graph.nodes for m in after[n]):
        raise Unfit("there is a cycle")

    @cache
    def depth(node: str) -> int:
        return max((1 + depth(n) for n in after[node]), default=0)

    columns = (Column("node", "name"), Column("depth", "int"), Column("reaches", "int"))
    rows = sorted(((n, depth(n), len(_reach(graph, n))) for n in graph.nodes), key=lambda r: (-r[1], r[0]))
    made = Table(columns, tuple((n, str(d), str(c)) for n, d, c in rows))
    path = bench.wanted(["depths", "levels", "chains", "layers"], ".csv")
    text = bench.say(
        f"For each name in `{item.path}` give `depth`, the number of edges on the longest path that starts there (0"
        f" if it has"
        f" no outgoing edge), and `reaches`, how many other names can be reached. CSV `{path}`, header"
        " `node,depth,reaches`, sorted by depth descending, then node in byte order.",
        f"`{path}` (CSV, header `node,depth,reaches`): for all names of `{item.path}` the length in edges of the"
        f" longest path"
        " beginning at the name, and the count of distinct other names on paths from it. Deepest first; equal depth"
        " by name"
        " in byte order.",
    )
    step = python(
        "The graph has no cycle, so plain recursion with a memory works.",
        READ
        + """\
from functools import lru_cache

names = sorted({n for a, b, *_ in edges for n in (a, b)})
after = {n: [b for a, b, *_ in edges if a == n] for n in names}

@lru_cache(None)
def walk(n):
    below = [(walk(m), m) for m in after[n]]
    deep = 1 + max((d for (d, _), _ in below), default=-1)
    return deep, frozenset().union(*(s | {m} for (_, s), m in below)) if below else frozenset()

rows = sorted((-walk(n)[0], n, len(walk(n)[1])) for n in names)
with open($dst, 'w') as f:
    f.write('node,depth,reaches\\n')
    f.writelines(f'{n},{-d},{c}\\n' for d, n, c in rows)
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("reachable_nodes", "edges", "lines", 2.0, reachable_nodes),
    Skill("cheapest_costs", "edges", "table", 2.5, cheapest_costs),
    Skill("count_degrees", "edges", "table", 1.5, count_degrees),
    Skill("order_topologically", "edges", "lines", 2.5, order_topologically),
    Skill("longest_chains", "edges", "table", 2.5, longest_chains),
)
