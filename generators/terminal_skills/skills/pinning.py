"""Skills that hold a table of packages and versions against what is installed or known to be unsafe."""

from __future__ import annotations

from datafactory.types import files
from generators.terminal_skills.artefacts import Column, Table, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.fixtures.packages import draw_version, version_key
from generators.terminal_skills.skill import Artefact, Move, Skill, listing
from generators.terminal_skills.skills.tabular import rework


def _versions(table: Table) -> tuple[dict[str, str], str, str]:
    """Versions by package, and the names of the two columns."""
    package, version = table.of("package")[0], table.of("version")[0]
    return dict(zip(table.cells(package), table.cells(version), strict=True)), package.name, version.name


def compare_installed(bench: Bench, item: Artefact) -> Move:
    wanted, package_column, version_column = _versions(item.value)
    installed = {}
    for name, version in wanted.items():
        if not bench.chance(0.2):
            installed[name] = version if bench.chance(0.4) else draw_version(bench)
    installed[bench.slug() + "-x"] = draw_version(bench)

    def status(name: str) -> str:
        if name not in installed:
            return "missing"
        have, want = version_key(installed[name]), version_key(wanted[name])
        return "same" if have == want else "older" if have < want else "newer"

    columns = (Column("package", "package"), Column("installed", "name"), Column("status", "category"))
    made = Table(columns, tuple((n, installed.get(n, ""), status(n)) for n in sorted(wanted)))
    source = bench.given(["installed", "freeze", "environment"], ".txt")
    path = bench.wanted(["status", "outdated", "gap", "upgrade_report"], ".csv")
    text = bench.say(
        f"Compare the versions in `{item.path}` with what is installed (`{source}`): CSV `{path}`, header"
        " `package,installed,status`, a row per different package of the former in byte order; status `missing`"
        " (installed cell empty), `same`, `older` or `newer` (the installed version against the other; parts"
        " compare as numbers).",
        f"For every different package of `{item.path}`, in byte order, tell in `{path}` (CSV, header"
        f" `package,installed,status`) which"
        f" version `{source}` has (an empty cell if none) and whether that is `missing`, `same`, `older` or `newer`"
        f" than the"
        " version in the table, comparing numerically part by part; the operator, if any, plays no role.",
    )
    step = rework(
        "Tuples of integers compare versions the right way.",
        item,
        path,
        made,
        """
        installed = dict(line.strip().split('==') for line in open($source))
        key = lambda version: tuple(map(int, version.split('.')))
        rows.sort(key=lambda r: r[$package])
        for row in rows:
            row['package'] = row[$package]
            have = installed.get(row['package'], '')
            row['installed'] = have
            if not have:
                row['status'] = 'missing'
            else:
                a, b = key(have), key(row[$version])
                row['status'] = 'same' if a == b else 'older' if a < b else 'newer'
        """,
        source=source,
        package=package_column,
        version=version_column,
    )
    listed = text_lines(f"{n}=={installed[n]}" for n in bench.rng.sample(sorted(installed), len(installed)))
    note = f"`{source}` has a line `name==version` for each installed package."
    return move("table", path, made, text, step, files=files({source: listed}), inputs=(note,))


def audit_advisories(bench: Bench, item: Artefact) -> Move:
    wanted, package_column, version_column = _versions(item.value)
    advisories = []
    for name in bench.some([*wanted, bench.slug() + "-y"], 4, 9):
        low, high = sorted((draw_version(bench), draw_version(bench)), key=version_key)
        advisories.append((f"ADV-{bench.rng.randint(1000, 9999)}", name, low, high))
    advisories = list({a[0]: a for a in advisories}.values())
    hits = sorted(
        (name, code, wanted[name])
        for code, name, low, high in advisories
        if name in wanted and version_key(low) <= version_key(wanted[name]) < version_key(high)
    )
    columns = (Column("package", "package"), Column("advisory", "id"), Column("version", "version"))
    made = Table(columns, ()).but(hits)
    source = bench.given(["advisories", "vulnerabilities", "cve_list"], ".csv")
    path = bench.wanted(["affected", "vulnerable", "advisory_hits", "exposure"], ".csv")
    text = bench.say(
        f"Audit the versions in `{item.path}` against `{source}`. An advisory concerns versions from `introduced`"
        f" (inclusive) to"
        f" `fixed` (exclusive), compared numerically part by part. CSV `{path}`, header `package,advisory,version`,"
        f" sorted by"
        " package, then advisory, in byte order.",
        f"Which packages of `{item.path}`, at the version in the table, fall under an advisory in `{source}` (at least"
        f" `introduced` and below `fixed`, number by number)? Write `package,advisory,version` rows with this header to"
        f" `{path}` (CSV), in byte order of package, then advisory.",
    )
    step = rework(
        "Check each advisory against the version of its package.",
        item,
        path,
        made,
        """
        key = lambda version: tuple(map(int, version.split('.')))
        held = {row[$package]: row[$version] for row in rows}
        rows = []
        with open($source, newline='') as f:
            for a in csv.DictReader(f):
                version = held.get(a['package'])
                if version and key(a['introduced']) <= key(version) < key(a['fixed']):
                    rows.append({'package': a['package'], 'advisory': a['advisory'], 'version': version})
        rows.sort(key=lambda r: (r['package'], r['advisory']))
        """,
        source=source,
        package=package_column,
        version=version_column,
    )
    body = "advisory,package,introduced,fixed\n" + text_lines(",".join(a) for a in advisories)
    note = f"`{source}` lists advisories (CSV, {listing(('advisory', 'package', 'introduced', 'fixed'))})."
    return move("table", path, made, text, step, files=files({source: body}), inputs=(note,))


SKILLS = (
    Skill("compare_installed", "table", "table", 1.5, compare_installed),
    Skill("audit_advisories", "table", "table", 2.0, audit_advisories),
)
