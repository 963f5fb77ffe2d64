"""What a developer has in front of him: the task, what was seen so far, and how a turn is put into words."""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Sequence
from shlex import quote
from typing import Any, TypeVar

from datafactory.swe_facts import SweFacts
from datafactory.teachers.oracle.edits import Edit
from datafactory.teachers.oracle.issue import mentioned, title, words
from datafactory.teachers.oracle.outcomes import frames, printed
from datafactory.teachers.oracle.plan import Act, Beat, Kind
from datafactory.teachers.oracle.words import say
from datafactory.types import Task

T = TypeVar("T")
Story = Generator[Beat, str, T]
"""Turns one after another: gives a beat, gets what was seen after it."""

_NUMBERED = re.compile(r"^\s*(\d+)\t", re.M)
_MOST_SLIPS = 2
"""In one attempt; three errors of an editor are what SWE-ZERO's filter drops (arXiv 2604.01496, section 2)."""


class Desk:
    """One attempt's state. All that it says of the repository comes out of the issue or of what was seen."""

    def __init__(
        self,
        task: Task,
        facts: SweFacts,
        edits: Sequence[Edit],
        rng: random.Random,
        *,
        slip: float,
        agent: str,
        executes: bool,
    ) -> None:
        self.task, self.facts, self.edits, self.rng = task, facts, edits, rng
        self.agent, self.executes = agent, executes
        self.root = task.workdir.rstrip("/")
        self.issue = facts.problem_statement or task.prompt
        self.title = title(self.issue)
        self.names = [name for name in mentioned(self.issue) if name != facts.repo.rpartition("__")[2]]
        self.words = words(self.issue)
        self.texts = [self.issue]
        self.frames: list[tuple[str, int, str]] = []
        self.read: dict[str, set[int]] = {}
        self.cited: set[tuple[str, int]] = set()
        self.mended: set[str] = set()
        self._slip, self._slipped = slip, set[str]()
        self._notes: list[str] = []
        self._no_text: set[str] = set()

    @property
    def native(self) -> bool:
        """Whether there is an editor."""
        return self.agent == "openhands"

    def slips(self, kind: str) -> bool:
        """Whether something goes wrong now, by chance; each kind of slip once."""
        if kind in self._slipped or len(self._slipped) == _MOST_SLIPS or self.rng.random() >= self._slip:
            return False
        self._slipped.add(kind)
        return True

    def note(self, phrase: str, /, **values: Any) -> None:
        """Say this at the beginning of the next turn."""
        self._notes.append(self.phrase(phrase, **values))

    def phrase(self, phrase: str, /, **values: Any) -> str:
        """One line of phrases/developer/<phrase>.txt."""
        return say(self.rng, f"developer/{phrase}", **values)

    def noted(self) -> str:
        """What is to be said, once."""
        said, self._notes = " ".join(self._notes), []
        return said

    def turn(self, plan: str, *acts: Act, kind: Kind = "look", **values: Any) -> Story[str]:
        """A turn whose plan is the phrase `plan`; gives what was seen."""
        analysis = self.noted() or self.phrase("on")
        seen = yield Beat(kind, analysis, self.phrase(plan, **values), acts)
        return self.take(seen)

    def take(self, seen: str) -> str:
        """Learn from what was seen."""
        self.texts.append(seen)
        self.words |= words(seen)
        self.frames += frames(printed(seen), self.root)
        return seen

    def view(self, path: str, first: int, last: int, plan: str, **values: Any) -> Story[str]:
        """Look at lines of a file."""
        shell = f"cat -n {quote(path)} | sed -n '{first},{last}p'"
        by_editor = self.rng.random() < 0.85 and path not in self._no_text
        shown = {"command": "view", "path": f"{self.root}/{path}", "view_range": [first, last]}
        act = Act(shell, 0.5, editor=shown if by_editor else None)
        seen = yield from self.turn(plan, act, path=path, first=first, last=last, **values)
        if act.editor is not None and self.native and seen.startswith("ERROR"):
            self._no_text.add(path)
            self.note("view_refused", path=path)
            seen = yield from self.turn(plan, Act(shell, 0.5), path=path, first=first, last=last, **values)
        self.read.setdefault(path, set()).update(int(number) for number in _NUMBERED.findall(seen))
        return seen

    def seen_lines(self, edit: Edit) -> bool:
        """Whether the lines of an edit, and those beside them, were looked at."""
        return {edit.first - 1, *range(edit.first, edit.last + 1)} - {0} <= self.read.get(edit.path, set())

    def shifted(self, edit: Edit) -> None:
        """The lines behind an edit have other numbers now, and its own are known."""
        by = len(edit.added) - len(edit.removed)
        old = self.read.get(edit.path, set())
        kept = {number for number in old if number < edit.first} | {number + by for number in old if number > edit.last}
        self.read[edit.path] = kept | set(range(edit.first, edit.first + len(edit.added)))

    def knows(self, name: str) -> bool:
        """Whether a name was read as that of something in the code: not as a word of English that looks like it."""
        if name not in self.words:
            return False
        telling = "_" in name.strip("_") or not name.islower() or name in self.names
        return telling or any(re.search(rf"\b{re.escape(name)}\(|\.{re.escape(name)}\b", text) for text in self.texts)

    def told(self, part: str) -> bool:
        """Whether something was read anywhere so far."""
        return any(part in text for text in self.texts)
