"""The expert on a repository: explores, reproduces, locates, edits, tests and hands in, as a developer does."""

from __future__ import annotations

import random
import re
from functools import lru_cache
from shlex import quote

from datafactory.formats.unified_diff import DiffError
from datafactory.protocols import Episode
from datafactory.swe_facts import swe_facts
from datafactory.teachers.oracle.definitions import around
from datafactory.teachers.oracle.desk import Desk, Story
from datafactory.teachers.oracle.edits import Edit, edits_of
from datafactory.teachers.oracle.issue import mentioned
from datafactory.teachers.oracle.locating import locate
from datafactory.teachers.oracle.mending import mend
from datafactory.teachers.oracle.plan import Act, Beat
from datafactory.teachers.oracle.trying import Trials
from datafactory.teachers.oracle.words import listed
from datafactory.types import Task

_CHANGED = re.compile(r"^diff --git a/(\S+) b/", re.M)
_NEW = re.compile(r"^\?\? (\S+)", re.M)


def developed(task: Task) -> tuple[Edit, ...]:
    """The edits that solve an SWE task; empty: it is none, or its fix is not made of edits of files that are known.
    Raises DataError for facts that are not as they should be."""
    return _developed(_Key(task))


def story(episode: Episode, slip: float) -> Story[None]:
    """The turns of an attempt at an SWE task, for `episode`, whose task has edits. The same episode, `slip` and
    observations give the same turns."""
    task = episode.task
    assert task is not None
    facts = swe_facts(task)
    assert facts is not None
    rng = random.Random(f"{episode.seed} {task.digest}")
    desk = Desk(
        task,
        facts,
        _ordered(developed(task), facts.problem_statement or task.prompt),
        rng,
        slip=slip,
        agent=episode.agent,
        executes=episode.executes,
    )
    return _work(desk)


def _ordered(edits: tuple[Edit, ...], issue: str) -> list[Edit]:
    """Files of which the issue speaks first."""
    names = set(mentioned(issue))
    near = {
        edit.path for edit in edits if names & {each.name for each in around(edit.before or "", edit.first, edit.last)}
    }
    return sorted(edits, key=lambda edit: edit.path not in near)


class _Key:
    """A task by its digest: it is large."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __hash__(self) -> int:
        return hash(self.task.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and (self.task.id, self.task.digest) == (other.task.id, other.task.digest)


@lru_cache(maxsize=256)
def _developed(key: _Key) -> tuple[Edit, ...]:
    facts = swe_facts(key.task)
    if facts is None or not facts.fix:
        return ()
    root = f"{key.task.workdir.rstrip('/')}/"
    files = {
        path.removeprefix(root): file.data
        for path, file in key.task.files.items()
        if path.startswith(root) and not file.link
    }
    try:
        return tuple(edits_of(files, facts.fix))
    except DiffError:
        return ()


def _work(desk: Desk) -> Story[None]:
    trials = Trials(desk)
    yield from _explore(desk)
    if desk.executes:
        parts = [trials.reproduce, trials.tests]
        desk.rng.shuffle(parts)
        for part in parts if desk.rng.random() < 0.7 else parts[:1]:
            yield from part()
    elif desk.rng.random() < 0.6:
        yield from trials.read_tests()
    followed: set[str] = set()
    for number, edit in enumerate(desk.edits):
        if number and not desk.seen_lines(edit):
            desk.note("read_on_here" if edit.path in desk.mended else "read_further", path=edit.path)
        yield from locate(desk, edit, followed)
        yield from mend(desk, edit, more=number > 0)
    yield from _review(desk)
    checked = (yield from trials.again()) if desk.executes else desk.phrase("report_unrun")
    yield from _finish(desk, checked)


def _explore(desk: Desk) -> Story[None]:
    """The first look."""
    desk.note("start", title=desk.title, root=desk.root)
    if not desk.executes:
        desk.note("start_unrun")
    shell = desk.rng.choice(
        ("ls -la", "pwd && ls -la", "ls -la && git status --short | head", f"ls -la {quote(desk.root)}")
    )
    view = {"command": "view", "path": desk.root}
    act = Act(shell, 0.1, editor=view if desk.rng.random() < 0.6 else None)
    yield from desk.turn("explore", act, root=desk.root)
    desk.note("explored")


def _review(desk: Desk) -> Story[None]:
    """Look at all that was changed; new files only `git status` shows."""
    line = "git --no-pager diff" if desk.agent == "terminus-2" else "git diff"
    if any(edit.before is None for edit in desk.edits) or desk.rng.random() < 0.5:
        line = f"git status --short && {line}"
    seen = yield from desk.turn("review", Act(line, 0.5), kind="check")
    paths = list(dict.fromkeys(_CHANGED.findall(seen) + _NEW.findall(seen)))
    if paths:
        desk.note("reviewed", files=listed([f"`{path}`" for path in paths]))


def _finish(desk: Desk, checked: str) -> Story[None]:
    """Hand in, and say what was done."""
    paths = list(dict.fromkeys(edit.path for edit in desk.edits))
    changed = desk.phrase("report", files=listed([f"`{path}`" for path in paths]), title=desk.title)
    report = f"{changed} {checked}".strip()
    analysis = desk.noted() or desk.phrase("on")
    while True:
        yield Beat("done", analysis, desk.phrase("finish"), report=report)
        analysis = desk.phrase("sure")
