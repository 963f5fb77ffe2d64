"""Skills on lines of text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from generators.terminal_skills.artefacts import Column, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell


def count_words(bench: Bench, item: Artefact) -> Move:
    words = Counter(re.findall(r"[a-z]+", "\n".join(item.value).lower()))
    shortest = bench.rng.choice([1, 2, 3, 4])
    rows = [(w, str(n)) for w, n in sorted(words.items(), key=lambda p: (-p[1], p[0])) if len(w) >= shortest]
    made = Table((Column("word", "name"), Column("count", "int")), ()).but(rows)
    path = bench.wanted(["word_counts", "frequencies", "histogram", "tokens"], ".csv")
    text = bench.say(
        f"Count words in `{item.path}`: a word is a longest run of ASCII letters, in lower case, of at least {shortest}"
        f" letter{'s' * (shortest > 1)}. CSV `{path}`, header `word,count`, by count descending, then word in byte"
        f" order.",
        f"`{path}` (CSV, `word,count`) lists how often each word of {shortest} or more letters occurs in"
        f" `{item.path}`; words"
        " are maximal runs of the letters A-Z and a-z, compared in lower case; most frequent first, ties in byte"
        " order.",
    )
    step = shell(
        "Break at everything that is no letter, then count.",
        "{ echo word,count; LC_ALL=C tr 'A-Z' 'a-z' < %src% | LC_ALL=C tr -cs 'a-z' '\\n' |"
        f" LC_ALL=C awk 'length($0) >= {shortest} {{ n[$0]++ }} END {{ for (w in n) print w \",\" n[w] }}'"
        " | LC_ALL=C sort -t, -k2,2nr -k1,1; } > %dst%",
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def sort_unique(bench: Bench, item: Artefact) -> Move:
    backwards = bench.chance(0.4)
    made = sorted({line for line in item.value if line.strip()}, reverse=backwards)
    if made == item.value or not made:
        raise Unfit("nothing to sort")
    path = bench.wanted(["unique_lines", "sorted_lines", "ordered", "set"], ".txt")
    order = "descending" if backwards else "ascending"
    text = bench.say(
        f"Sort the distinct non-blank lines of `{item.path}` in {order} byte order into `{path}`.",
        f"`{path}`: each different line of `{item.path}` once, blank lines left out, {order} byte order.",
    )
    step = shell(
        "Byte order means the C locale.",
        f"grep -v '^[[:space:]]*$' %src% | LC_ALL=C sort -u{'r' if backwards else ''} > %dst%",
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


def measure_lines(bench: Bench, item: Artefact) -> Move:
    rows = [(str(i), str(len(line)), str(len(line.split()))) for i, line in enumerate(item.value, 1)]
    made = Table((Column("line", "id"), Column("characters", "int"), Column("fields", "int")), ()).but(rows)
    path = bench.wanted(["line_lengths", "shape", "line_stats", "widths"], ".csv")
    text = bench.say(
        f"Measure `{item.path}`: CSV `{path}`, header `line,characters,fields`, a row for every line (blank ones too)"
        f" with its"
        " number from 1, its length in characters without the line end, and its number of fields between white space.",
        f"For each line of `{item.path}`, blank or not, write its number (from 1), its length in characters (line end"
        f" not"
        f" counted) and how many white-space-separated fields it has to `{path}`; CSV with header"
        f" `line,characters,fields`.",
    )
    step = python(
        "Characters, not bytes, so decode first.",
        """
        with open($src, encoding='utf-8') as f, open($dst, 'w') as out:
            out.write('line,characters,fields\\n')
            for number, line in enumerate(f, 1):
                line = line.rstrip('\\n')
                out.write(f'{number},{len(line)},{len(line.split())}\\n')
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


