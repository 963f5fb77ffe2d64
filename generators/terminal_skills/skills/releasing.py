"""Skills on layered settings, commits and releases."""

from __future__ import annotations

import json
from typing import Any

from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell


def merge_settings(bench: Bench, item: Artefact) -> Move:
    made: dict[str, Any] = {}
    for layer in item.value["layers"]:
        for section, entries in layer.items():
            for key, value in entries.items():
                made.pop(f"{section}.{key}", None)
                if value is not None:
                    made[f"{section}.{key}"] = value
    path = bench.wanted(["effective", "settings", "flat_settings", "resolved"], ".json")
    text = bench.say(
        f"Merge the layers of `{item.path}/` into the flat JSON object `{path}` with keys `section.key`: a stronger"
        f" layer"
        " replaces a weaker layer's value as a whole (lists too), and null removes the key.",
        f"Compute the effective settings: `{path}`, one flat JSON object from `section.key` to value. Later layers of"
        f" `{item.path}/` win (lists are replaced, not joined); a null takes the key away.",
    )
    step = python(
        "Apply the layers in order.",
        """
        import json

        flat = {}
        for path in $paths:
            for section, entries in json.load(open(path, encoding='utf-8')).items():
                flat.update({f'{section}.{key}': value for key, value in entries.items()})
        flat = {key: value for key, value in flat.items() if value is not None}
        with open($dst, 'w', encoding='utf-8') as f:
            json.dump(flat, f, indent=2, ensure_ascii=False)
        """,
        paths=item.value["paths"],
        dst=path,
    )
    return move("settings", path, made, text, step)


