"""Skills that watch log-ins, match networks, decode messages and hide who people are."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections import Counter, defaultdict

from datafactory.types import files
from generators.terminal_skills.artefacts import Column, Table, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell
from generators.terminal_skills.skills.tabular import rework

EVENTS = r"""
import re

events = re.findall(r'(ACCEPT|REFUSE) user=(\S+) from=(\S+)', open($src).read())
"""


def count_refusals(bench: Bench, item: Artefact) -> Move:
    refused = Counter(host for _, verdict, _, host in item.value if verdict == "REFUSE")
    users: dict[str, set[str]] = defaultdict(set)
    for _, verdict, user, host in item.value:
        if verdict == "REFUSE":
            users[host].add(user)
    columns = (Column("address", "ip"), Column("refused", "int"), Column("users", "int"))
    hosts = sorted(refused, key=lambda h: (-refused[h], h))
    made = Table(columns, ()).but((h, str(refused[h]), str(len(users[h]))) for h in hosts)
    path = bench.wanted(["refusals", "attackers", "failed_logins", "offenders"], ".csv")
    text = bench.say(
        f"Count refused log-ins in `{item.path}` per source address: CSV `{path}`, header `address,refused,users`"
        f" (refusals,"
        " and different user names among them), most refusals first, equal ones by address in byte order.",
        f"`{path}` (CSV, `address,refused,users` as header) must show for each address with at least one REFUSE in"
        f" `{item.path}` how many there were and how many distinct users they concern; sort by refusals descending,"
        f" then by"
        " address as text in byte order.",
    )
    step = python(
        "Pull verdict, user and address out with one pattern.",
        EVENTS
        + """
tried = {}
for verdict, user, host in events:
    if verdict == 'REFUSE':
        tried.setdefault(host, []).append(user)
with open($dst, 'w') as f:
    f.write('address,refused,users\\n')
    for host, names in sorted(tried.items(), key=lambda p: (-len(p[1]), p[0])):
        f.write(f'{host},{len(names)},{len(set(names))}\\n')
""",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def find_breaches(bench: Bench, item: Artefact) -> Move:
    limit = bench.rng.choice([2, 3, 4])
    streak: Counter[tuple[str, str]] = Counter()
    found = set()
    by_host = bench.chance(0.6)
    for _, verdict, user, host in item.value:
        key = (host, "" if by_host else user)
        if verdict == "REFUSE":
            streak[key] += 1
        else:
            if streak[key] >= limit:
                found.add(host)
            streak[key] = 0
    if not found:
        raise Unfit("no breach")
    made = sorted(found)
    path = bench.wanted(["breaches", "break_ins", "alarms", "compromised"], ".txt")
    whom = "from the same address, whichever user" if by_host else "of the same user from the same address"
    others = "of other addresses" if by_host else "of other users or addresses"
    text = bench.say(
        f"Detect likely break-ins in `{item.path}`: an ACCEPT that comes right after at least {limit} REFUSE events"
        f" in a row"
        f" {whom} (events {others} in between do not interrupt a row). List the addresses, each once, in byte order,"
        f" in `{path}`.",
        f"Which addresses got in with an ACCEPT after {limit} or more consecutive refusals {whom}? Follow"
        f" `{item.path}` from top to bottom (an ACCEPT ends a row of refusals; events {others} do not matter). One"
        f" address a line, byte order, no repeats: `{path}`.",
    )
    step = python(
        "Keep a running count of refusals that an acceptance resets.",
        EVENTS
        + """
count, found = {}, set()
for verdict, user, host in events:
    key = KEY
    if verdict == 'REFUSE':
        count[key] = count.get(key, 0) + 1
    elif count.pop(key, 0) >= $limit:
        found.add(host)
with open($dst, 'w') as f:
    f.writelines(host + '\\n' for host in sorted(found))
