"""Skills that prepare a table for a model, and judge one."""

from __future__ import annotations

from decimal import Decimal
from statistics import mean, median, pstdev

from generators.terminal_skills.artefacts import NUMERIC, Column, Table, number
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing
from generators.terminal_skills.skills.tabular import read_only, rework


def impute_missing(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of("int", "category", where=lambda cells: "" in cells))
    full = [c for c in table.cells(column) if c]
    if column.role == "category":
        how = "the most frequent value of the column (of several, the first in byte order)"
        fill = min(set(full), key=lambda v: (-full.count(v), v))
    else:
        how = "the lower median of the column's non-empty values (for an even count, the smaller of the middle two)"
        fill = str(sorted(map(int, full))[(len(full) - 1) // 2])
    at = table.at(column)
    made = table.but((*row[:at], row[at] or fill, *row[at + 1 :]) for row in table.rows)
    path = bench.wanted(["imputed", "filled", "complete", "no_gaps"], ".csv")
    text = bench.say(
        f"Fill the empty cells of `{column.name}` in `{item.path}` with {how}; everything else unchanged, into"
        f" `{path}`.",
        f"`{path}` repeats `{item.path}`, but every gap in `{column.name}` holds {how}.",
    )
    filling = "fill = sorted(map(int, known))[(len(known) - 1) // 2]"
    if column.role == "category":
        filling = "fill = min(sorted(set(known)), key=lambda value: -known.count(value))"
    step = rework(
        "Compute the fill from the cells that are there.",
        item,
        path,
        made,
        """
        known = [row[$column] for row in rows if row[$column]]
        FILL
        for row in rows:
            row[$column] = row[$column] or fill
        """.replace("FILL", filling),
        column=column.name,
    )
    return move("table", path, made, text, step)


def bin_values(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of(*NUMERIC, where=lambda cells: "" not in cells and len(set(cells)) > 4))
    values = sorted({number(c) for c in table.cells(column)})
    low, high = values[len(values) // 3], values[2 * len(values) // 3]
    if low == high:
        raise Unfit("too few values")
    labels = bench.pick(
        [("low", "mid", "high"), ("small", "medium", "large"), ("C", "B", "A"), ("cold", "warm", "hot")]
    )
    name = bench.column_name(table, f"{column.name}_band", "bucket", "bin", "class_label")

    def label(value: Decimal) -> str:
        return labels[0] if value < low else labels[1] if value < high else labels[2]

    made = table.but(
        ((*row, label(number(row[table.at(column)]))) for row in table.rows), (*table.columns, Column(name, "category"))
    )
    path = bench.wanted(["binned", "banded", "bucketed", "classes"], ".csv")
    text = bench.say(
        f"Add a last column `{name}` to `{item.path}`: `{labels[0]}` where `{column.name}` is below {low},"
        f" `{labels[1]}`"
        f" from {low} up to but not including {high}, and `{labels[2]}` from {high} on. Output: `{path}`.",
        f"Sort each row of `{item.path}` into a band by `{column.name}`: under {low} is `{labels[0]}`, {high} or more"
        f" is"
        f" `{labels[2]}`, the rest `{labels[1]}`. The band is a new last column `{name}` in `{path}`.",
    )
    step = rework(
        "Two thresholds, compared exactly.",
        item,
        path,
        made,
        """
        from bisect import bisect_right
        from decimal import Decimal

        edges = [Decimal(edge) for edge in $edges]
        for row in rows:
            row[$name] = $labels[bisect_right(edges, Decimal(row[$column]))]
        """,
        edges=[str(low), str(high)],
        labels=labels,
        name=name,
        column=column.name,
    )
    return move("table", path, made, text, step)


def scale_column(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of(*NUMERIC, where=lambda cells: "" not in cells and len(set(cells)) > 2))
    values = [float(number(c)) for c in table.cells(column)]
    standard = bench.chance(0.5)
    if standard:
        how = "its z-score (value minus the mean, over the population standard deviation)"
        centre, width = mean(values), pstdev(values)
    else:
        how = "its min-max scaled value (0 for the smallest, 1 for the largest)"
        centre, width = min(values), max(values) - min(values)
    name = bench.column_name(table, f"{column.name}_scaled", f"{column.name}_norm", f"{column.name}_z", "scaled")
    made = table.but(
        ((*row, f"{(v - centre) / width:.6f}") for row, v in zip(table.rows, values, strict=True)),
        (*table.columns, Column(name, "measure", 2e-4)),
    )
    path = bench.wanted(["scaled", "normalised", "standardised", "features"], ".csv")
    text = bench.say(
        f"For each row of `{item.path}` append, as column `{name}`, the `{column.name}` turned into {how}; at least 4"
        f" decimal places. Write `{path}`.",
        f"Scale `{column.name}` of `{item.path}`: the new last column `{name}` is {how}, with 4 or more decimal places."
        f" Save everything as `{path}`.",
    )
    step = rework(
        "Two passes: the statistics first, then each value.",
        item,
        path,
        made,
        """
        values = [float(row[$column]) for row in rows]
        if $standard:
            centre = sum(values) / len(values)
            width = (sum((v - centre) ** 2 for v in values) / len(values)) ** 0.5
        else:
            centre, width = min(values), max(values) - min(values)
        for row, value in zip(rows, values):
            row[$name] = '%.6f' % ((value - centre) / width)
        """,
        column=column.name,
        standard=standard,
        name=name,
    )
    return move("table", path, made, text, step)


def encode_one_hot(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of("category", where=lambda cells: "" not in cells and len(set(cells)) > 1))
    values, at = sorted(set(table.cells(column))), table.at(column)
    heads = [Column(f"{column.name}={v}", "indicator") for v in values]
    made = table.but(
        ((*row[:at], *row[at + 1 :], *("1" if row[at] == v else "0" for v in values)) for row in table.rows),
        (*table.columns[:at], *table.columns[at + 1 :], *heads),
    )
    path = bench.wanted(["encoded", "one_hot", "dummies", "indicators"], ".csv")
    text = bench.say(
        f"One-hot encode `{column.name}` of `{item.path}` into `{path}`: the column goes away, and at the right end"
        f" comes"
        f" one column `{column.name}=<value>` per value, values in ascending byte order, with 1 or 0.",
        f"Replace `{column.name}` in `{item.path}` by indicator columns: after the remaining columns stands, for each"
        f" value"
        f" in byte order, a column named `{column.name}=<value>` that is 1 or 0. File: `{path}`.",
    )
    step = rework(
        "One indicator per value that occurs.",
        item,
        path,
        made,
        """
        values = sorted({row[$column] for row in rows})
        for row in rows:
            for value in values:
                row[$column + '=' + value] = int(row[$column] == value)
        """,
        column=column.name,
    )
    return move("table", path, made, text, step)


def split_train_test(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    nth = bench.rng.choice([3, 4, 5])
    if len(table.rows) < 2 * nth:
        raise Unfit("too few rows")
    train_path, test_path = (
        bench.wanted(["train", "fit", "training"], ".csv"),
        bench.wanted(["test", "holdout"], ".csv"),
    )
    train = table.but(row for i, row in enumerate(table.rows, 1) if i % nth)
    test = table.but(row for i, row in enumerate(table.rows, 1) if not i % nth)
    text = bench.say(
        f"Split `{item.path}` without shuffling: every {nth}th data row (number {nth}, {2 * nth}, ..., counting from"
        f" 1 below"
        f" the header) goes to `{test_path}`, the others to `{train_path}`; both with the header.",
        f"Hold out data. Counting the rows under the header of `{item.path}` from 1, those whose number is divisible"
        f" by {nth} make `{test_path}`; all others make `{train_path}`. Keep order and header in both.",
    )
    body = "rows = [row for number, row in enumerate(rows, 1) if (number % $nth == 0) == $held]"
    steps = (
        rework("First the rows to train on.", item, train_path, train, body, nth=nth, held=False),
        rework("Then the rows held out.", item, test_path, test, body, nth=nth, held=True),
    )
    return Move(text, (Artefact("table", train_path, train), Artefact("table", test_path, test)), steps)


def describe_columns(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    numeric = table.of(*NUMERIC, where=lambda cells: any(cells))
    made = {}
    for column in numeric:
        values = [float(number(c)) for c in table.cells(column) if c]
        made[column.name] = {
            "count": len(values),
            "mean": mean(values),
            "median": median(values),
            "std": pstdev(values),
            "min": min(values),
            "max": max(values),
        }
    path = bench.wanted(["statistics", "describe", "profile", "stats"], ".json")
    names = listing([c.name for c in numeric])
    text = bench.say(
        f"Describe {names} of `{item.path}` in `{path}`: a JSON object with each column name as a key, over an object"
        f" with"
        " `count`, `mean`, `median`, `std` (population), `min` and `max` of its non-empty cells, right to 0.001.",
        f"Compute `count`, `mean`, `median`, `std` (population standard deviation), `min` and `max` over the non-empty"
        f" cells of {names} in `{item.path}`. `{path}` is one JSON object, column name to object of these six"
        " (tolerance 0.001).",
    )
    step = read_only(
        "The statistics module has all six.",
        item,
        """
        import json
        from statistics import fmean, median, pstdev

        made = {}
        for column in $numeric:
            v = [float(row[column]) for row in rows if row[column]]
            made[column] = dict(count=len(v), mean=fmean(v), median=median(v), std=pstdev(v), min=min(v), max=max(v))
        with open($dst, 'w') as f:
            json.dump(made, f, indent=1)
        """,
        numeric=[c.name for c in numeric],
        dst=path,
    )
    return move("estimates", path, made, text, step)


SKILLS = (
    Skill("impute_missing", "table", "table", 1.5, impute_missing),
    Skill("bin_values", "table", "table", 1.0, bin_values),
    Skill("scale_column", "table", "table", 1.5, scale_column),
    Skill("encode_one_hot", "table", "table", 1.5, encode_one_hot),
    Skill("split_train_test", "table", "table", 1.0, split_train_test),
    Skill("describe_columns", "table", "estimates", 1.5, describe_columns),
)
