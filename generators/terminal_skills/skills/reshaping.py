"""Skills that take a table and give a table of another shape."""

from __future__ import annotations

from decimal import Decimal

from generators.terminal_skills.artefacts import NUMERIC, Column, Table, number
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing
from generators.terminal_skills.skills.tabular import rework, zero_note


def clean_table(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value["table"]
    path = bench.wanted(["clean", "tidy", "normalised", "cleaned"], ".csv")
    categories = [c.name for c in table.columns if c.role == "category"]
    dates = [c.name for c in table.columns if c.role == "date"]
    decimals = [c.name for c in table.columns if c.role == "decimal"]
    lower = table.but(
        [c.lower() if k.role == "category" else c for k, c in zip(table.columns, row, strict=True)]
        for row in table.rows
    )
    comma = item.value["comma"] and decimals
    text = bench.say(
        f"Clean `{item.path}` into the CSV file `{path}`:",
        f"Turn `{item.path}` into a proper CSV file, `{path}`:",
        f"From `{item.path}` make `{path}`, a comma-separated file:",
    )
    text += (
        " same header and row order, white space around every field removed, lines dropped that are blank or have"
        f" nothing but empty fields, {listing(categories)} in lower case, and the dates in {listing(dates)} changed"
        " from DD/MM/YYYY to YYYY-MM-DD."
    )
    if comma:
        text += f" Decimal commas in {listing(decimals)} become points."
    step = rework(
        "Read the export with its own delimiter, then normalise field by field.",
        item,
        path,
        lower,
        """
        rows = [{key: (value or '').strip() for key, value in row.items()} for row in rows]
        rows = [row for row in rows if any(row.values())]
        for row in rows:
            for key in $categories:
                row[key] = row[key].lower()
            for key in $dates:
                row[key] = '-'.join(reversed(row[key].split('/')))
        """
        + ("    for key in $decimals:\n                row[key] = row[key].replace(',', '.')\n" if comma else ""),
        delimiter=item.value["delimiter"],
        categories=categories,
        dates=dates,
        decimals=decimals,
    )
    return move("table", path, lower, text, step)


def drop_duplicates(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    keys = bench.pick([[c] for c in table.of("id", "name")] + [table.of("category")[:2]])
    names = [k.name for k in keys]
    last = bench.chance(0.5)
    kept: dict[tuple[str, ...], int] = {}
    for index, row in enumerate(table.rows):
        key = tuple(row[table.at(k)] for k in keys)
        if last or key not in kept:
            kept[key] = index
    if len(kept) == len(table.rows):
        raise Unfit("nothing is repeated")
    made = table.but(table.rows[i] for i in sorted(kept.values()))
    path = bench.wanted(["unique", "deduplicated", "distinct_rows", "no_repeats"], ".csv")
    which = "last" if last else "first"
    text = bench.say(
        f"Remove repeats from `{item.path}`: of all rows that share {listing(names)} keep only the {which} one, in the"
        f" original order, and write them with the header to `{path}`.",
        f"`{path}` must hold the rows of `{item.path}` (header included, order kept) after deduplication by"
        f" {listing(names)}; where several rows agree there, the {which} of them stays.",
        f"Deduplicate `{item.path}` on {listing(names)}, keeping the {which} occurrence at its own place in the file,"
        f" into `{path}` (same header).",
    )
    step = rework(
        f"Walk the rows and keep the {which} one for each key.",
        item,
        path,
        made,
        """
        seen = set()
        kept = []
        for row in ROWS:
            key = tuple(row[k] for k in $keys)
            if key not in seen:
                seen.add(key)
                kept.append(row)
        rows = KEPT
        """.replace("ROWS", "reversed(rows)" if last else "rows").replace("KEPT", "kept[::-1]" if last else "kept"),
        keys=names,
    )
    return move("table", path, made, text, step)


def derive_column(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    one = bench.pick(table.of(*NUMERIC))
    others = [c for c in table.of(*NUMERIC) if c != one]
    if others and bench.chance(0.6):
        two = bench.pick(others)
        sign = bench.pick(["plus", "minus"])
        name = bench.column_name(table, "net", "combined", "total_value", "computed", f"{one.name}_{sign}_{two.name}")
        factor, note = (1 if sign == "plus" else -1), zero_note(table, one) + zero_note(table, two)
        values = [number(a) + factor * number(b) for a, b in zip(table.cells(one), table.cells(two), strict=True)]
        formula = f"`{one.name}` {sign} `{two.name}`{note}"
    else:
        two, factor = one, bench.rng.choice([2, 3, 5, 12, 25, -1])
        name = bench.column_name(table, f"{one.name}_scaled", f"{one.name}_x", "weighted", "adjusted")
        values = [number(a) * factor for a in table.cells(one)]
        formula = f"`{one.name}` times {factor}{zero_note(table, one)}"
    column = Column(name, "decimal")
    made = table.but(
        ((*row, f"{value:.2f}") for row, value in zip(table.rows, values, strict=True)), (*table.columns, column)
    )
    path = bench.wanted(["extended", "enriched", "with_" + name, "computed"], ".csv")
    text = bench.say(
        f"Add a last column `{name}` to the rows of `{item.path}`: {formula}, always with two decimal places (and"
        f" `0.00`, not `-0.00`). Write the result to `{path}`.",
        f"Write `{path}`: the table `{item.path}` with one more column at its right end, `{name}`, which is {formula},"
        " shown with exactly two decimal places; zero is `0.00`.",
    )
    made = made.but([*row[:-1], "0.00" if row[-1] == "-0.00" else row[-1]] for row in made.rows)
    value = f"value {'+' if factor > 0 else '-'} Decimal(row[$two] or '0')" if two != one else "value * $factor"
    step = rework(
        "Decimal keeps the arithmetic exact.",
        item,
        path,
        made,
        """
        from decimal import Decimal

        for row in rows:
            value = Decimal(row[$one] or '0')
            value = VALUE
            row[$name] = '%.2f' % (value + 0)
        """.replace("VALUE", value),
        one=one.name,
        two=two.name,
        factor=factor,
        name=name,
    )
    return move("table", path, made, text, step)


def running_total(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    group, value = bench.pick(table.of("category")), bench.pick(table.of(*NUMERIC))
    name = bench.column_name(table, f"{value.name}_so_far", "running_total", f"cumulative_{value.name}")
    totals: dict[str, Decimal] = {}
    rows = []
    for row in table.rows:
        key = row[table.at(group)]
        totals[key] = totals.get(key, Decimal(0)) + number(row[table.at(value)])
        rows.append((*row, f"{totals[key]:.2f}" if totals[key] else "0.00"))
    made = table.but(rows, (*table.columns, Column(name, "decimal")))
    path = bench.wanted(["running", "cumulative", "ledger", "so_far"], ".csv")
    text = bench.say(
        f"Append a column `{name}` to `{item.path}` with the running total of `{value.name}` within each"
        f" `{group.name}`{zero_note(table, value)}, top to bottom, two decimal places; save as `{path}`.",
        f"In `{path}`, repeat `{item.path}` with an extra last column `{name}`: the sum of `{value.name}` over this"
        f" row and all rows above it with the same `{group.name}`{zero_note(table, value)}, two decimal places.",
    )
    step = rework(
        "One pass with a total per group.",
        item,
        path,
        made,
        """
        from collections import defaultdict
        from decimal import Decimal

        totals = defaultdict(lambda: Decimal('0.00'))
        for row in rows:
            totals[row[$group]] += Decimal(row[$value] or '0')
            row[$name] = '%.2f' % (totals[row[$group]] + 0)
        """,
        group=group.name,
        value=value.name,
        name=name,
    )
    return move("table", path, made, text, step)


def cross_tabulate(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    pair = table.of("category", where=lambda cells: "" not in cells)
    if len(pair) < 2:
        raise Unfit("needs two full category columns")
    down, across = bench.rng.sample(pair, 2)
    keys, heads = sorted(set(table.cells(down))), sorted(set(table.cells(across)))
    couples = list(zip(table.cells(down), table.cells(across), strict=True))
    columns = (Column(down.name, "category"), *(Column(h, "int") for h in heads))
    if len({c.name for c in columns}) < len(columns):
        raise Unfit("a value is called like the column")
    made = table.but(((k, *(str(couples.count((k, h))) for h in heads)) for k in keys), columns)
    path = bench.wanted(["crosstab", "matrix", "pivot", "contingency"], ".csv")
    text = bench.say(
        f"Cross-tabulate `{item.path}`: `{path}` has one row for each value of `{down.name}` (first column, headed"
        f" `{down.name}`) and one further column for each value of `{across.name}`; the cells count the rows with that"
        " pair, 0 included. Rows and columns stand in ascending byte order.",
        f"Count how often each `{down.name}` meets each `{across.name}` in `{item.path}`. Put the counts in `{path}`:"
        f" header `{down.name}` followed by the values of `{across.name}`, a row per `{down.name}`, both sorted in"
        " byte order, and 0 where a pair never occurs.",
    )
    step = rework(
        "Count the pairs, then lay them out.",
        item,
        path,
        made,
        """
        from collections import Counter

        counts = Counter((row[$down], row[$across]) for row in rows)
        heads = sorted({across for _, across in counts})
        rows = [dict({h: counts[key, h] for h in heads}, **{$down: key}) for key in sorted({d for d, _ in counts})]
        """,
        down=down.name,
        across=across.name,
    )
    return move("table", path, made, text, step)


def choose_columns(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    if len(table.columns) < 4:
        raise Unfit("too narrow")
    keep = bench.some(table.columns, 3, len(table.columns) - 1)
    renamed = keep[bench.rng.randrange(len(keep))]
    name = bench.column_name(table, f"{renamed.name}_new", f"the_{renamed.name}", f"{renamed.name}2")
    columns = [Column(name if c is renamed else c.name, c.role, c.tolerance) for c in keep]
    made = table.but(([row[table.at(c)] for c in keep] for row in table.rows), columns)
    path = bench.wanted(["columns", "slim", "selected", "projection"], ".csv")
    order = ", ".join(f"`{c.name}`" for c in keep)
    text = bench.say(
        f"Keep only these columns of `{item.path}`, in this order: {order}; in the header rename `{renamed.name}` to"
        f" `{name}`. Save as `{path}`.",
        f"`{path}` gets the columns {order} (this order) of `{item.path}`, all rows, with `{renamed.name}` now headed"
        f" `{name}`.",
    )
    step = rework(
        "Rename the one column; the writer puts the columns in order.",
        item,
        path,
        made,
        """
        for row in rows:
            row[$name] = row.pop($old)
        """,
        name=name,
        old=renamed.name,
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("clean_table", "raw_table", "table", 2.0, clean_table),
    Skill("drop_duplicates", "table", "table", 1.5, drop_duplicates),
    Skill("derive_column", "table", "table", 1.0, derive_column),
    Skill("running_total", "table", "table", 1.5, running_total),
    Skill("cross_tabulate", "table", "table", 2.0, cross_tabulate),
    Skill("choose_columns", "table", "table", 1.0, choose_columns),
)
