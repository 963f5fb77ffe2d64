"""Skills on JSON Lines, nested or flat, and between them and tables."""

from __future__ import annotations

import json
from typing import Any

from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing, python
from generators.terminal_skills.skills.tabular import read_only


def repair_records(bench: Bench, item: Artefact) -> Move:
    keep: list[dict[str, Any]] = []
    bad: list[str] = []
    for number, line in enumerate(item.value["lines"], 1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            keep.append(record)
        else:
            bad.append(f"{number}")
    if not bad:
        raise Unfit("nothing is damaged")
    path = bench.wanted(["repaired", "valid", "salvaged", "intact"], ".jsonl")
    log = bench.wanted(["damaged", "bad_lines", "lost", "quarantine"], ".txt")
    text = bench.say(
        f"Copy the intact objects of `{item.path}` to `{path}` in their order (JSON Lines), and write the numbers of"
        f" the"
        f" lines that are not one JSON object (counting from 1) to `{log}`, ascending, one a line.",
        f"Some lines of `{item.path}` are no JSON object (torn, or another kind of value). Their line numbers, from 1,"
        f" belong in `{log}`, one a line, ascending; all the other objects in `{path}`, JSON Lines, order unchanged.",
    )
    step = python(
        "Try each line; an object is kept, anything else is noted by its number.",
        """
        import json

        with open($src, encoding='utf-8') as f, open($dst, 'w', encoding='utf-8') as good, open($log, 'w') as bad:
            for number, line in enumerate(f, 1):
                try:
                    intact = isinstance(json.loads(line), dict)
                except ValueError:
                    intact = False
                if intact:
                    good.write(line.rstrip('\\n') + '\\n')
                else:
                    bad.write(f'{number}\\n')
        """,
        src=item.path,
        dst=path,
        log=log,
    )
    value = {"records": keep, "keys": item.value["keys"]}
    return Move(text, (Artefact("nested", path, value), Artefact("lines", log, bad)), (step,))


def flatten_records(bench: Bench, item: Artefact) -> Move:
    keys, records = item.value["keys"], item.value["records"]
    columns = (
        Column(keys["id"], "id"),
        Column(keys["name"], "name"),
        Column(keys["count"], "int"),
        Column(keys["category"], "category"),
        Column(keys["amount"], "decimal"),
    )
    rows = []
    for r in records:
        count, inner = r[keys["count"]], r[keys["group"]]
        amount = inner.get(keys["amount"])
        rows.append(
            (
                str(r[keys["id"]]),
                str(r[keys["name"]]),
                "" if count is None else str(count),
                str(inner.get(keys["category"], "")),
                "" if amount is None else f"{amount:.2f}",
            )
        )
    made = Table(columns, tuple(rows))
    path = bench.wanted(["flat", "flattened", "records", "unnested"], ".csv")
    names = ", ".join(f"`{c.name}`" for c in columns)
    text = bench.say(
        f"Flatten `{item.path}` into the CSV file `{path}` with the columns {names} (the last two come from"
        f" `{keys['group']}`), a row per object in file order. Null or missing becomes an empty cell;"
        f" `{keys['amount']}` has two decimal places.",
        f"Make a CSV table `{path}` of `{item.path}`: columns {names}, taking the last two out of `{keys['group']}`;"
        f" one row per object, same order; `{keys['amount']}` with two decimal places; an empty cell for null and for"
        " what is missing.",
    )
    step = python(
        "Pull the nested values out, with an empty cell where there is none.",
        """
        import csv
        import json

        with open($src, encoding='utf-8') as f, open($dst, 'w', newline='', encoding='utf-8') as out:
            writer = csv.writer(out, lineterminator='\\n')
            writer.writerow($columns)
            for line in f:
                r = json.loads(line)
                inner = r[$group]
                amount = inner.get($amount)
                count = r[$count]
                writer.writerow([
                    r[$id], r[$name], '' if count is None else count, inner.get($category, ''),
                    '' if amount is None else format(amount, '.2f'),
                ])
        """,
        src=item.path,
        dst=path,
        columns=list(made.names),
        **{k: keys[k] for k in ("group", "amount", "count", "id", "name", "category")},
    )
    return move("table", path, made, text, step)


def explode_tags(bench: Bench, item: Artefact) -> Move:
    keys, records = item.value["keys"], item.value["records"]
    pairs = [(str(r[keys["id"]]), tag) for r in records for tag in sorted(r.get(keys["tags"], []))]
    if not pairs:
        raise Unfit("no tags")
    singular = keys["tags"][:-1]
    made = Table((Column(keys["id"], "id"), Column(singular, "category")), tuple(pairs))
    path = bench.wanted(["exploded", f"{keys['tags']}_long", "pairs", "long_form"], ".csv")
    text = bench.say(
        f"Unfold the `{keys['tags']}` of `{item.path}`: `{path}` is a CSV file with header `{keys['id']},{singular}`"
        f" and a"
        " row for each tag of each object; objects in file order, the tags of one object in ascending byte order."
        " Objects without tags give no row.",
        f"Write one CSV row `{keys['id']},{singular}` (that is also the header) to `{path}` for every entry of"
        f" `{keys['tags']}` in `{item.path}`, object after object, entries of an object sorted by bytes; none for"
        " objects that have no entry.",
    )
    step = python(
        "One row for each entry; a missing list is an empty one.",
        """
        import csv
        import json

        with open($src, encoding='utf-8') as f, open($dst, 'w', newline='', encoding='utf-8') as out:
            writer = csv.writer(out, lineterminator='\\n')
            writer.writerow([$id, $singular])
            for line in f:
                r = json.loads(line)
                writer.writerows([r[$id], tag] for tag in sorted(r.get($tags) or []))
        """,
        src=item.path,
        dst=path,
        singular=singular,
        id=keys["id"],
        tags=keys["tags"],
    )
    return move("table", path, made, text, step)


def tally_records(bench: Bench, item: Artefact) -> Move:
    keys, records = item.value["keys"], item.value["records"]
    missing = bench.pick(["(none)", "missing", "unknown"])
    made: dict[str, dict[str, int]] = {}
    for r in records:
        entry = made.setdefault(r[keys["group"]].get(keys["category"], missing), {"objects": 0, keys["count"]: 0})
        entry["objects"] += 1
        entry[keys["count"]] += r[keys["count"]] or 0
    path = bench.wanted(["tally", "per_" + keys["category"], "counts", "rollup"], ".json")
    text = bench.say(
        f"Summarise `{item.path}` in the JSON object `{path}`: a key per `{keys['group']}.{keys['category']}`"
        f" (objects that"
        f" lack it under `{missing}`), whose value is"
        f' `{{"objects": <how many>, "{keys["count"]}": <sum, null as 0>}}`.',
        f"Count the objects of `{item.path}` and add up their `{keys['count']}` (null is 0) for each value of"
        f" `{keys['category']}` inside `{keys['group']}`; use `{missing}` where it is missing. `{path}` maps each"
        f" value to an"
        f" object with the keys `objects` and `{keys['count']}`.",
    )
    step = python(
        "Fold the objects into one dictionary.",
        """
        import json

        made = {}
        for line in open($src, encoding='utf-8'):
            r = json.loads(line)
            entry = made.setdefault(r[$group].get($category, $missing), {'objects': 0, $count: 0})
            entry['objects'] += 1
            entry[$count] += r[$count] or 0
        with open($dst, 'w', encoding='utf-8') as f:
            json.dump(made, f, indent=2)
        """,
        src=item.path,
        dst=path,
        missing=missing,
        **{k: keys[k] for k in ("group", "category", "count")},
    )
    return move("mapping", path, made, text, step)


def table_to_records(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    if any(c.tolerance for c in table.columns):
        raise Unfit("rounded cells")
    made = []
    for row in table.rows:
        record: dict[str, Any] = {}
        for column, cell in zip(table.columns, row, strict=True):
            numeric = column.role in ("int", "decimal")
            record[column.name] = None if not cell else float(cell) if numeric else cell
        made.append(record)
    path = bench.wanted(["rows", "converted", "objects", "as_json"], ".jsonl")
    typed = [c.name for c in table.columns if c.role in ("int", "decimal")]
    numbers = f"; {listing(typed)} as numbers, everything else as text" if typed else "; every other value is text"
    text = bench.say(
        f"Convert `{item.path}` to JSON Lines in `{path}`: one object per row in the same order, keys from the header,"
        f" empty cells as null{numbers}.",
        f"Give `{item.path}` as JSON Lines too: `{path}` has an object for every row (order kept), with the column"
        f" names as"
        f" keys and null for an empty cell{numbers}.",
    )
    step = read_only(
        "Type the numeric columns, null for empty cells.",
        item,
        """
        import json

        with open($dst, 'w', encoding='utf-8') as f:
            for row in rows:
                made = {k: None if v == '' else float(v) if k in $numeric else v for k, v in row.items()}
                f.write(json.dumps(made, ensure_ascii=False) + '\\n')
        """,
        dst=path,
        numeric=typed,
    )
    return move("records", path, made, text, step)


SKILLS = (
    Skill("repair_records", "broken", "nested", 2.0, repair_records),
    Skill("flatten_records", "nested", "table", 1.5, flatten_records),
    Skill("explode_tags", "nested", "table", 1.5, explode_tags),
    Skill("tally_records", "nested", "mapping", 1.5, tally_records),
    Skill("table_to_records", "table", "records", 1.0, table_to_records),
)