def fingerprint_lines(bench: Bench, item: Artefact) -> Move:
    algorithm, length = bench.pick(["sha256", "sha1", "md5"]), bench.rng.choice([8, 10, 12])
    full = [line for line in item.value if line.strip()]
    made = [hashlib.new(algorithm, line.encode()).hexdigest()[:length] for line in full]
    if not made:
        raise Unfit("only blank lines")
    path = bench.wanted(["fingerprints", "hashes", "line_digests", "prints"], ".txt")
    name = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}[algorithm]
    text = bench.say(
        f"Fingerprint the non-blank lines of `{item.path}`: for each, in order, the first {length} hex digits (lower"
        f" case) of"
        f" the {name} of the line without its line end, one a line, in `{path}`.",
        f"Write to `{path}` one line per non-blank line of `{item.path}`, order kept: its {name} digest (UTF-8,"
        f" without the"
        f" newline) in lower-case hex, cut to {length} digits.",
    )
    step = shell(
        "Hash line by line, without the newline.",
        f"""
        grep -v '^[[:space:]]*$' %src% | while IFS= read -r line; do
          printf '%s' "$line" | {algorithm}sum | cut -c1-{length}
        done > %dst%
        """,
        src=item.path,
        dst=path,
    )
    return move("lines", path, made, text, step)


def select_lines(bench: Bench, item: Artefact) -> Move:
    drawn = [w for line in item.value for w in re.findall(r"[a-z]{2,}", line)]
    if not drawn:
        raise Unfit("no words")
    part, keep = bench.pick(drawn)[:3], bench.chance(0.6)
    made = [line for line in item.value if line.strip() and (part in line.lower()) == keep]
    if not made or len(made) == len(item.value):
        raise Unfit("trivial")
    path = bench.wanted(["selected", "chosen_lines", "extract", "hits"], ".txt")
    what = "contain" if keep else "do not contain"
    text = bench.say(
        f"Copy the non-blank lines of `{item.path}` that {what} `{part}`, whatever the letter case, in order, to"
        f" `{path}`.",
        f"`{path}` takes those lines of `{item.path}` which are not blank and {what} the text `{part}` (capitals and"
        f" small"
        " letters alike); order stays.",
    )
    step = shell(
        "Two greps: no blank lines, then the text.",
        f"grep -v '^[[:space:]]*$' %src% | grep -i{'' if keep else 'v'} -F %part% > %dst%",
        src=item.path,
        dst=path,
        part=part,
    )
    return move("lines", path, made, text, step)


def index_initials(bench: Bench, item: Artefact) -> Move:
    groups: dict[str, list[str]] = {}
    for line in item.value:
        if line.strip():
            groups.setdefault(line.strip()[0].lower(), []).append(line.strip())
    made = {k: sorted(set(v)) for k, v in groups.items()}
    if not made:
        raise Unfit("blank")
    path = bench.wanted(["index", "initials", "directory", "register"], ".json")
    text = bench.say(
        f"Index the lines of `{item.path}` by their first character: `{path}` is a JSON object from that character"
        f" (lower case)"
        " to the list of distinct lines that begin with it, in ascending code point order. White space around lines"
        " is cut,"
        " blank lines do not count.",
        f"Make `{path}`, a JSON object: for each first character (lower-cased) of the trimmed, non-blank lines of"
        f" `{item.path}` the sorted list (code points) of the different trimmed lines that start with it.",
    )
    step = python(
        "Sets per initial, sorted at the end.",
        """
        import json
        from collections import defaultdict

        groups = defaultdict(set)
        for line in map(str.strip, open($src, encoding='utf-8')):
            if line:
                groups[line[0].lower()].add(line)
        with open($dst, 'w', encoding='utf-8') as f:
            json.dump({k: sorted(v) for k, v in groups.items()}, f, ensure_ascii=False)
        """,
        src=item.path,
        dst=path,
    )
    return move("mapping", path, made, text, step)


SKILLS = (
    Skill("count_words", "lines", "table", 1.5, count_words),
    Skill("sort_unique", "lines", "lines", 1.0, sort_unique),
    Skill("measure_lines", "lines", "table", 1.0, measure_lines),
    Skill("fingerprint_lines", "lines", "lines", 1.5, fingerprint_lines),
    Skill("select_lines", "lines", "lines", 1.0, select_lines),
    Skill("index_initials", "lines", "mapping", 1.5, index_initials),
)
