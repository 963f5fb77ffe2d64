"""Skills on signed messages."""

from __future__ import annotations

from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python

VERIFY = """
import hmac

with open($key) as f:
    key = f.read().strip().encode()
found = []
for line in open($src):
    seal, _, message = line.rstrip('\\n').partition(' ')
    good = hmac.compare_digest(seal, hmac.new(key, message.encode(), 'sha256').hexdigest())
    found.append((message, good))
"""


def find_forgeries(bench: Bench, item: Artefact) -> Move:
    made = [str(number) for number, (_, _, good) in enumerate(item.value["entries"], 1) if not good]
    if not made:
        raise Unfit("all are genuine")
    path = bench.wanted(["forged", "rejected", "bad_signatures", "tampered"], ".txt")
    text = bench.say(
        f"Verify the messages of `{item.path}` and write the numbers (from 1) of the lines that are not genuine to"
        f" `{path}`, ascending, one a line.",
        f"`{path}`: the line numbers, counting from 1, of all forged messages in `{item.path}`, that is those whose"
        " HMAC is wrong; one number a line, in file order.",
    )
    step = python(
        "Recompute each HMAC and compare.",
        VERIFY
        + """
with open($dst, 'w') as f:
    f.writelines(f'{n}\\n' for n, (_, good) in enumerate(found, 1) if not good)
""",
        src=item.path,
        dst=path,
        key=item.value["key"],
    )
    return move("lines", path, made, text, step)


def accept_genuine(bench: Bench, item: Artefact) -> Move:
    made = [message for _, message, good in item.value["entries"] if good]
    if not made or len(made) == len(item.value["entries"]):
        raise Unfit("trivial")
    path = bench.wanted(["genuine", "accepted", "verified", "trusted"], ".txt")
    text = bench.say(
        f"Copy the genuine messages of `{item.path}`, without their HMAC and the space after it, one a line and in"
        f" order, to `{path}`.",
        f"`{path}` gets the text of every message in `{item.path}` that is genuine (no HMAC, sender first, order"
        " kept).",
    )
    step = python(
        "Keep a message only where its HMAC can be recomputed.",
        VERIFY
        + """
with open($dst, 'w') as f:
    f.writelines(message + '\\n' for message, good in found if good)
""",
        src=item.path,
        dst=path,
        key=item.value["key"],
    )
    return move("lines", path, made, text, step)


def tally_senders(bench: Bench, item: Artefact) -> Move:
    entries = item.value["entries"]
    rows = []
    for sender in sorted({s for s, _, _ in entries}):
        verdicts = [good for s, _, good in entries if s == sender]
        rows.append((sender, str(sum(verdicts)), str(len(verdicts) - sum(verdicts))))
    made = Table((Column("sender", "name"), Column("genuine", "int"), Column("forged", "int")), tuple(rows))
    path = bench.wanted(["senders", "trust", "signers", "per_sender"], ".csv")
    text = bench.say(
        f"Count genuine and forged messages per sender in `{item.path}`: CSV `{path}`, header `sender,genuine,forged`,"
        " a row for every sender, in byte order.",
        f"How far can each sender in `{item.path}` be trusted? CSV `{path}` with header `sender,genuine,forged`: how"
        " many messages under the name are genuine and how many are not, sorted by sender in byte order.",
    )
    step = python(
        "Verify, then count by the first word.",
        VERIFY
        + """
counts = {}
for message, good in found:
    counts.setdefault(message.split()[0], [0, 0])[not good] += 1
with open($dst, 'w') as f:
    f.write('sender,genuine,forged\\n')
    f.writelines(f'{s},{g},{b}\\n' for s, (g, b) in sorted(counts.items()))
""",
        src=item.path,
        dst=path,
        key=item.value["key"],
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("find_forgeries", "signed", "lines", 2.0, find_forgeries),
    Skill("accept_genuine", "signed", "lines", 2.0, accept_genuine),
    Skill("tally_senders", "signed", "table", 2.0, tally_senders),
)
