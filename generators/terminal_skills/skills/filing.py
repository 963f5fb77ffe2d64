"""Skills that sort, rename, thin out and list the files of a folder."""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict

from datafactory.types import File
from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, listing, python, shell


def extract_archive(bench: Bench, item: Artefact) -> Move:
    path = bench.wanted(["unpacked", "extracted", "restored", "contents"])
    text = bench.say(
        f"Unpack `{item.path}` into the folder `{path}/` (which then holds the members at their relative paths).",
        f"Extract all of `{item.path}` below `{path}/`, keeping the relative paths.",
    )
    step = shell(
        "Make the folder and extract into it.", "mkdir -p %dst%\ntar -xzf %src% -C %dst%", src=item.path, dst=path
    )
    return move("tree", path, item.value, text, step)


def rename_files(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    blank = bench.pick(["-", "_"])
    made = {n.lower().replace(" ", blank): f for n, f in tree.items()}
    if len(made) < len(tree) or set(made) == set(tree):
        raise Unfit("names collide or are fine already")
    path = bench.wanted(["renamed", "portable", "uniform", "normalised"])
    text = bench.say(
        f"Copy the tree `{item.path}/` to `{path}/` with portable names: in every file and folder name capitals"
        f" become lower"
        f" case and each blank becomes `{blank}`. Contents stay the same.",
        f"`{path}/` must contain the same files as `{item.path}/`, sub-folders included, but with all letters of the"
        f" names"
        f" in lower case and `{blank}` in place of every space.",
    )
    step = shell(
        "Walk the files with NUL separators and compute each new name with tr.",
        f"""
        cd %src% && find . -type f -print0 | while IFS= read -r -d '' f; do
          new=%dst%/$(printf '%s' "${{f#./}}" | tr 'A-Z ' 'a-z{blank}')
          mkdir -p "$(dirname "$new")" && cp -p "$f" "$new"
        done; cd /app
        """,
        src=item.path,
        dst=path,
    )
    return move("tree", path, made, text, step)


def organise_by_extension(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    made: dict[str, File] = {}
    for name, file in tree.items():
        target = f"{posixpath.splitext(name)[1][1:] or 'none'}/{posixpath.basename(name)}"
        if target in made:
            raise Unfit("base names collide")
        made[target] = file
    path = bench.wanted(["by_type", "sorted", "organised", "by_extension"])
    text = bench.say(
        f"Sort the files of `{item.path}/` (at any depth) by extension: copy each to `{path}/<extension>/<file"
        f" name>`, the"
        " extension without its dot.",
        f"Copy every file below `{item.path}/` into a flat folder per extension under `{path}/` (for `a/b.txt`:"
        f" `{path}/txt/b.txt`).",
    )
    step = shell(
        "The part after the last dot names the folder.",
        """
        find %src% -type f -print0 | while IFS= read -r -d '' f; do
          mkdir -p %dst%/"${f##*.}" && cp -p "$f" %dst%/"${f##*.}"/
        done
        """,
        src=item.path,
        dst=path,
    )
    return move("tree", path, made, text, step)


def prune_files(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    kinds = sorted({posixpath.splitext(n)[1] for n in tree})
    dropped = sorted(bench.some(kinds, 1, 2))
    made = {n: f for n, f in tree.items() if f.data and posixpath.splitext(n)[1] not in dropped}
    if not made or len(made) == len(tree):
        raise Unfit("nothing to prune or to keep")
    path = bench.wanted(["pruned", "keep", "useful", "thinned"])
    either = listing(dropped).replace(" and ", " or ")
    text = bench.say(
        f"Make `{path}/` a copy of `{item.path}/` without empty files and without files that end in"
        f" {either}; relative paths stay.",
        f"Copy from `{item.path}/` to `{path}/`, at the same relative paths, every file that has content and does not"
        f" end in {either}.",
    )
    names = " ".join(f"! -name '*{d}'" for d in dropped)
    step = shell(
        "find selects; tar carries the selection with its paths.",
        f"mkdir -p %dst%\ncd %src% && find . -type f -size +0 {names} -print0 | tar -cf - --null -T - | tar -xpf - -C"
        f" %dst%; cd /app",
        src=item.path,
        dst=path,
    )
    return move("tree", path, made, text, step)


def inventory_files(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    columns = (Column("path", "name"), Column("bytes", "int"), Column("sha256", "id"))
    made = Table(
        columns, tuple((n, str(len(f.data)), hashlib.sha256(f.data).hexdigest()) for n, f in sorted(tree.items()))
    )
    path = bench.wanted(["inventory", "file_list", "catalogue", "index"], ".csv")
    text = bench.say(
        f"Take stock of `{item.path}/`: CSV file `{path}`, header `path,bytes,sha256`, one row per file at any depth,"
        f" the path"
        " relative to that folder, sorted by path in byte order; digests in lower-case hexadecimal.",
        f"List all files below `{item.path}/` in `{path}` (CSV with header `path,bytes,sha256`; relative path, size,"
        f" SHA-256 in"
        " lower-case hex), ascending byte order of the path.",
    )
    step = shell(
        "find in the C locale, then one line per file.",
        """
        cd %src% && { echo path,bytes,sha256
        find . -type f | sed 's,^\\./,,' | LC_ALL=C sort | while IFS= read -r f; do
          printf '%s,%d,%s\\n' "$f" "$(wc -c < "$f")" "$(sha256sum < "$f" | cut -d' ' -f1)"
        done; } > %dst%; cd /app
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def group_duplicates(bench: Bench, item: Artefact) -> Move:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for name, file in sorted(item.value.items()):
        if file.data:
            groups[file.data].append(name)
    rows = [(names[0], other) for names in groups.values() for other in names[1:]]
    made = Table((Column("original", "name"), Column("duplicate", "id")), ()).but(sorted(rows))
    path = bench.wanted(["duplicates", "same_content", "copies", "twins"], ".csv")
    text = bench.say(
        f"Find files with equal, non-empty content below `{item.path}/`. Of each set the path that is first in byte"
        f" order is"
        f" the original; write `original,duplicate` rows (CSV with that header, paths relative to the folder, sorted by"
        f" original, then duplicate, by bytes) to `{path}`.",
        f"`{path}` (CSV, header `original,duplicate`): for every non-empty file of `{item.path}/` that repeats"
        f" another one's"
        " content a row with the first path of that set in byte order and its own; relative paths, rows in byte order.",
    )
    step = python(
        "Group the paths by digest.",
        """
        import csv, hashlib, os
        from collections import defaultdict

        groups = defaultdict(list)
        for folder, _, names in os.walk($src):
            for name in names:
                full = os.path.join(folder, name)
                data = open(full, 'rb').read()
                if data:
                    groups[hashlib.sha256(data).digest()].append(os.path.relpath(full, $src))
        rows = [(min(g), other) for g in groups.values() for other in g if other != min(g)]
        with open($dst, 'w', newline='') as f:
            writer = csv.writer(f, lineterminator='\\n')
            writer.writerow(['original', 'duplicate'])
            writer.writerows(sorted(rows))
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def set_modes(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    kind = bench.pick(sorted({posixpath.splitext(n)[1] for n in tree}))
    special, other = bench.rng.sample([0o600, 0o640, 0o644, 0o444, 0o440, 0o750, 0o755], 2)
    made = {n: f.model_copy(update={"mode": special if n.endswith(kind) else other}) for n, f in tree.items()}
    path = bench.wanted(["permissions", "locked", "hardened", "moded"])
    text = bench.say(
        f"Copy `{item.path}/` to `{path}/` and set permissions there: {special:04o} on files that end in `{kind}`,"
        f" {other:04o}"
        " on all other files.",
        f"`{path}/` gets the files of `{item.path}/` at the same relative paths; those ending in `{kind}` have mode"
        f" {special:04o}, the rest mode {other:04o}.",
    )
    step = shell(
        "Copy the tree, then one chmod per class of files.",
        f"mkdir -p %dst% && cp -r %src%/. %dst%/\nfind %dst% -type f ! -name '*{kind}' -exec chmod {other:04o} {{}} +\n"
        f"find %dst% -type f -name '*{kind}' -exec chmod {special:04o} {{}} +",
        src=item.path,
        dst=path,
    )
    return move("modes", path, made, text, step)


def merge_texts(bench: Bench, item: Artefact) -> Move:
    tree: dict[str, File] = item.value
    kind = bench.pick(sorted({posixpath.splitext(n)[1] for n in tree}))
    chosen = [(n, f) for n, f in sorted(tree.items()) if n.endswith(kind)]
    made = [line for n, f in chosen for line in (f"== {n}", *f.text.splitlines())]
    path = bench.wanted(["merged", "combined", "all_" + kind[1:], "concatenated"], ".txt")
    text = bench.say(
        f"Concatenate all `{kind}` files below `{item.path}/` into `{path}`, ordered by relative path (byte order),"
        f" each after"
        " a line `== <relative path>`.",
        f"`{path}`: for every file below `{item.path}/` that ends in `{kind}`, in byte order of the relative path,"
        f" first a line"
        " `== ` followed by that path, then the file's lines.",
    )
    step = shell(
        "Sorted paths, a heading, then the content.",
        f"cd %src% && find . -type f -name '*{kind}' | sed 's,^\\./,,' | LC_ALL=C sort | while IFS= read -r f; do"
        ' echo "== $f"; cat "$f"; done > %dst%; cd /app',
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


SKILLS = (
    Skill("extract_archive", "archive", "tree", 1.0, extract_archive),
    Skill("rename_files", "tree", "tree", 1.5, rename_files),
    Skill("organise_by_extension", "tree", "tree", 1.5, organise_by_extension),
    Skill("prune_files", "tree", "tree", 1.5, prune_files),
    Skill("inventory_files", "tree", "table", 1.5, inventory_files),
    Skill("group_duplicates", "tree", "table", 2.0, group_duplicates),
    Skill("set_modes", "tree", "modes", 1.0, set_modes),
    Skill("merge_texts", "tree", "lines", 1.0, merge_texts),
)