def export_environment(bench: Bench, item: Artefact) -> Move:
    prefix = bench.slug().upper()

    def shown(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    made = sorted(f"{prefix}_{k.replace('.', '_').upper()}={shown(v)}" for k, v in item.value.items())
    path = bench.wanted(["env", "environment", "variables", "exports"], ".txt")
    text = bench.say(
        f"Export `{item.path}` as environment lines in `{path}`: `{prefix}_<KEY>=<value>` with the key in capitals"
        f" and `.` as"
        " `_`; texts bare, other values in compact JSON as in `true`, `12`, `[3]`; lines in byte order.",
        f"Write each setting of `{item.path}` as a line `{prefix}_<KEY>=<value>` to `{path}`, where KEY is the key in"
        f" upper case"
        " with `_` for the dot, texts stand without quotes and other values as JSON (`false`, `7`, `[4]`). Sort by"
        " bytes.",
    )
    step = python(
        "Text stays bare, everything else goes through json.dumps.",
        """
        import json

        lines = []
        for key, value in json.load(open($src, encoding='utf-8')).items():
            name = $prefix + '_' + key.upper().replace('.', '_')
            lines.append(name + '=' + (value if isinstance(value, str) else json.dumps(value)))
        with open($dst, 'w', encoding='utf-8') as f:
            f.writelines(line + '\\n' for line in sorted(lines))
        """,
        src=item.path,
        dst=path,
        prefix=prefix,
    )
    return move("lines", path, made, text, step)


def tabulate_commits(bench: Bench, item: Artefact) -> Move:
    names, roles = ("hash", "type", "scope", "breaking", "subject"), ("id", "category", "category", "category", "name")
    rows = ((h, t, s, "yes" if b else "no", x) for h, t, s, b, x in item.value)
    made = Table(tuple(map(Column, names, roles)), ()).but(rows)
    path = bench.wanted(["commits_table", "parsed_commits", "conventional", "changes"], ".csv")
    text = bench.say(
        f"Parse the conventional commits of `{item.path}` into CSV `{path}`, header"
        f" `hash,type,scope,breaking,subject`, order as"
        " in the list; an empty scope where there is none, breaking `yes` or `no`, subject the text after the colon.",
        f"`{path}` (CSV, header `hash,type,scope,breaking,subject`) has a row for each commit of `{item.path}` with a"
        " conventional subject, in the order of the list: its hash, type, scope (may be empty), `yes` or `no` for a"
        " breaking"
        " change, and the text behind the colon.",
    )
    step = shell(
        "One substitution per line; what does not match is dropped.",
        "{ echo hash,type,scope,breaking,subject; sed -nE -e 's/^([0-9a-f]+) ([a-z]+)(\\(([a-z]+)\\))?!:"
        " (.*)$/\\1,\\2,\\4,yes,\\5/p'"
        " -e 's/^([0-9a-f]+) ([a-z]+)(\\(([a-z]+)\\))?: (.*)$/\\1,\\2,\\4,no,\\5/p' %src%; } > %dst%",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def bump_version(bench: Bench, item: Artefact) -> Move:
    major, minor, patch = (bench.rng.randint(1, 12) for _ in range(3))
    commits = item.value
    if any(b for *_, b, _ in commits):
        new = f"{major + 1}.0.0"
    elif any(t == "feat" for _, t, *_ in commits):
        new = f"{major}.{minor + 1}.0"
    else:
        new = f"{major}.{minor}.{patch + 1}"
    path = bench.wanted(["VERSION", "next_version", "release"], ".txt")
    text = bench.say(
        f"The last release was {major}.{minor}.{patch}. Write the next version to `{path}`: a breaking change in"
        f" `{item.path}`"
        " raises the first number, otherwise a `feat` the second, otherwise the third goes up; the numbers after it"
        " become 0.",
        f"Decide by semantic versioning what follows {major}.{minor}.{patch}, given the commits in `{item.path}` (any"
        f" breaking"
        f" one: major; else any `feat`: minor; else patch; lower numbers restart at 0), and write just that to"
        f" `{path}`.",
    )
    step = shell(
        "Look for the strongest kind of change.",
        f"""
        if grep -qE '^[0-9a-f]+ [a-z]+(\\([a-z]+\\))?!: ' %src%; then echo {major + 1}.0.0
        elif grep -qE '^[0-9a-f]+ feat(\\([a-z]+\\))?: ' %src%; then echo {major}.{minor + 1}.0
        else echo {major}.{minor}.{patch + 1}; fi > %dst%
        """,
        src=item.path,
        dst=path,
    )
    return Move(
        text, (Artefact(item.kind, item.path, item.value, judged=False), Artefact("lines", path, [new])), (step,)
    )


def draft_changelog(bench: Bench, item: Artefact) -> Move:
    heads = [("feat", "Added"), ("fix", "Fixed"), ("perf", "Faster")]
    made: list[str] = []
    for kind, head in heads:
        entries = sorted(f"- {f'{s}: ' if s else ''}{x} ({h})" for h, t, s, _, x in item.value if t == kind)
        made += [f"## {head}", *entries] if entries else []
    if len(made) < 4:
        raise Unfit("nothing to tell")
    path = bench.wanted(["CHANGELOG", "release_notes", "news"], ".md")
    text = bench.say(
        f"Draft release notes from `{item.path}` in `{path}`: sections `## Added` (feat), `## Fixed` (fix) and `##"
        f" Faster` (perf)"
        " in this order, empty ones left out, each followed by its entries `- <scope>: <text> (<hash>)` (no scope: `-"
        " <text>"
        " (<hash>)`) in byte order; no blank lines.",
        f"`{path}` summarises the conventional commits of `{item.path}`. For feat, fix and perf, in this order and"
        f" only if there"
        " are any, comes a line `## Added`, `## Fixed` or `## Faster`, then a line per commit, `- <scope>: <text>"
        " (<hash>)` or"
        " without scope `- <text> (<hash>)`, in byte order. No blank lines.",
    )
    step = python(
        "Group by type, format, sort.",
        """
        import re

        shape = re.compile(r'(\\w+) (feat|fix|perf)(?:\\((\\w+)\\))?!?: (.*)')
        groups = {'feat': [], 'fix': [], 'perf': []}
        for line in open($src):
            found = shape.match(line)
            if found:
                digest, kind, scope, text = found.groups()
                groups[kind].append('- ' + (scope + ': ' if scope else '') + text + ' (' + digest + ')')
        with open($dst, 'w') as f:
            for kind, head in ('feat', 'Added'), ('fix', 'Fixed'), ('perf', 'Faster'):
                if groups[kind]:
                    print('## ' + head, *sorted(groups[kind]), sep='\\n', file=f)
        """,
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


SKILLS = (
    Skill("merge_settings", "layers", "settings", 2.0, merge_settings),
    Skill("export_environment", "settings", "lines", 1.0, export_environment),
    Skill("tabulate_commits", "commits", "table", 1.5, tabulate_commits),
    Skill("bump_version", "commits", "commits", 1.0, bump_version),
    Skill("draft_changelog", "commits", "lines", 2.0, draft_changelog),
)
