"""The edits of a fix as lines for a shell, exact for whatever a file holds."""

from __future__ import annotations

import random
import re
from shlex import quote

from datafactory.teachers.oracle.edits import Edit

_TOKEN = re.compile(r"\w+|\s+|(?:[-+*/%&|^<>=!:@]|//|\*\*|<<|>>)=|->|//|\*\*|[^\w\s]")
_PLAIN = re.compile(r"[ -~]*")
_SPECIAL = re.compile(r"[][\\.*^$/]")


def shell_edit(edit: Edit, rng: random.Random, *, executes: bool) -> str:
    """A line, or several, for a shell in the repository: `sed` for a small change in a line, Python where it may run
    and the file is text, and otherwise the file put together anew out of its parts."""
    name = quote(edit.path)
    if edit.after is None:
        return f"rm {name}"
    if edit.before is None:
        folder = edit.path.rpartition("/")[0]
        made = f"mkdir -p {quote(folder)}\n" if folder else ""
        return made + f"{_printed(edit.after)} > {name}"
    substituted = _sed(edit)
    if substituted and (not executes or rng.random() < 0.5):
        return substituted
    if executes and edit.old and "\r" not in edit.before:
        return _python(edit)
    return _assembled(edit)


def fragments(was: str, now: str) -> tuple[str, str]:
    """What differs between two lines, in whole words and signs, from the first difference to the last."""
    old, new = _TOKEN.findall(was), _TOKEN.findall(now)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return "".join(old[head : len(old) - tail]), "".join(new[head : len(new) - tail])


def _sed(edit: Edit) -> str:
    """A substitution in one line; empty: it is no small change of one."""
    if len(edit.removed) != 1 or len(edit.added) != 1:
        return ""
    was, now = fragments(edit.removed[0].rstrip("\n"), edit.added[0].rstrip("\n"))
    small = was and max(len(was), len(now)) <= 60 and _PLAIN.fullmatch(was) and _PLAIN.fullmatch(now)
    if not small or edit.removed[0].replace(was, now, 1) != edit.added[0] or "'" in was + now:
        return ""
    taken = _SPECIAL.sub(lambda found: "\\" + found[0], was)
    given = re.sub(r"[\\/&]", lambda found: "\\" + found[0], now)
    return f"sed -i '{edit.first}s/{taken}/{given}/' {quote(edit.path)}"


def _python(edit: Edit) -> str:
    mark = "EOF"
    while mark in edit.old + edit.new:
        mark += "_PY"
    return (
        f"python - <<'{mark}'\n"
        "from pathlib import Path\n\n"
        f"path = Path({edit.path!r})\n"
        "text = path.read_text(encoding='utf-8')\n"
        f"old = {_literal(edit.old)}\n"
        f"new = {_literal(edit.new)}\n"
        "assert text.count(old) == 1, text.count(old)\n"
        "path.write_text(text.replace(old, new), encoding='utf-8')\n"
        f"{mark}"
    )


def _literal(text: str) -> str:
    plain = "\\" not in text and '"""' not in text and not text.endswith('"') and text.isprintable()
    if plain or (text.replace("\n", "").isprintable() and not re.search(r'\\|"""|"$', text)):
        return f'"""{text}"""'
    return repr(text)


def _assembled(edit: Edit) -> str:
    """Head, new lines and tail, through a file beside the repository, so that the file's mode stays."""
    name, parts = quote(edit.path), []
    if edit.first > 1:
        parts.append(f"head -n {edit.first - 1} {name}")
    if edit.added:
        parts.append(_printed("".join(edit.added)))
    parts.append(f"tail -n +{edit.last + 1} {name}")
    return f"{{ {'; '.join(parts)}; }} > /tmp/mended && cat /tmp/mended > {name} && rm /tmp/mended"


def _printed(text: str) -> str:
    """A `printf` of exactly this text; what a terminal would take for keys is written as escapes."""
    if any(letter < " " and letter not in "\n\t" for letter in text):
        escaped = text.replace("\\", "\\\\").replace("\r", "\\r")
        escaped = re.sub(r"[\x00-\x08\x0b-\x1f]", lambda found: f"\\0{ord(found[0]):03o}", escaped)
        return f"printf %b {quote(escaped)}"
    return f"printf %s {quote(text)}"