""".replace("KEY", "host" if by_host else "host, user"),
        src=item.path,
        dst=path,
        limit=limit,
    )
    return move("lines", path, made, text, step)


def match_networks(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column = table.of("ip")[0]
    hosts = sorted(set(table.cells(column)))
    chosen = bench.some(hosts, 1, 3)
    nets = {str(ipaddress.ip_network(f"{h}/{bench.rng.choice([24, 26, 27, 28, 32])}", strict=False)) for h in chosen}
    nets.add(f"{bench.rng.randint(221, 223)}.0.0.0/8")
    source = bench.given(["networks", "ranges", "cidr", "zones"], ".txt")
    known = [ipaddress.ip_network(n) for n in nets]
    made = table.but(r for r in table.rows if any(ipaddress.ip_address(r[table.at(column)]) in n for n in known))
    if len(made.rows) == len(table.rows):
        raise Unfit("all match")
    path = bench.wanted(["in_networks", "listed", "internal", "zone_hits"], ".csv")
    text = bench.say(
        f"Keep those rows of `{item.path}` whose `{column.name}` lies in one of the networks of `{source}`; header"
        f" and order as"
        f" they are; into `{path}`.",
        f"`{path}`: the header and, in order, the rows of `{item.path}` whose `{column.name}` belongs to any network of"
        f" `{source}`.",
    )
    step = rework(
        "The ipaddress module knows the prefixes.",
        item,
        path,
        made,
        """
        import ipaddress

        networks = [ipaddress.ip_network(line.strip()) for line in open($source) if line.strip()]
        rows = [row for row in rows if any(ipaddress.ip_address(row[$column]) in n for n in networks)]
        """,
        source=source,
        column=column.name,
    )
    note = f"`{source}` lists IPv4 networks in CIDR notation, one a line."
    return move("table", path, made, text, step, files=files({source: text_lines(sorted(nets))}), inputs=(note,))


def pseudonymise_names(bench: Bench, item: Artefact) -> Move:
    table: Table = item.value
    column, length = bench.pick(table.of("name", "id")), bench.rng.choice([8, 10, 12, 16])
    key, source = bench.slug() + str(bench.rng.randint(100, 999)), bench.given(["pepper", "hmac_key", "salt"], ".key")
    at = table.at(column)

    def hidden(cell: str) -> str:
        return hmac.new(key.encode(), cell.encode(), hashlib.sha256).hexdigest()[:length] if cell else ""

    made = table.but((*r[:at], hidden(r[at]), *r[at + 1 :]) for r in table.rows)
    path = bench.wanted(["pseudonymised", "anonymous", "masked", "private"], ".csv")
    text = bench.say(
        f"Pseudonymise `{column.name}` of `{item.path}`: replace each non-empty value by the first {length}"
        f" hexadecimal digits"
        f" (lower case) of its HMAC-SHA256 (UTF-8) under the key in `{source}`. Everything else stays; write `{path}`.",
        f"In `{path}`, a copy of `{item.path}`, each non-empty `{column.name}` is hidden: HMAC-SHA256 of its UTF-8"
        f" bytes, keyed"
        f" with the content of `{source}`, in lower-case hex, cut to {length} digits.",
    )
    step = rework(
        "hmac with the key, minus the line end of its file.",
        item,
        path,
        made,
        """
        import hashlib, hmac

        key = open($source, 'rb').read().strip()
        for row in rows:
            if row[$column]:
                row[$column] = hmac.new(key, row[$column].encode(), hashlib.sha256).hexdigest()[:$length]
        """,
        source=source,
        column=column.name,
        length=length,
    )
    note = f"`{source}` holds a key (ASCII; the line end is not part of it)."
    return move("table", path, made, text, step, files=files({source: f"{key}\n"}), inputs=(note,))


def decode_messages(bench: Bench, item: Artefact) -> Move:
    path = bench.wanted(["decoded", "plain", "clear_text", "readable"], ".txt")
    text = bench.say(
        f"Decode the messages of `{item.path}`: their clear text, one a line and in order, without numbers or tags,"
        f" goes to"
        f" `{path}`.",
        f"Write the decoded text of every message in `{item.path}` to `{path}`, a message a line, same order, nothing"
        f" else.",
    )
    step = shell(
        "The tag on each line says which decoder.",
        """
        while read -r _ code data; do
          case $code in
            b64) printf '%s' "$data" | base64 -d ;;
            hex) python3 -c 'import sys; sys.stdout.write(bytes.fromhex(sys.argv[1]).decode())' "$data" ;;
          esac
          echo
        done < %src% > %dst%
        """,
        src=item.path,
        dst=path,
    )
    return move("lines", path, item.value, text, step)


SKILLS = (
    Skill("count_refusals", "authlog", "table", 1.5, count_refusals),
    Skill("find_breaches", "authlog", "lines", 2.5, find_breaches),
    Skill("match_networks", "table", "table", 1.5, match_networks),
    Skill("pseudonymise_names", "table", "table", 1.5, pseudonymise_names),
    Skill("decode_messages", "encoded", "lines", 1.5, decode_messages),
)
