"""How a developer comes from an issue to the place that has to change: by names that were read, one after another."""

from __future__ import annotations

import re
from shlex import quote

from datafactory.teachers.oracle.definitions import Definition, around, definitions, steps_to
from datafactory.teachers.oracle.desk import Desk, Story
from datafactory.teachers.oracle.edits import Edit
from datafactory.teachers.oracle.issue import modules
from datafactory.teachers.oracle.plan import Act
from datafactory.teachers.oracle.words import listed

_HIT = re.compile(r"^(?:\./)?([^\s:]+\.pyi?):(\d+):", re.M)
_CHUNK = 90
"""Lines that are read at a time."""
_LEADS = 4
"""Names that are followed before the file's outline is looked at."""
_CHUNKS = 4


def locate(desk: Desk, edit: Edit, followed: set[str]) -> Story[None]:
    """Look around until the lines of `edit` have been read. `followed`: names whose definitions were looked for."""
    if edit.before is None or desk.seen_lines(edit):
        return
    chain = around(edit.before, edit.first, edit.last)
    anchor = _anchor(desk, chain)
    while anchor is None and len(followed) < _LEADS and (lead := _lead(desk, edit, chain, followed)):
        followed.add(lead)
        yield from _follow(desk, edit, lead)
        anchor = _anchor(desk, chain)
    if desk.seen_lines(edit):
        return
    if anchor is None:
        anchor = yield from _outline(desk, edit, chain)
    elif not _placed(desk, edit.path, anchor):
        followed.add(anchor.name)
        seen = yield from _search(desk, anchor.name, edit.path if anchor.name.startswith("__") else ".")
        if f"{edit.path}:{anchor.first}:" in seen:
            desk.note("found", name=anchor.name, path=edit.path, line=anchor.first)
    yield from _read_down(desk, edit, chain, anchor)


def _anchor(desk: Desk, chain: tuple[Definition, ...]) -> Definition | None:
    """The innermost of the definitions around the place whose name was read; one that many have, only with what it is
    in."""
    for at in range(len(chain) - 1, -1, -1):
        outer = chain[:at]
        shared = chain[at].name.startswith("__") or chain[at].name in ("get", "run", "main", "call", "update")
        if desk.knows(chain[at].name) and (not shared or any(desk.knows(each.name) for each in outer)):
            return chain[at]
    return None


def _lead(desk: Desk, edit: Edit, chain: tuple[Definition, ...], followed: set[str]) -> str:
    """The name to look for next; empty: none is left."""
    known = [name for name in desk.names if name not in followed]
    if chain and edit.before is not None:
        if step := steps_to(edit.before, chain[-1].name, known, 2):
            return step
        others = (
            {each.name for each in definitions(edit.before) if not each.name.startswith("__")} - set(known) - followed
        )
        if step := steps_to(edit.before, chain[-1].name, sorted(filter(desk.knows, others)), 1):
            return step
    return "" if followed else next(iter(known), "")


def _follow(desk: Desk, edit: Edit, name: str) -> Story[None]:
    """Find a definition, and read it."""
    seen = yield from _search(desk, name)
    hits = [(path, int(line)) for path, line in _HIT.findall(seen)]
    hits = [hit for hit in hits if "test" not in hit[0]] or hits
    if not hits:
        desk.note("none_found", name=name)
        return
    path, line = next((hit for hit in hits if hit[0] == edit.path), hits[0])
    desk.note("found", name=name, path=path, line=line)
    known = next((each.before for each in desk.edits if each.path == path), None)
    here = [each for each in definitions(known or "") if abs(each.first - line) < 3 and each.name == name]
    last = min(here[0].last + desk.rng.randrange(4), line + _CHUNK) if here else line + desk.rng.choice((40, 50, 60))
    yield from desk.view(path, max(1, line - desk.rng.choice((0, 1, 2))), last, "read_definition", name=name)
    if not desk.seen_lines(edit):
        desk.note("not_there", name=name)


