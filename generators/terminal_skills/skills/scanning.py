"""Skills that look for secrets, tampering and weak permissions in a folder."""

from __future__ import annotations

import hashlib
import re

from datafactory.types import File, files
from generators.terminal_skills.artefacts import Column, Table, text_lines
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell

SECRET = re.compile(r"AKIA[A-Z0-9]{16}|tok_[a-z0-9]{20}")
SHAPES = (
    "`AKIA` followed by 16 capitals or digits, or `tok_` followed by 20 lower-case letters or digits (ASCII; shorter"
    " ones"
    " do not count, and no secret is longer)"
)


def find_secrets(bench: Bench, item: Artefact) -> Move:
    rows = []
    for name, file in sorted(item.value.items()):
        for number, line in enumerate(file.text.splitlines(), 1):
            rows += [(name, str(number), "key" if m.startswith("AKIA") else "token") for m in SECRET.findall(line)]
    columns = (Column("file", "name"), Column("line", "int"), Column("kind", "category"))
    made = Table(columns, ()).but(rows)
    path = bench.wanted(["leaks", "secrets", "findings", "exposed"], ".csv")
    text = bench.say(
        f"Search all files below `{item.path}/` for secrets: {SHAPES}. Write CSV `{path}` with header `file,line,kind`:"
        " relative path, line number from 1, and `key` (AKIA) or `token` (tok_); sorted by path in byte order, then"
        " line"
        " number.",
        f"Report every secret in the tree `{item.path}/` to `{path}` as CSV rows `file,line,kind` (that is the header"
        f" too):"
        f" path relative to the folder, 1-based line, and `key` or `token`. A key or token is {SHAPES}, respectively."
        f" Order:"
        " path (bytes), then line.",
    )
    step = shell(
        "grep -rno prints file, line and match; sed names the kind.",
        "cd %src% && { echo file,line,kind; grep -rnoE 'AKIA[A-Z0-9]{16}|tok_[a-z0-9]{20}' . | sed -e 's,^\\./,,'"
        " -e 's/:AKIA.*$/,key/' -e 's/:tok_.*$/,token/' -e 's/:\\([0-9]*\\),/,\\1,/'"
        " | LC_ALL=C sort -t, -k1,1 -k2,2n; } > %dst%; cd /app",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def redact_secrets(bench: Bench, item: Artefact) -> Move:
    mark = bench.pick(["[REDACTED]", "<hidden>", "XXXX", "***"])
    tree: dict[str, File] = item.value
    made = {n: File(data=SECRET.sub(mark, f.text).encode(), mode=f.mode) for n, f in tree.items()}
    if made == tree:
        raise Unfit("there are no secrets")
    path = bench.wanted(["redacted", "publishable", "sanitised", "public"])
    text = bench.say(
        f"Make `{path}/` a copy of `{item.path}/` in which every secret is replaced by `{mark}` and nothing else is"
        f" changed. A"
        f" secret is {SHAPES}.",
        f"Redact: `{path}/` has all files of `{item.path}/` at the same relative paths, with `{mark}` in place of"
        f" each secret,"
        f" that is {SHAPES}.",
    )
    step = shell(
        "Copy first, then edit the copies in place.",
        f"mkdir -p %dst% && cp -r %src%/. %dst%/\nfind %dst% -type f -exec sed -i -E"
        f" 's/AKIA[A-Z0-9]{{16}}|tok_[a-z0-9]{{20}}/{mark}/g' {{}} +",
        src=item.path,
        dst=path,
    )
    return move("tree", path, made, text, step)


def verify_checksums(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    noted = {n: hashlib.sha256(f.data).hexdigest() for n, f in tree.items()}
    status = dict.fromkeys(tree, "ok")
    chosen = bench.some(sorted(tree), 4, 7)
    for index, name in enumerate(chosen):
        if index % 2:
            del noted[name]
            status[name] = "unlisted"
        else:
            noted[name] = hashlib.sha256(bench.slug().encode()).hexdigest()
            status[name] = "changed"
    for gone in bench.slugs(bench.rng.randint(1, 3)):
        noted[f"{gone}.txt"] = hashlib.sha256(gone.encode()).hexdigest()
        status[f"{gone}.txt"] = "missing"
    source = bench.given(["SHA256SUMS", "digests", "baseline"], ".txt")
    columns = (Column("path", "id"), Column("status", "category"))
    made = Table(columns, tuple(sorted(status.items())))
    path = bench.wanted(["integrity", "verification", "audit", "differences"], ".csv")
    text = bench.say(
        f"Compare the files below `{item.path}/` with `{source}`. `{path}`: CSV, header `path,status`, a row for each"
        f" path in"
        " either, sorted by bytes; status `ok` (digest as listed), `changed` (another digest), `missing` (listed, but"
        " no such"
        " file) or `unlisted` (a file that is not listed).",
        f"Check the integrity of `{item.path}/` against `{source}` and write CSV rows `path,status` (header included)"
        f" to"
        f" `{path}` for all paths on disk or in the list, in byte order. The status is `ok`, `changed` for a different"
        " digest, `missing` for a listed path without a file, `unlisted` for a file without an entry.",
    )
    step = python(
        "Two dictionaries of digests, one from the list and one from the disk.",
        """
        import csv, hashlib, os

        listed = {}
        for line in open($source, encoding='utf-8'):
            digest, name = line.rstrip('\\n').split('  ', 1)
            listed[name] = digest
        found = {}
        for folder, _, names in os.walk($src):
            for name in names:
                full = os.path.join(folder, name)
                found[os.path.relpath(full, $src)] = hashlib.sha256(open(full, 'rb').read()).hexdigest()

        def status(name):
            if name not in found:
                return 'missing'
            if name not in listed:
                return 'unlisted'
            return 'ok' if found[name] == listed[name] else 'changed'

        with open($dst, 'w', newline='', encoding='utf-8') as f:
            writer = csv.writer(f, lineterminator='\\n')
            writer.writerow(['path', 'status'])
            writer.writerows([name, status(name)] for name in sorted(set(found) | set(listed)))
        """,
        source=source,
        src=item.path,
        dst=path,
    )
    listed = text_lines(f"{digest}  {name}" for name, digest in bench.rng.sample(sorted(noted.items()), len(noted)))
    note = f"`{source}` lists SHA-256 digests and relative paths, as `sha256sum` writes them."
    return move("table", path, made, text, step, files=files({source: listed}), inputs=(note,))


def audit_modes(bench: Bench, item: Artefact) -> Move:
    if item.path.startswith(bench.outbox):
        raise Unfit("permissions of copies are left open")
    tree: dict[str, File] = item.value
    wide = bench.chance(0.5)
    bits = 0o002 if wide else 0o111
    made = sorted(f"{f.mode:03o} {n}" for n, f in tree.items() if f.mode & bits)
    if not made:
        raise Unfit("nothing to find")
    path = bench.wanted(["weak_modes", "permission_audit", "too_open", "mode_report"], ".txt")
    what = "that others may write to" if wide else "that have any execute bit"
    text = bench.say(
        f"Audit permissions: list the files below `{item.path}/` {what}, each as `<octal mode, three digits>"
        f" <relative path>`,"
        f" sorted by the whole line in byte order, in `{path}`.",
        f"Which files below `{item.path}/` are there {what}? `{path}` gets a line `<mode> <relative path>` for each"
        f" (mode as"
        " three octal digits), lines in ascending byte order.",
    )
    step = shell(
        "find tests the bits and prints mode and path.",
        f"find %src% -type f -perm /{bits:o} -printf '%m %P\\n' | LC_ALL=C sort > %dst%",
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


SKILLS = (
    Skill("find_secrets", "tree", "table", 2.0, find_secrets),
    Skill("redact_secrets", "tree", "tree", 2.0, redact_secrets),
    Skill("verify_checksums", "tree", "table", 2.0, verify_checksums),
    Skill("audit_modes", "tree", "lines", 1.0, audit_modes),
)
