"""Skills that measure what a table says: relations, outliers, time, and how good predictions are."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from statistics import mean, pstdev

from generators.terminal_skills.artefacts import NUMERIC, Column, Series, Table, number
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, shell
from generators.terminal_skills.skills.tabular import read_only, rework


def correlate_columns(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    numeric = table.of(*NUMERIC, where=lambda cells: len(set(cells) - {""}) > 3)
    if len(numeric) < 2:
        raise Unfit("needs two numeric columns")
    x, y = bench.rng.sample(numeric, 2)
    pairs = [(float(a), float(b)) for a, b in zip(table.cells(x), table.cells(y), strict=True) if a and b]
    mx, my = mean(a for a, _ in pairs), mean(b for _, b in pairs)
    sxx, syy = sum((a - mx) ** 2 for a, _ in pairs), sum((b - my) ** 2 for _, b in pairs)
    if len(pairs) < 4 or not sxx or not syy:
        raise Unfit("no variance")
    sxy = sum((a - mx) * (b - my) for a, b in pairs)
    slope = sxy / sxx
    made = {"n": len(pairs), "r": sxy / sqrt(sxx * syy), "slope": slope, "intercept": my - slope * mx}
    path = bench.wanted(["correlation", "relation", "regression", "association"], ".json")
    text = bench.say(
        f"How are `{x.name}` and `{y.name}` related in `{item.path}`? Over the rows in which both are filled, write to"
        f" `{path}` a JSON object with `n` (rows used), `r` (Pearson), and `slope` and `intercept` of the"
        f" least-squares line"
        f" that predicts `{y.name}` from `{x.name}`; each right to 0.001.",
        f"Fit `{y.name}` = intercept + slope * `{x.name}` by least squares on `{item.path}`, leaving out rows where"
        f" either is"
        f" empty. `{path}`: JSON with the keys `n`, `r` (Pearson correlation), `slope`, `intercept` (tolerance 0.001).",
    )
    step = read_only(
        "Sums of squares give all of it.",
        item,
        """
        import json

        pairs = [(float(row[$x]), float(row[$y])) for row in rows if row[$x] and row[$y]]
        n = len(pairs)
        sx, sy = (sum(column) for column in zip(*pairs))
        sxx = sum(x * x for x, _ in pairs) - sx * sx / n
        syy = sum(y * y for _, y in pairs) - sy * sy / n
        sxy = sum(x * y for x, y in pairs) - sx * sy / n
        slope = sxy / sxx
        made = {'n': n, 'r': sxy / (sxx * syy) ** 0.5, 'slope': slope, 'intercept': (sy - slope * sx) / n}
        with open($dst, 'w') as f:
            json.dump(made, f)
        """,
        x=x.name,
        y=y.name,
        dst=path,
    )
    return move("estimates", path, made, text, step)


def flag_outliers(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of(*NUMERIC, where=lambda cells: len(set(cells) - {""}) > 5))
    limit = bench.rng.choice([1.25, 1.5, 1.75])
    values = [float(number(c)) for c in table.cells(column) if c]
    centre, width = mean(values), pstdev(values)
    distances = [abs(float(c) - centre) / width if c else 0.0 for c in table.cells(column)]
    if any(abs(d - limit) < 1e-4 for d in distances):
        raise Unfit("a value lies on the limit")
    made = table.but(row for row, d in zip(table.rows, distances, strict=True) if d > limit)
    if len(made.rows) == len(table.rows):
        raise Unfit("all are outliers")
    path = bench.wanted(["outliers", "anomalies", "suspicious", "extreme_rows"], ".csv")
    text = bench.say(
        f"Find outliers: the rows of `{item.path}` whose `{column.name}` is more than {limit} population standard"
        f" deviations"
        f" away from its mean (empty cells are left out of both and never outliers). Header and rows, in order:"
        f" `{path}`.",
        f"`{path}` takes the header and those rows of `{item.path}`, in order, whose `{column.name}` differs from the"
        f" mean by"
        f" more than {limit} standard deviations (population formula, over the non-empty cells; a row with an empty"
        f" cell"
        " never counts).",
    )
    step = rework(
        "Mean and deviation first, then one pass over the rows.",
        item,
        path,
        made,
        """
        from statistics import fmean, pstdev

        known = [float(row[$column]) for row in rows if row[$column]]
        centre, width = fmean(known), pstdev(known)
        rows = [r for r in rows if r[$column] and abs(float(r[$column]) - centre) > $limit * width]
        """,
        column=column.name,
        limit=limit,
    )
    return move("table", path, made, text, step)


def count_by_month(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    day = bench.pick(table.of("date"))
    counts = Counter(cell[:7] for cell in table.cells(day))
    first, last = min(counts), max(counts)
    months, month = [], first
    while month <= last:
        months.append(month)
        year, number_ = int(month[:4]), int(month[5:])
        month = f"{year + number_ // 12}-{number_ % 12 + 1:02d}"
    made = Table((Column("month", "name"), Column("rows", "int")), tuple((m, str(counts[m])) for m in months))
    path = bench.wanted(["monthly", "per_month", "calendar", "timeline"], ".csv")
    text = bench.say(
        f"Count the rows of `{item.path}` per calendar month of `{day.name}` in `{path}` (header `month,rows`, months"
        f" as"
        " YYYY-MM, ascending). A month without rows between the first and the last one is listed with 0.",
        f"`{path}` (CSV, columns `month` and `rows`) tells how many rows of `{item.path}` fall into each month"
        f" (YYYY-MM) of"
        f" `{day.name}`: from the earliest month to the latest, none skipped, 0 where there is nothing.",
    )
    step = read_only(
        "Count by the first seven characters and walk the calendar so that gaps show.",
        item,
        """
        from collections import Counter

        counts = Counter(row[$day][:7] for row in rows)
        year, month = map(int, min(counts).split('-'))
        with open($dst, 'w') as f:
            f.write('month,rows\\n')
            while '%d-%02d' % (year, month) <= max(counts):
                f.write('%d-%02d,%d\\n' % (year, month, counts['%d-%02d' % (year, month)]))
                year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        """,
        day=day.name,
        dst=path,
    )
    return move("table", path, made, text, step)


def apply_threshold(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    score, label = table.of("probability")[0], table.of("label")[0]
    classes = sorted(set(table.cells(label)))
    if len(classes) != 2:
        raise Unfit("only one class is left")
    positive, negative = classes
    limit = bench.rng.choice(["0.35", "0.40", "0.50", "0.55", "0.60", "0.65"])
    name = bench.column_name(table, "predicted", "prediction", "guess", "decision")
    made = table.but(
        ((*r, positive if number(r[table.at(score)]) >= number(limit) else negative) for r in table.rows),
        (*(Column(c.name, "given") if c == score else c for c in table.columns), Column(name, "prediction")),
    )
    path = bench.wanted(["predicted", "scored", "decisions", "classified"], ".csv")
    text = bench.say(
        f"Turn the scores of `{item.path}` into decisions: new last column `{name}`, `{positive}` where"
        f" `{score.name}` is at"
        f" least {limit}, otherwise `{negative}`. Save as `{path}`.",
        f"Classify each row of `{item.path}` with the threshold {limit} on `{score.name}`: that much or more means"
        f" `{positive}`, less means `{negative}`. `{path}` has the answer as an added last column `{name}`.",
    )
    step = rework(
        "The probabilities are plain decimals, so a float compares safely.",
        item,
        path,
        made,
        "for row in rows:\n    row[$name] = $positive if float(row[$score]) >= $limit else $negative",
        name=name,
        score=score.name,
        limit=float(limit),
        positive=positive,
        negative=negative,
    )
    return move("table", path, made, text, step)


def confusion_matrix(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    label, guess = table.of("label")[0], table.of("prediction")[0]
    positive = sorted({*table.cells(label), *table.cells(guess)})[0]
    pairs = Counter((t == positive, p == positive) for t, p in zip(table.cells(label), table.cells(guess), strict=True))
    tp, fp, fn, tn = pairs[True, True], pairs[False, True], pairs[True, False], pairs[False, False]
    if not tp:
        raise Unfit("no true positive")
    made = {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "accuracy": (tp + tn) / len(table.rows),
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
    }
    path = bench.wanted(["confusion", "metrics", "evaluation", "quality"], ".json")
    text = bench.say(
        f"Judge the predictions: with `{label.name}` of `{item.path}` as the truth, `{guess.name}` as the prediction"
        f" and"
        f" `{positive}` as the positive class, write the JSON object `{path}` with `tp`, `fp`, `fn`, `tn`, `accuracy`,"
        " `precision`, `recall` and `f1` (fractions right to 0.001).",
        f"`{path}`: a JSON object that compares `{guess.name}` with the true `{label.name}` in `{item.path}`;"
        f" positive class"
        f" `{positive}`; keys `tp`, `fp`, `fn`, `tn`, `accuracy`, `precision`, `recall`, `f1`, the last four as"
        f" fractions with"
        " tolerance 0.001.",
    )
    step = read_only(
        "Four counters, then the ratios.",
        item,
        """
        import json

        tp = sum(r[$truth] == $positive == r[$guess] for r in rows)
        fp = sum(r[$guess] == $positive for r in rows) - tp
        fn = sum(r[$truth] == $positive for r in rows) - tp
        tn = len(rows) - tp - fp - fn
        made = dict(tp=tp, fp=fp, fn=fn, tn=tn, accuracy=(tp + tn) / len(rows), precision=tp / (tp + fp),
                    recall=tp / (tp + fn), f1=2 * tp / (2 * tp + fp + fn))
        with open($dst, 'w') as f:
            json.dump(made, f)
        """,
        truth=label.name,
        guess=guess.name,
        positive=positive,
        dst=path,
    )
    return move("estimates", path, made, text, step)


def column_to_series(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = bench.pick(table.of("int", "decimal", where=lambda cells: len(set(cells) - {""}) > 8))
    cells = [c for c in table.cells(column) if c]
    made = Series(tuple((float(i), float(c)) for i, c in enumerate(cells)))
    path = bench.wanted(["series", f"{column.name}_series", "signal", "trace"], ".txt")
    text = bench.say(
        f"Extract `{column.name}` from `{item.path}` as a series: `{path}` has a line `<index> <value>` for each"
        f" non-empty"
        " cell, top to bottom, the index counting from 0, one space between.",
        f"Write the non-empty cells of `{column.name}` (`{item.path}`), in order, to `{path}`, each on a line after"
        f" its index"
        " (0, 1, 2, ...) and one space.",
    )
    at = table.at(column) + 1
    if table.plain:
        step = shell(
            "Plain CSV: awk numbers the filled cells.",
            f'tail -n +2 %src% | awk -F, \'${at} != "" {{ printf "%d %s\\n", n++, ${at} }}\' > %dst%',
            src=item.path,
            dst=path,
        )
    else:
        step = read_only(
            "Quoted fields: take the column with a CSV parser.",
            item,
            """
            cells = [row[$column] for row in rows if row[$column]]
            with open($dst, 'w') as f:
                f.writelines(f'{index} {cell}\\n' for index, cell in enumerate(cells))
            """,
            column=column.name,
            dst=path,
        )
    return move("series", path, made, text, step)


SKILLS = (
    Skill("correlate_columns", "table", "estimates", 2.0, correlate_columns),
    Skill("flag_outliers", "table", "table", 1.5, flag_outliers),
    Skill("count_by_month", "table", "table", 1.5, count_by_month),
    Skill("apply_threshold", "table", "table", 1.0, apply_threshold),
    Skill("confusion_matrix", "table", "estimates", 1.5, confusion_matrix),
    Skill("column_to_series", "table", "series", 1.0, column_to_series),
)