def _search(desk: Desk, name: str, place: str = ".") -> Story[str]:
    """Grep for a definition, now and then with a typo first. `place`: a folder or a file."""
    if len(name) > 4 and desk.slips("name"):
        at = desk.rng.randrange(1, len(name) - 2)
        wrong = f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}"
        if wrong != name and not desk.told(wrong):
            yield from desk.turn("search", Act(_grep(wrong, place), 0.5), name=wrong)
            desk.note("mistyped", wrong=wrong, right=name)
    return (yield from desk.turn("search", Act(_grep(name, place), 0.5), name=name))


def _grep(name: str, place: str) -> str:
    if place != ".":
        return f'grep -HnE "(def|class) {name}\\b" {quote(place)}'
    return f'grep -rnE "(def|class) {name}\\b" --include="*.py" .'


def _placed(desk: Desk, path: str, found: Definition) -> bool:
    """Whether it is known where a definition stands: its line was read, or named in a traceback or a search."""
    if found.first in desk.read.get(path, set()) or desk.told(f"{path}:{found.first}:"):
        return True
    place = next((frame for frame in reversed(desk.frames) if frame[0] == path and frame[2] == found.name), None)
    if place:
        desk.note("in_traceback", path=path, line=place[1], name=found.name)
        desk.cited.add(place[:2])
    return place is not None


def _outline(desk: Desk, edit: Edit, chain: tuple[Definition, ...]) -> Story[Definition | None]:
    """No name leads to the place: list the files, then what the file defines."""
    if edit.path in desk.mended:
        return chain[-1] if chain else None
    if not desk.told(edit.path):
        yield from desk.turn("list_files", Act("git ls-files '*.py' | head -n 100", 0.5))
    lead = next((name for name in sorted(modules(desk.issue)) if name in edit.path.replace(".", "/").split("/")), "")
    desk.note("module_lead" if lead else "no_lead_more" if desk.mended else "no_lead", path=edit.path, name=lead)
    if not chain:
        return None
    outline = Act(f'grep -nE "^ *(async def|def|class) " {quote(edit.path)}', 0.5)
    yield from desk.turn("outline", outline, path=edit.path)
    desk.note("go_through", names=listed([f"`{each.name}`" for each in chain[-1:]]), path=edit.path)
    return chain[-1]


def _read_down(desk: Desk, edit: Edit, chain: tuple[Definition, ...], anchor: Definition | None) -> Story[None]:
    """Read from a definition's beginning, or the file's, until the place has been read."""
    assert edit.before is not None
    count = len(edit.before.splitlines())
    if anchor and anchor.is_class and anchor is not chain[-1] and edit.first - anchor.first > _CHUNK:
        methods = Act(f'grep -nE "^ +(async def|def|class) " {quote(edit.path)}', 0.5)
        yield from desk.turn("methods", methods, name=anchor.name, path=edit.path)
        anchor = chain[-1]
        desk.note("go_through", names=f"`{anchor.name}`", path=edit.path)
    start = max(1, anchor.first - desk.rng.choice((0, 2, 5))) if anchor else 1
    end = min(count, anchor.last + desk.rng.choice((1, 3, 6, 10))) if anchor else count
    if edit.first - start > _CHUNKS * _CHUNK:
        desk.note("long", path=edit.path)
        start = max(1, edit.first - desk.rng.randrange(15, 40))
    plan = "read_definition" if anchor else "read_file"
    for _ in range(_CHUNKS + 1):
        last = end if end - start <= _CHUNK * 1.3 else start + _CHUNK
        last = max(last, min(count, edit.last + 2)) if edit.last - last < 30 and edit.first <= last + 30 else last
        yield from desk.view(edit.path, start, max(start, min(count, last)), plan, name=anchor.name if anchor else "")
        if desk.seen_lines(edit) or last >= max(end, edit.last):
            return
        start, plan = last + 1, "read_on"
