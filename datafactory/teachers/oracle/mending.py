"""How a developer says what is wrong with lines that were read, and changes them."""

from __future__ import annotations

import keyword
import re
from collections import Counter

from datafactory.agent.editor_text import EditorError, replaced
from datafactory.teachers.oracle.definitions import around
from datafactory.teachers.oracle.desk import Desk, Story
from datafactory.teachers.oracle.edits import Edit
from datafactory.teachers.oracle.plan import Act, Beat
from datafactory.teachers.oracle.shell_edits import fragments, shell_edit
from datafactory.teachers.oracle.words import listed

_FAILED = re.compile(r"^\[?exit code:? [1-9]|^ERROR: |^Traceback", re.M)
_COMPARES = re.compile(r"(?:[=!<>]=|[<>]|\bis\b|\bin\b|\bnot\b|\s)+")
_BOOLEAN = re.compile(r"(?:\band\b|\bor\b|\s)+")
_ARITHMETIC = re.compile(r"(?:[-+*/%&|^@]=?|//=?|\*\*=?|<<=?|>>=?|=|\s)+")
_NUMBER = re.compile(r"[-+\d.]*\d[-+\d.]*")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_LONGEST = 90
"""Characters of code in a sentence."""


def mend(desk: Desk, edit: Edit, *, more: bool) -> Story[None]:
    """Say what should be otherwise, and make one edit. `more`: it is not the first."""
    whole = edit.before is None or edit.after is None
    if not whole:
        desk.note("further" if more else "suspect", path=edit.path)
    at = [frame for frame in desk.frames if frame[0] == edit.path and edit.first <= frame[1] <= edit.last]
    if at and not desk.mended and at[-1][:2] not in desk.cited:
        desk.note("raised_here", line=at[-1][1], name=at[-1][2])
    kind, values = suspicion(edit)
    desk.note(f"wrong_{kind}", **values, path=edit.path, where=_where(edit))
    if not more and not whole and desk.rng.random() < 0.5:
        desk.note("explains")
    if desk.native and desk.rng.random() < 0.5:
        seen = yield Beat("think", desk.noted(), "")
        desk.take(seen)
        desk.note("thought")
    if desk.native and edit.old and desk.slips("edit"):
        yield from _missed(desk, edit)
    act = Act(shell_edit(edit, desk.rng, executes=desk.executes), 1.0, editor=_editor(desk, edit))
    seen = yield from desk.turn("edit", act, kind="act", path=edit.path)
    if act.editor is not None and seen.startswith("ERROR"):
        desk.note("refused")
        again = Act(shell_edit(edit, desk.rng, executes=desk.executes), 1.0)
        seen = yield from desk.turn("edit", again, kind="act", path=edit.path)
    desk.shifted(edit)
    desk.mended.add(edit.path)
    done = "created" if edit.before is None else "removed" if edit.after is None else "edited"
    desk.note("shell_failed" if _FAILED.search(seen) else done, path=edit.path)


def _editor(desk: Desk, edit: Edit) -> dict[str, object] | None:
    """The editor's call; None: a shell has to make this edit."""
    path = f"{desk.root}/{edit.path}"
    if edit.before is None and edit.after is not None:
        plain = not any(letter < " " and letter not in "\n\t" for letter in edit.after)
        return {"command": "create", "path": path, "file_text": edit.after} if plain else None
    if edit.inserts and desk.rng.random() < 0.5:
        new = "".join(edit.added).replace("\r\n", "\n").removesuffix("\n")
        return {"command": "insert", "path": path, "insert_line": edit.first - 1, "new_str": new}
    if edit.old:
        return {"command": "str_replace", "path": path, "old_str": edit.old, "new_str": edit.new}
    return None


def _missed(desk: Desk, edit: Edit) -> Story[None]:
    """An edit that the editor refuses: its place is there more than once, or is not there as it was typed."""
    assert edit.before is not None
    short = edit.removed[0].strip() if len(edit.removed) == len(edit.added) == 1 else ""
    spaced = re.sub(r"(?<=\S)  ?(?=\S)", lambda found: "" if found[0] == "  " else "  ", edit.old, count=1)
    tried = ((short, edit.added[0].strip() if short else "", "ambiguous"), (spaced, edit.new, "misremembered"))
    for old, new, phrase in tried:
        if not old or old == edit.old:
            continue
        try:
            replaced(edit.before, old, new)
        except EditorError:
            call = {"command": "str_replace", "path": f"{desk.root}/{edit.path}", "old_str": old, "new_str": new}
            yield from desk.turn("edit", Act("", editor=call), kind="slip", path=edit.path)
            desk.note(phrase)
            return


def _where(edit: Edit) -> str:
    """The place in a few words: the function or class if there is one, else the file."""
    chain = around(edit.before or "", edit.first, edit.last)
    if not chain:
        return f"`{edit.path}`"
    shared = len(chain) > 1 and chain[-1].name.startswith("__")
    return f"`{chain[-2].name}.{chain[-1].name}`" if shared else f"`{chain[-1].name}`"


def suspicion(edit: Edit) -> tuple[str, dict[str, str]]:
    """What kind of thing is wrong with the lines of an edit, and the pieces of code that show it."""
    gone = [line.strip() for line in edit.removed if line.strip()]
    come = [line.strip() for line in edit.added if line.strip()]
    line = f"line {edit.first}" if edit.last <= edit.first else f"lines {edit.first} to {edit.last}"
    values = {"line": line, "was": _short(gone[0]) if gone else "", "now": _short(come[0]) if come else "", "code": ""}
    if edit.before is None:
        return "file", values
    if edit.after is None:
        return "leftover", values
    if not gone or not come:
        kind = "blank" if not gone and not come else "missing" if come else "extra"
        return kind, values | {"line": f"line {edit.first}" if gone else f"line {max(1, edit.first - 1)}"}
    if gone == come:
        return "indent", values
    if Counter(gone) == Counter(come):
        return "order", values
    if len(gone) == len(come) > 1:
        pairs = [
            f"`{_short(was)}` should be `{_short(now)}`" for was, now in zip(gone, come, strict=True) if was != now
        ]
        if len(pairs) <= 3:
            return "lines", values | {"pairs": listed(pairs)}
    if len(gone) != 1 or len(come) != 1:
        return "block", values
    was, now = (part.strip() for part in fragments(gone[0], come[0]))
    values |= {"code": _short(gone[0]), "then": _short(come[0]), "was": _short(was), "now": _short(now)}
    return _kind(gone[0], come[0], was, now), values


def _kind(before: str, after: str, was: str, now: str) -> str:
    """Of a change within a line."""
    if Counter(re.findall(r"\w+|[^\w\s]", before)) == Counter(re.findall(r"\w+|[^\w\s]", after)):
        return "turned"
    if not was or not now:
        negated = (was or now).split()[:1] == ["not"]
        return "negation" if negated else "lacking" if now else "needless"
    for kind, form in (("compare", _COMPARES), ("boolean", _BOOLEAN), ("arithmetic", _ARITHMETIC), ("number", _NUMBER)):
        if form.fullmatch(was) and form.fullmatch(now):
            return kind
    if was == before.strip() or keyword.iskeyword(was) or keyword.iskeyword(now):
        return "whole" if was == before.strip() else "expression"
    return "name" if _NAME.fullmatch(was) and _NAME.fullmatch(now) else "expression"


def _short(code: str) -> str:
    return code if len(code) <= _LONGEST else code[: _LONGEST - 1] + "…"
