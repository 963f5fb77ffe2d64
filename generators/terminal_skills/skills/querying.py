"""Skills that ask questions of a table."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from datafactory.types import files
from generators.terminal_skills.artefacts import NUMERIC, Column, Table, number, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing, shell
from generators.terminal_skills.skills.tabular import read_only, rework, zero_note


def filter_rows(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    path = bench.wanted(["filtered", "matching", "subset", "selected_rows"], ".csv")
    group = bench.pick(table.of("category"))
    groups = sorted(set(table.cells(group)) - {""})
    if len(groups) < 2:
        raise Unfit("one group only")
    allowed = sorted(bench.some(groups, 1, min(3, len(groups) - 1)))
    value = bench.pick(table.of(*NUMERIC))
    limit = bench.pick(sorted({number(c) for c in table.cells(value)})[1:] or [Decimal(0)])
    at_least, both = bench.chance(0.5), bench.chance(0.6)

    def fits(row: tuple[str, ...]) -> bool:
        cell = row[table.at(value)]
        by_value = bool(cell) and (number(cell) >= limit if at_least else number(cell) < limit)
        by_group = row[table.at(group)] in allowed
        return (by_value and by_group) if both else (by_value or by_group)

    made = table.but(row for row in table.rows if fits(row))
    if len(made.rows) in (1, len(table.rows)):
        raise Unfit("the condition is trivial")
    test = f"`{value.name}` is {'at least' if at_least else 'below'} {limit}"
    test += " (an empty cell never qualifies)" if table.has_blanks(value) else ""
    membership = f"`{group.name}` is {listing(allowed, '')}".replace(" and ", " or ")
    condition = f"{membership} {'and' if both else 'or'} {test}"
    text = bench.say(
        f"From `{item.path}` select the rows in which {condition}. Write them, with the header and in their order, to"
        f" `{path}`.",
        f"`{path}`: header and all rows of `{item.path}` where {condition}; order unchanged.",
        f"Filter `{item.path}` into `{path}`. A row stays when {condition}. Keep header and order.",
    )
    step = rework(
        "Compare exactly, and let an empty cell fail the number test.",
        item,
        path,
        made,
        """
        from decimal import Decimal

        def fits(row):
            by_group = row[$group] in $allowed
            cell = row[$value]
            by_value = cell != '' and Decimal(cell) COMPARED Decimal($limit)
            return by_group BOTH by_value

        rows = [row for row in rows if fits(row)]
        """.replace("BOTH", "and" if both else "or").replace("COMPARED", ">=" if at_least else "<"),
        group=group.name,
        allowed=allowed,
        value=value.name,
        limit=str(limit),
    )
    return move("table", path, made, text, step)


def group_totals(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    group = bench.pick(table.of("category", "name"))
    value = bench.pick([c for c in table.of(*NUMERIC) if c != group])
    count_name, sum_name = bench.pick(["rows", "n", "count"]), f"{bench.pick(['total', 'sum'])}_{value.name}"
    keys = sorted(set(table.cells(group)))
    pairs = list(zip(table.cells(group), map(number, table.cells(value)), strict=True))
    counts = Counter(k for k, _ in pairs)
    if max(counts.values()) == 1:
        raise Unfit("every group has one row")
    sums = {key: sum((v for k, v in pairs if k == key), Decimal(0)) for key in keys}
    biggest = bench.chance(0.5)
    if biggest:
        keys.sort(key=lambda k: -sums[k])
    made = table.but(
        ((k, str(counts[k]), "0.00" if not sums[k] else f"{sums[k]:.2f}") for k in keys),
        (group, Column(count_name, "int"), Column(sum_name, "decimal")),
    )
    if len({c.name for c in made.columns}) < 3:
        raise Unfit("names clash")
    path = bench.wanted(["totals", "by_" + group.name, "summary", "grouped"], ".csv")
    order = f"`{sum_name}` descending, then `{group.name}`" if biggest else f"`{group.name}`"
    text = bench.say(
        f"Group `{item.path}` by `{group.name}` and write `{path}` with the columns `{group.name}`, `{count_name}`"
        f" (number of rows) and `{sum_name}` (sum of `{value.name}`{zero_note(table, value)}, two decimal places),"
        f" sorted by {order} (ascending byte order for text).",
        f"How much `{value.name}` is there per `{group.name}` in `{item.path}`? Answer in `{path}`, header"
        f" `{group.name},{count_name},{sum_name}`: the group, its number of rows and the sum{zero_note(table, value)}"
        f" with two decimal places. Sort by {order}, text in ascending byte order.",
    )
    if table.has_blanks(group):
        text += f" An empty `{group.name}` is a group of its own, with an empty name."
    if table.plain and not biggest:
        at, of = table.at(group) + 1, table.at(value) + 1
        step = shell(
            "No field is quoted, so awk can group and sort can order.",
            f"""
            {{ echo '{group.name},{count_name},{sum_name}'
            tail -n +2 %src% | awk -F, '{{ n[${at}]++; s[${at}] += ${of} }}
              END {{ for (k in n) printf "%s,%d,%.2f\\n", k, n[k], (s[k] < 0.001 && s[k] > -0.001) ? 0 : s[k] }}' |
            LC_ALL=C sort -t, -k1,1; }} > %dst%
            """,
            src=item.path,
            dst=path,
        )
    else:
        step = rework(
            "Let SQLite group whole hundredths, so that the sums are exact.",
            item,
            path,
            made,
            """
            import sqlite3

            base = sqlite3.connect(':memory:')
            base.execute('create table t (k text, cents integer)')
            pairs = [(r[$group], round(float(r[$value] or 0) * 100)) for r in rows]
            base.executemany('insert into t values (?, ?)', pairs)
            found = base.execute('select k, count(*), sum(cents) from t group by k order by ORDER')
            rows = [{$group: k, $count: n, $total: '%.2f' % (c / 100)} for k, n, c in found]
            """.replace("ORDER", "sum(cents) desc, k" if biggest else "k"),
            group=group.name,
            value=value.name,
            count=count_name,
            total=sum_name,
        )
    return move("table", path, made, text, step)


def top_rows(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    value = bench.pick(table.of(*NUMERIC))
    if len(table.rows) < 4:
        raise Unfit("too few rows")
    count, highest = bench.rng.randint(2, min(15, len(table.rows) - 1)), bench.chance(0.6)
    cells = [number(c) for c in table.cells(value)]
    ranked = sorted(range(len(cells)), key=lambda i: (-cells[i] if highest else cells[i], i))
    made = table.but(table.rows[i] for i in ranked[:count])
    path = bench.wanted([f"top_{count}", "extremes", "ranking", "leaders"], ".csv")
    word = "highest" if highest else "lowest"
    text = bench.say(
        f"Put the {count} rows of `{item.path}` with the {word} `{value.name}`{zero_note(table, value)} into `{path}`,"
        f" {word} first; equal values keep the order of the input. Same header.",
        f"Rank `{item.path}` by `{value.name}` ({word}"
        f" first{zero_note(table, value).replace('(', '').replace(')', '')};"
        f" ties stay in input order) and write the header and the first {count} rows to `{path}`.",
    ).replace("first an empty", "first; an empty")
    if table.plain:
        at = table.at(value) + 1
        step = shell(
            "Plain fields: a stable numeric sort on one column does it.",
            f"{{ head -n 1 %src%; tail -n +2 %src% | LC_ALL=C sort -s -t, -k{at},{at}{'nr' if highest else 'n'}"
            f" | head -n {count}; }} > %dst%",
            src=item.path,
            dst=path,
        )
    else:
        step = rework(
            "Sorting in Python is stable, also backwards.",
            item,
            path,
            made,
            "rows = sorted(rows, key=lambda r: float(r[$value] or 0), reverse=$highest)[:$count]",
            value=value.name,
            highest=highest,
            count=count,
        )
    return move("table", path, made, text, step)


def join_lookup(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    key = bench.pick(table.of("category", where=lambda cells: len(set(cells)) > 2))
    values = sorted(set(table.cells(key)) - {""})
    known = sorted(bench.some(values, len(values) - 1, len(values)))
    extra = bench.column_name(table, "code", "owner", "group_code", "rate_class", "handled_by")
    default = bench.pick(["unknown", "n/a", "-", "none"])
    pairs = {value: f"{bench.slug().upper()}{bench.rng.randint(1, 99)}" for value in [*known, f"old_{bench.slug()}"]}
    source = bench.given(["lookup", f"{key.name}_list", "reference", "codes"], ".csv")
    shuffled = bench.rng.sample(sorted(pairs), len(pairs))
    lookup = f"{key.name},{extra}\n" + text_lines(f"{k},{pairs[k]}" for k in shuffled)
    made = table.but(
        ((*row, pairs.get(row[table.at(key)], default)) for row in table.rows),
        (*table.columns, Column(extra, "category")),
    )
    path = bench.wanted(["joined", "merged", "annotated", f"with_{extra}"], ".csv")
    text = bench.say(
        f"Left-join `{item.path}` with `{source}` on `{key.name}`: every row stays, in order, and gets a last column"
        f" `{extra}`; where the lookup has no entry it is `{default}`. Result: `{path}`.",
        f"Look up the `{extra}` of each row of `{item.path}` in `{source}` by `{key.name}` and append it as the last"
        f" column; write `{default}` where there is none. Rows and order stay the same. Save to `{path}`.",
    )
    step = rework(
        "Load the lookup as a dictionary, then annotate the rows.",
        item,
        path,
        made,
        """
        with open($source, newline='', encoding='utf-8') as f:
            lookup = {r[$key]: r[$extra] for r in csv.DictReader(f)}
        for row in rows:
            row[$extra] = lookup.get(row[$key], $default)
        """,
        source=source,
        key=key.name,
        extra=extra,
        default=default,
    )
    note = f"`{source}` maps each `{key.name}` to its `{extra}` (CSV, header `{key.name},{extra}`)."
    return move("table", path, made, text, step, files=files({source: lookup}), inputs=(note,))


def exclude_listed(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    key = bench.pick(table.of("id", "category", "name"))
    values = sorted(set(table.cells(key)) - {""})
    listed = bench.some(values, 1, max(1, len(values) // 3))
    shown = [*listed, "", f"{bench.slug()}-{bench.rng.randint(10, 99)}"]
    bench.rng.shuffle(shown)
    source = bench.given(["exclude", "blocklist", "ignored", "removed"], ".txt")
    made = table.but(row for row in table.rows if row[table.at(key)] not in listed)
    path = bench.wanted(["kept", "remaining", "allowed", "without_listed"], ".csv")
    text = bench.say(
        f"Drop from `{item.path}` every row whose `{key.name}` is listed in `{source}`; header and the remaining rows,"
        f" in order, go to `{path}`.",
        f"`{path}` is `{item.path}` without the rows whose `{key.name}` stands on a line of `{source}`; nothing else"
        " changes.",
    )
    step = rework(
        "An anti-join against the set of listed values.",
        item,
        path,
        made,
        """
        with open($source, encoding='utf-8') as f:
            listed = {line.rstrip('\\n') for line in f} - {''}
        rows = [row for row in rows if row[$key] not in listed]
        """,
        source=source,
        key=key.name,
    )
    note = f"`{source}` lists values of `{key.name}`, one a line (blank lines mean nothing)."
    return move("table", path, made, text, step, files=files({source: text_lines(shown)}), inputs=(note,))


def distinct_values(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of("name", "category", "id"))
    made = sorted(set(table.cells(column)) - {""})
    path = bench.wanted([f"{column.name}_values", "distinct", "vocabulary", "names"], ".txt")
    text = bench.say(
        f"List the distinct non-empty values of `{column.name}` in `{item.path}`, one a line, in ascending byte order,"
        f" in `{path}`.",
        f"Write every different, non-empty `{column.name}` of `{item.path}` once to `{path}`, a line each, sorted by"
        " bytes.",
    )
    if table.plain:
        step = shell(
            "Cut the column, drop blanks, sort uniquely in the C locale.",
            f"tail -n +2 %src% | cut -d, -f{table.at(column) + 1} | grep -v '^$' | LC_ALL=C sort -u > %dst%",
            src=item.path,
            dst=path,
        )
    else:
        step = read_only(
            "The fields are quoted, so parse the CSV; code point order is byte order in UTF-8.",
            item,
            """
            with open($dst, 'w', encoding='utf-8') as f:
                f.writelines(value + '\\n' for value in sorted({r[$column] for r in rows} - {''}))
            """,
            dst=path,
            column=column.name,
        )
    return move("lines", path, made, text, step)


SKILLS = (
    Skill("filter_rows", "table", "table", 1.0, filter_rows),
    Skill("group_totals", "table", "table", 1.5, group_totals),
    Skill("top_rows", "table", "table", 1.0, top_rows),
    Skill("join_lookup", "table", "table", 1.5, join_lookup),
    Skill("exclude_listed", "table", "table", 1.0, exclude_listed),
    Skill("distinct_values", "table", "lines", 1.0, distinct_values),
)
