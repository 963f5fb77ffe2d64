"""What the rooms promise each other, on one page."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from datafactory.types import Draft, Files, Hit, Message, Model, Page, Reject, Reply, Task, Violation

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command left behind. A timeout is exit code 124 with `timed_out`; a signal is 128 + its number."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    dropped: int = 0
    """Bytes of output past the sandbox's limit, which were not kept."""

    @property
    def output(self) -> str:
        """Both streams as UTF-8, stdout first, undecodable bytes replaced."""
        return (self.stdout + self.stderr).decode(errors="replace")


class Box(Protocol):
    """One live sandbox. A failing command is a result; only a box that is itself broken raises SandboxError."""

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        """Run a command. A string is a line for the box's own bash: `cd` and variables last until the box
        closes (or until a timeout that ended that shell). A sequence is a program and its arguments, run in a
        fresh process from the box's workdir. `timeout` in seconds."""
        ...

    async def read(self, path: str) -> bytes | None:
        """The content of a regular file; None: there is no such file."""
        ...

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Make or replace a file, and the folders above it."""
        ...

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        """Regular files and links at `paths` (a path that ends in ``/``: the whole folder), and a note on
        what was left out (larger than `limit` bytes in all, or no regular file); missing paths are absent."""
        ...

    async def push(self, files: Files) -> None:
        """Make or replace many files at once, modes and links kept."""
        ...


@runtime_checkable
class Guarded(Protocol):
    """A box that forbids things."""

    @property
    def inside(self) -> Box:
        """The same box without the policy, for the factory's own errands."""
        ...

    @property
    def violations(self) -> Sequence[Violation]:
        """What was refused so far, in order."""
        ...


@runtime_checkable
class Sandbox(Protocol):
    """Opens boxes."""

    name: str

    def start(self) -> AbstractAsyncContextManager[SandboxHost]:
        """What is shared by the boxes of one run: a daemon's client, a warm pool; removes orphans of dead runs."""
        ...


class SandboxHost(Protocol):
    """A sandbox that is up."""

    def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AbstractAsyncContextManager[Box]:
        """A fresh box from `image` with `files` in place and the lines of `prepare` run; gone, with all that runs in
        it, at the end."""
        ...

    def image_digest(self, image: str) -> str:
        """Digest of what `image` stands for on this machine."""
        ...


class Library(Protocol):
    """A corpus that is open for search: in this process, or behind a search server."""

    corpus: str
    """Name of the corpus: `corpus/<name>-<12 hex>`, where the digits say which pages are in it."""
    digest: str
    """Of the pages and of how they are searched: two libraries of one digest give the same answers."""

    async def retrieve(self, queries: Sequence[str], *, topk: int = 5) -> list[list[Hit]]:
        """For each query the passages found, the best first, `topk` at most. Raises SearchError."""
        ...

    async def access(self, urls: Sequence[str]) -> list[Page | None]:
        """For each url its page; None: no such page, or it is blocked. Raises SearchError."""
        ...


@dataclass(frozen=True, slots=True)
class Episode:
    """What a request belongs to: replies of one episode stick together, and the oracle finds its task here."""

    id: str
    seed: int
    task: Task | None = None
    agent: str = ""
    """The dialect spoken: `terminus-2`, `tools`, `openhands`, `search` or `search-tags`; empty: no agent."""
    executes: bool = True
    """Whether commands of all kinds run in the box; false where it is `Guarded` (`attempt` sets it)."""

    def mixed(self, seed: int) -> int:
        """A teacher's own seed mixed with this episode's, from 0 to 2**31 - 1, so that repeated attempts differ."""
        return (seed * 1_000_003 + self.seed) & 0x7FFF_FFFF


class Chat(Protocol):
    """A teacher that is listening."""

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. `schema`: the answer's content must be JSON of this JSON schema. Raises TeacherError."""
        ...


@runtime_checkable
class Teacher(Protocol):
    """Answers; the student under test and an LLM judge sit in this chair too."""

    name: str

    def sampling(self) -> dict[str, Any]:
        """What shapes an answer besides the messages, as recorded in lineage."""
        ...

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Connect, or start what must run."""
        ...


@runtime_checkable
class Mix(Teacher, Protocol):
    """Several teachers in one chair."""

    def pick(self, episode: Episode) -> Teacher:
        """Who answers this episode: always the same one."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a generator's count, and the try at filling it."""

    index: int
    """0 to count - 1."""
    retry: int
    """0 at first; a rejected draft's slot is tried again with the next number."""
    seed: int

    def rng(self) -> random.Random:
        """A generator of random numbers that depends on nothing but the pipeline's seed, slot and retry."""
        return random.Random(self.seed)


@runtime_checkable
class Generator(Protocol):
    """Makes drafts, one at a time; counting, concurrency, soundness, ids and resume are the stage's."""

    @property
    def count(self) -> int:
        """How many tasks to make."""
        ...

    @property
    def asks(self) -> bool:
        """Whether `make` needs a teacher's chat."""
        ...

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One draft, or why there is none. The same slot gives the same draft where no model is asked."""
        ...


class Maker(Protocol):
    """Whoever makes a generator's drafts once it is open; what it keeps lasts for one run."""

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """See `Generator.make`."""
        ...


@runtime_checkable
class Workshop(Protocol):
    """A generator that holds something open while it makes drafts, and proves them itself: no gate is run after it.
    One that says `boxes = False` opens no box: no sandbox is started for it, and its `host` refuses."""

    @property
    def count(self) -> int:
        """How many tasks to make."""
        ...

    @property
    def asks(self) -> bool:
        """Whether `make` needs a teacher's chat."""
        ...

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Ready to make drafts in boxes of `host`; opened once a run."""
        ...


@runtime_checkable
class Filter(Protocol):
    """Decides which rows stay. Pure: it looks at columns and calls nobody.

    One that says `rowwise = True` decides on each row by that row alone: `select` may judge rows with several such
    filters in one pass over the table. One that must see all rows to judge one may read them, in batches, within
    `reject`."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """A string column over `rows`: null keeps a row, a string drops it and says why."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A filter that can say how far it is right, where rows have a verdict."""

    def measure(self, rows: pl.LazyFrame) -> dict[str, Any]:
        """Numbers of rows, and `precision` and `recall` as `[value, low, high]` or None (docs/judges.md)."""


@runtime_checkable
class Marker(Protocol):
    """Finds turns that should carry no loss, in rows that stay. Pure, as a filter is."""

    def mark(self, rows: pl.LazyFrame) -> pl.Expr:
        """A column of lists over `rows`, as long as `messages`: why a message is masked, or null."""
        ...


@runtime_checkable
class Curriculum(Protocol):
    """Puts rows in the order in which a student sees them."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """The rows to train on, in order; may leave out and repeat, and must keep the columns that there are."""
        ...


@runtime_checkable
class Accounted(Protocol):
    """A curriculum that can say what each of its rules leaves."""

    def account(self, rows: pl.LazyFrame, *, seed: int) -> list[dict[str, Any]]:
        """In order: `rule` in words, `rows` that are left after it (None: a note), and `phase`, where it has one."""
        ...


@runtime_checkable
class Trainer(Protocol):
    """Makes a student of rows."""

    async def train(self, table: Path, folder: Path) -> Model:
        """Train on an arranged table (docs/dataset.md); a training that was stopped in `folder` goes on. The paths in
        what it gives are relative to `folder`. Raises RunError."""
        ...
