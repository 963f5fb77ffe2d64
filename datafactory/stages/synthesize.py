"""Synthesize: generators fill slots with drafts, and the soundness gate makes tasks of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Set
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from datafactory.answers import prove_question
from datafactory.calls import Line
from datafactory.checks import prove
from datafactory.errors import GeneratorError, SandboxError, boundary
from datafactory.holding_out import HoldOut
from datafactory.local import CORES
from datafactory.protocols import Episode, Generator, Maker, Sandbox, SandboxHost, Slot, Teacher, Workshop
from datafactory.run import Run
from datafactory.spec import Component, Spec
from datafactory.stages.labels import labels
from datafactory.stages.live import NoBoxes, host_of, line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Draft, Record, Reject, Task, digest_of


class Synthesize(Stage):
    """Makes tasks that are sound: the own solution scores 1, doing nothing scores 0, and repeats agree."""

    use_name: ClassVar[str] = "synthesize"
    reads: ClassVar[type[Record] | None] = None
    writes: ClassVar[type[Record]] = Task
    later: ClassVar[frozenset[str]] = frozenset(("hold_out",))

    generators: tuple[Annotated[Generator | Workshop, Component("generator")], ...] = Field(min_length=1)
    """What makes the drafts."""
    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where soundness is proved; left out: the pipeline's."""
    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who writes the drafts of generators that ask a model; left out: the pipeline's."""
    repeats: int = Field(default=3, ge=1, le=10)
    """How often soundness is proved; repeats that disagree quarantine the draft as flaky."""
    tries: int = Field(default=5, ge=1, le=100)
    """Drafts per slot before the slot is given up."""
    step_timeout: float = Field(default=120.0, gt=0)
    """Seconds that one step of a reference solution may take."""
    hold_out: HoldOut | None = None
    """Tasks that are kept for `evaluate` and that nobody learns from: `{combinations: 0.1, tasks: 0.05}`, shares of all
    combinations of skills, and of the tasks of the others; left out: none."""
    at_once: int = Field(default=2 * CORES, ge=1, exclude=True)
    """Drafts proved at a time."""
    drafts: int = Field(default=1024, ge=1, exclude=True)
    """Slots worked on at a time where a generator asks a teacher: enough to keep one full, who takes as many calls as
    it can; what is proved meanwhile is bounded by `at_once`."""

    def wants(self) -> Set[str]:
        """A sandbox where a generator's drafts need boxes; a teacher where a generator asks one."""
        asking = {"teacher"} if any(_asks(g) for g in self.generators) else set()
        return asking | ({"sandbox"} if any(map(_boxes, self.generators)) else set())

    def expected(self, before: int | None) -> int | None:
        """The sum of the counts."""
        return sum(generator.count for generator in self.generators)

    def calls(self, items: int) -> str:
        """Boxes for the gate, and calls where a generator asks a teacher."""
        asked = min(items, sum(generator.count for generator in self.generators if _asks(generator)))
        proved = min(items, sum(generator.count for generator in self.generators if _boxes(generator)))
        said = [f"{proved * (self.repeats + 1):,} boxes"] * bool(proved)
        return ", ".join(said + [f"{asked:,} to {asked * self.tries:,} teacher calls"] * bool(asked))

    def slots(self) -> Iterator[tuple[str, tuple[Generator | Workshop, int]]]:
        """Every place to fill: `<generator>-<index>`, and whose it is."""
        for label, generator in zip(labels(self.generators), self.generators, strict=True):
            for index in range(generator.count):
                yield f"{label}-{index:05d}", (generator, index)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Fill every slot with a sound task, or write down why not."""
        run.progress.total = self.expected(None)
        host: SandboxHost = NoBoxes()
        if self.sandbox is not None and any(map(_boxes, self.generators)):
            host = await host_of(run, self.sandbox)
        boxes = asyncio.Semaphore(self.at_once)

        async def fill(key: str, item: tuple[Generator | Workshop, int]) -> Task | Reject:
            return await self._fill(key, *item, run=run, host=host, boxes=boxes)

        asking = self.teacher is not None and any(_asks(g) for g in self.generators)
        await run.each(self.slots(), fill, at_once=max(self.drafts, self.at_once) if asking else self.at_once)

    async def _fill(
        self,
        key: str,
        generator: Generator | Workshop,
        index: int,
        *,
        run: Run[Any],
        host: SandboxHost,
        boxes: asyncio.Semaphore,
    ) -> Task | Reject:
        label = key.rpartition("-")[0]
        proves = isinstance(generator, Workshop)
        maker = await self._maker(generator, run, host)
        for retry in range(self.tries):
            if run.shelf.has(f"{key}#{retry}"):
                continue  # rejected before the run was interrupted
            seed = int(digest_of([run.seed, key, retry]), 16)
            line = await self._line(generator, Episode(f"{key}#{retry}", seed), run)
            with boundary(GeneratorError, f"making a draft with {label}"):
                draft = await maker.make(Slot(index, retry, seed), line)
            reject = draft if isinstance(draft, Reject) else None
            if isinstance(draft, Draft) and not proves:
                reject = await self._prove(draft, host, boxes)
            if reject is not None and reject.final:
                return reject.but(generator=label)
            if reject is None:
                assert isinstance(draft, Draft)
                return _task(draft, key, label, self.hold_out)
            what = draft.model_dump(mode="json") if isinstance(draft, Draft) else reject.what
            await run.shelf.reject(reject.but(key=f"{key}#{retry}", generator=label, what=what))
        return Reject(reason="slot_given_up", detail=f"no sound draft in {self.tries} tries", generator=label)

    async def _maker(self, generator: Generator | Workshop, run: Run[Any], host: SandboxHost) -> Maker:
        if not isinstance(generator, Workshop):
            return generator
        with boundary(GeneratorError, "opening a generator"):
            maker: Maker = await run.commons.get(cast(Spec, generator), lambda: generator.open(host))
        return maker

    async def _line(self, generator: Generator | Workshop, episode: Episode, run: Run[Any]) -> Line | None:
        if self.teacher is None or not _asks(generator):
            return None
        return await line_to(run, self.teacher, scope=f"synthesize:{episode.id}", episode=episode)

    async def _prove(self, draft: Draft, host: SandboxHost, boxes: asyncio.Semaphore) -> Reject | None:
        if draft.question is not None:
            return prove_question(draft.question)
        with boundary(SandboxError, "proving a draft"):
            async with boxes:
                return await prove(host, draft, repeats=self.repeats, step_timeout=self.step_timeout)


def _asks(generator: Generator | Workshop) -> bool:
    return bool(getattr(generator, "asks", True))


def _boxes(generator: Generator | Workshop) -> bool:
    return bool(getattr(generator, "boxes", True))


def _task(draft: Draft, key: str, label: str, hold_out: HoldOut | None) -> Task:
    fields = dict(draft)
    fields["source"] = draft.source.but(generator=label)
    if isinstance(draft, Task):  # an import that brings its own name keeps it among the facts
        facts = {**draft.source.facts, "imported_id": draft.id}
        fields["source"] = fields["source"].but(facts=facts)
    fields.update(id=key, digest=draft.content_digest())
    task = Task(**fields)
    return task if hold_out is None else task.but(held_out=hold_out.kind(task, task.digest))
