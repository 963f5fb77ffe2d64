"""Skills on the logs of web servers and programs."""

from __future__ import annotations

from collections import Counter

from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell

ENTRIES = r"""
import re

shape = re.compile(r'\S+ \S+ (\w+) \[(\w+)\] req=(\w+) took=(\d+)ms (.*)')
entries = [m.groups() for m in map(shape.match, open($src)) if m]
"""


def tally_requests(bench: Bench, item: Artefact) -> Move:
    by = bench.pick(["client", "path"])
    hits: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    for ip, _, _, page, _, _, size in item.value:
        key = ip if by == "client" else page
        hits[key] += 1
        sent[key] += 0 if size == "-" else int(size)
    columns = (Column(by, "ip" if by == "client" else "name"), Column("requests", "int"), Column("bytes", "int"))
    made = Table(columns, tuple((k, str(hits[k]), str(sent[k])) for k in sorted(hits, key=lambda k: (-sent[k], k))))
    path = bench.wanted(["traffic", "volume", f"per_{by}", "usage"], ".csv")
    field = "client address" if by == "client" else "requested path (without what follows a `?`)"
    text = bench.say(
        f"Sum up `{item.path}` by {field}: CSV `{path}` with header `{by},requests,bytes` (number of requests; bytes"
        f" sent, `-`"
        f" as 0), most bytes first, then `{by}` in byte order.",
        f"Write to `{path}` (CSV, header `{by},requests,bytes`), for each {field} in `{item.path}`, the number of"
        f" requests and"
        f" the bytes sent, taking `-` as 0. Sort by bytes descending, equal ones by `{by}` in byte order.",
    )
    key = "$1" if by == "client" else "p"
    step = shell(
        "awk splits the log at blanks; the query goes before counting.",
        f"""
        {{ echo '{by},requests,bytes'
        awk '{{ p = $7; sub(/\\?.*/, "", p); k = {key}; n[k]++; b[k] += ($10 == "-") ? 0 : $10 }}
          END {{ for (k in n) printf "%s,%d,%d\\n", k, n[k], b[k] }}' %src% |
        LC_ALL=C sort -t, -k3,3nr -k1,1; }} > %dst%
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def rank_failures(bench: Bench, item: Artefact) -> Move:
    floor = bench.pick([400, 500])
    counts = Counter((str(st), m, page) for _, _, m, page, _, st, _ in item.value if st >= floor)
    columns = (
        Column("status", "category"),
        Column("method", "category"),
        Column("path", "name"),
        Column("count", "int"),
    )
    rows = sorted((*k, str(n)) for k, n in counts.items())
    rows.sort(key=lambda r: -int(r[3]))
    made = Table(columns, ()).but(rows)
    path = bench.wanted(["failures", "bad_requests", "broken", "http_errors"], ".csv")
    text = bench.say(
        f"Find the failing requests in `{item.path}` (status {floor} or more) and count them by status, method and path"
        f" (without the query). CSV `{path}`: header `status,method,path,count`, sorted by count descending, then"
        f" status,"
        " method and path in byte order.",
        f"`{path}` (CSV, header `status,method,path,count`) counts the requests of `{item.path}` with a status of at"
        f" least"
        f" {floor}, for each combination of status, method and path (cut at `?`). Largest count first; ties in byte"
        f" order of"
        " status, then method, then path.",
    )
    step = python(
        "One pattern per line, a counter over the triples.",
        r"""
        import re
        from collections import Counter

        shape = re.compile(r'"(\w+) ([^ ?]+)\S* HTTP/1.1" (\d+)')
        found = Counter()
        for method, page, status in shape.findall(open($src).read()):
            if int(status) >= $floor:
                found[status, method, page] += 1
        with open($dst, 'w') as f:
            f.write('status,method,path,count\n')
            for key, n in sorted(found.items(), key=lambda p: (-p[1], p[0])):
                f.write(','.join(key) + f',{n}\n')
        """,
        src=item.path,
        dst=path,
        floor=floor,
    )
    return move("table", path, made, text, step)


def triage_errors(bench: Bench, item: Artefact) -> Move:
    counts = Counter((e["error"], e["unit"]) for e in item.value if e["error"])
    columns = (Column("error", "name"), Column("unit", "category"), Column("count", "int"))
    made = Table(columns, ()).but((*k, str(n)) for k, n in sorted(counts.items(), key=lambda p: (-p[1], p[0])))
    path = bench.wanted(["triage", "error_counts", "crashes", "faults"], ".csv")
    text = bench.say(
        f"Triage `{item.path}`: count the errors by name and unit into CSV `{path}`, header `error,unit,count`, most"
        f" frequent"
        " first, ties by error, then unit, in byte order.",
        f"Which errors occur in which unit of `{item.path}`, and how often? CSV file `{path}` with header"
        f" `error,unit,count`;"
        " descending count, then ascending byte order of error and unit.",
    )
    step = shell(
        "sed keeps unit and error name of error lines; uniq counts.",
        "{ echo error,unit,count; sed -nE 's/^[^[]* ERROR \\[([^]]*)\\].* failed with ([A-Za-z]+)$/\\2,\\1/p' %src%"
        " | LC_ALL=C sort | uniq -c | awk '{ print $2 \",\" $1 }' | LC_ALL=C sort -t, -k3,3nr -k1,1 -k2,2; } > %dst%",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def time_requests(bench: Bench, item: Artefact) -> Move:
    total: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    failed = {e["request"] for e in item.value if e["level"] == "ERROR"}
    for e in item.value:
        total[e["request"]] += e["ms"]
        lines[e["request"]] += 1
    columns = (
        Column("request", "id"),
        Column("entries", "int"),
        Column("total_ms", "int"),
        Column("failed", "category"),
    )
    order = sorted(total, key=lambda r: (-total[r], r))
    made = Table(columns, tuple((r, str(lines[r]), str(total[r]), "yes" if r in failed else "no") for r in order))
    path = bench.wanted(["requests", "timing", "durations", "per_request"], ".csv")
    text = bench.say(
        f"Correlate `{item.path}` by request: CSV `{path}`, header `request,entries,total_ms,failed`, where entries"
        f" counts its"
        " log lines, total_ms adds up its `took` values and failed is `yes` if any of its lines has level ERROR, else"
        " `no`."
        " Longest total first, ties by request in byte order.",
        f"For every request id in `{item.path}` write `request,entries,total_ms,failed` (CSV with this header) to"
        f" `{path}`:"
        " number of log lines, sum of milliseconds, and `yes`/`no` for whether an ERROR line names it; sorted by"
        " total_ms"
        " descending, then request in byte order.",
    )
    step = python(
        "Fold the entries into one record per request.",
        ENTRIES
        + """
made = {}
for level, unit, request, ms, _ in entries:
    r = made.setdefault(request, [0, 0, 'no'])
    r[0] += 1
    r[1] += int(ms)
    if level == 'ERROR':
        r[2] = 'yes'
with open($dst, 'w') as f:
    f.write('request,entries,total_ms,failed\\n')
    for request, r in sorted(made.items(), key=lambda p: (-p[1][1], p[0])):
        f.write(','.join(map(str, [request, *r])) + '\\n')
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def rank_sources(bench: Bench, item: Artefact) -> Move:
    hit: Counter[str] = Counter()
    first: Counter[str] = Counter()
    for entry in item.value:
        hit.update(entry["frames"])
        first.update(entry["frames"][:1])
    if len(hit) < 2:
        raise Unfit("hardly any stack")
    columns = (Column("file", "name"), Column("errors", "int"), Column("raised", "int"))
    order = sorted(hit, key=lambda f: (-hit[f], f))
    made = Table(columns, tuple((f, str(hit[f]), str(first[f])) for f in order))
    path = bench.wanted(["suspects", "hot_files", "stack_files", "culprits"], ".csv")
    text = bench.say(
        f"Read the stacks in `{item.path}`: CSV `{path}`, header `file,errors,raised`, a row per file that stack lines"
        " name; errors counts the errors with the file in their stack (a stack names a file at most once), raised"
        " those where it is on the first stack line. Most errors first, ties by file in byte order.",
        f"Which source files are behind the errors in `{item.path}`? `{path}` (CSV, header `file,errors,raised`) has"
        " each file of the stack lines, how many errors have it in their stack (once each) and in how many of these"
        " it is on the line right below the error; sorted by errors descending, then file in byte order.",
    )
    step = python(
        "Remember whether the line above was a log line: then a stack begins.",
        r"""
        import re
        from collections import Counter

        hit, first, fresh = Counter(), Counter(), False
        for line in open($src):
            frame = re.fullmatch(r'\s+at .*\((\w+):\d+\)', line.rstrip())
            if frame:
                hit[frame[1]] += 1
                first[frame[1]] += fresh
            fresh = frame is None
        with open($dst, 'w') as f:
            f.write('file,errors,raised\n')
            for name in sorted(hit, key=lambda n: (-hit[n], n)):
                f.write(f'{name},{hit[name]},{first[name]}\n')
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("tally_requests", "weblog", "table", 1.5, tally_requests),
    Skill("rank_failures", "weblog", "table", 2.0, rank_failures),
    Skill("triage_errors", "applog", "table", 1.5, triage_errors),
    Skill("time_requests", "applog", "table", 2.0, time_requests),
    Skill("rank_sources", "applog", "table", 2.0, rank_sources),
)
