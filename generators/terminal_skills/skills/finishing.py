"""Skills that end a chain: they seal, pack, link, protect or count what was made before."""

from __future__ import annotations

import posixpath

from generators.terminal_skills.bench import Bench, move, passed_on
from generators.terminal_skills.skill import Artefact, Judge, Move, Skill, Unfit, listing, shell

FILES = (
    "table",
    "lines",
    "mapping",
    "estimates",
    "rough",
    "records",
    "edges",
    "series",
    "solution",
    "nested",
    "settings",
)


def _made(bench: Bench, item: Artefact) -> list[str]:
    """Paths of the files that were asked for so far."""
    paths = [p.path for p in bench.products if p.judged and p.kind in FILES]
    if len(paths) < 2:
        raise Unfit("too little was made")
    return paths


def seal_products(bench: Bench, item: Artefact) -> Move:
    paths, sums = sorted(_made(bench, item)), bench.wanted(["SHA256SUMS", "checksums", "digests"], ".txt")
    text = bench.say(
        f"Last, write the SHA-256 checksums of {listing(paths)} (as they finally are) to `{sums}`, in the format of"
        f" `sha256sum`"
        " with absolute paths, in this order.",
        f"When everything else is done, list {listing(paths)}, in this order and by absolute path, with their SHA-256"
        f" sums in"
        f" `{sums}` in the usual two-column `sha256sum` format.",
    )
    step = shell("Nothing changes after this point.", f"sha256sum {' '.join(paths)} > %dst%", dst=sums)
    return passed_on(item, text, step, judges=(Judge("bundle", {"path": sums, "paths": paths}),))


def bundle_products(bench: Bench, item: Artefact) -> Move:
    paths, archive = _made(bench, item), bench.wanted(["delivery", "bundle", "package", "release"], ".tar.gz")
    members = {posixpath.basename(p): p for p in paths}
    if len(members) < len(paths):
        raise Unfit("base names collide")
    text = bench.say(
        f"Finally pack {listing(paths)} into the gzipped tar file `{archive}`, each as a member with its bare file"
        f" name.",
        f"At the very end make `{archive}` (tar, gzip) of {listing(paths)}; members carry just the file names, no"
        f" folders.",
    )
    places = " ".join(f"-C {posixpath.dirname(p)} {posixpath.basename(p)}" for p in paths)
    step = shell(
        "Change into each file's folder so that members are bare names.", f"tar -czf %dst% {places}", dst=archive
    )
    return passed_on(item, text, step, judges=(Judge("bundle", {"path": archive, "members": members}),))


def link_latest(bench: Bench, item: Artefact) -> Move:
    path = _made(bench, item)[-1]
    link = bench.wanted(["latest", "current", "newest"])
    text = bench.say(
        f"Make `{link}` a symbolic link to `{path}`.",
        f"A symbolic link `{link}` must lead to `{path}`.",
    )
    step = shell("A symbolic link with an absolute target.", "ln -sfn %target% %link%", target=path, link=link)
    return passed_on(item, text, step, judges=(Judge("tree", {"files": {link: {"link": path}}}),))


def protect_products(bench: Bench, item: Artefact) -> Move:
    mode, paths = bench.rng.choice(["0600", "0640", "0400", "0440", "0660"]), bench.some(_made(bench, item), 1, 3)
    text = bench.say(
        f"In the end {listing(paths)} must have permissions {mode}.",
        f"Set the mode of {listing(paths)} to {mode}, once nothing more is written to"
        f" {'them' if len(paths) > 1 else 'it'}.",
    )
    step = shell("Permissions last, so that nothing rewrites the files.", f"chmod {mode} {' '.join(paths)}")
    return passed_on(item, text, step, judges=(Judge("tree", {"files": {p: {"mode": mode} for p in paths}}),))


def count_products(bench: Bench, item: Artefact) -> Move:
    sizes = {p.path: _lines(p) for p in bench.products if p.judged and p.kind in ("table", "lines", "edges", "series")}
    if len(sizes) < 2:
        raise Unfit("too little was made")
    path = bench.wanted(["report", "line_counts", "receipt"], ".json")
    text = bench.say(
        f"As a receipt write to `{path}` a JSON object from the absolute path of each of {listing(list(sizes))} to"
        f" its number of"
        " lines (headers count).",
        f"`{path}` is a JSON object that tells how many lines {listing(list(sizes))} have, header included; keys are"
        f" the absolute"
        " paths.",
    )
    parts = " ".join(sizes)
    step = shell(
        "Count with wc and print the object.",
        f"""
        {{ echo '{{'; comma=
        for f in {parts}; do printf '%s"%s": %d\\n' "$comma" "$f" "$(wc -l < "$f")"; comma=,; done
        echo '}}'; }} > %dst%
        """,
        dst=path,
    )
    return move("mapping", path, sizes, text, step)


def _lines(product: Artefact) -> int:
    value = product.value
    if product.kind == "table":
        if any("\n" in cell for row in value.rows for cell in row):
            raise Unfit("cells with line breaks")
        return 1 + len(value.rows)
    return len({"edges": lambda: value.edges, "series": lambda: value.points, "lines": lambda: value}[product.kind]())


SKILLS = (
    Skill("seal_products", "any", "same", 1.0, seal_products),
    Skill("bundle_products", "any", "same", 1.0, bundle_products),
    Skill("link_latest", "any", "same", 0.5, link_latest),
    Skill("protect_products", "any", "same", 0.5, protect_products),
    Skill("count_products", "any", "mapping", 1.0, count_products),
)
