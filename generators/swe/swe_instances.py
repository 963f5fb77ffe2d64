"""The generator `swe_instances`: task instances of others, run here and proved by their own tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError
from datafactory.formats.instances import Instance, instance_of, read_instances
from datafactory.local import CORES
from datafactory.protocols import Chat, Maker, SandboxHost, Slot
from datafactory.spec import Spec
from datafactory.types import Draft, Reject
from generators.rows import Rows, open_rows
from generators.swe.drafting import swe_draft
from generators.swe.environment import SetUpFailed, set_up
from generators.swe.known.fixes import Ground, Proven, bug_of, gated, prove_fix
from generators.swe.known.foreign import FORGE, agreed, fix_of, place_of
from generators.swe.known.patches import PatchFailed
from generators.swe.making import stated
from generators.swe.mutations import Bug, NoBug
from generators.swe.proving.validation import Valid
from generators.swe.repositories import cache, log_of
from generators.swe.sources import Repository, SourceError, fetch

KIND = "instance"


class SWEInstances(Spec):
    """Rows of SWE-bench, SWE-smith, SWE-Gym, SWE-rebench or `datafactory export` as tasks that run here: the repository
    is set up at the row's commit, and the row's tests must fail without its fix and pass with it."""

    use_name: ClassVar[str] = "swe_instances"
    asks: ClassVar[bool] = False

    path: Path
    """JSON Lines (`.jsonl`, `.jsonl.gz`), JSON or Parquet, with the columns of SWE-bench or SWE-smith."""
    count: int = Field(default=0, ge=0)
    """How many tasks to make, of the first rows; those behind fill in for rows of which none comes. 0: all."""
    where: str | dict[str, str] = FORGE
    """Where the repositories are: an address or a folder with git in it, in which `{repo}` stands for `owner/name` and
    `{name}` for what is behind the slash; or one for each `owner/name`."""
    recompute: bool = False
    """Take as FAIL_TO_PASS and PASS_TO_PASS what is found here, whatever the row says."""
    patch_makes_bug: bool | None = None
    """Whether `patch` makes the bug, as in SWE-smith, or mends it; left out: makes it where `repo` begins so."""
    requirements: tuple[str, ...] = ()
    """What else to install in every repository, as pip writes it."""
    allow_benchmarks: bool = False
    """Take rows of SWE-bench Verified's repositories too; what comes of them must not train what is measured there."""
    reward: Literal["resolved", "rates"] = "resolved"
    """What an attempt gets: 1 where all tests pass, else 0; or its share of FAIL_TO_PASS times that of PASS_TO_PASS."""
    repeats: int = Field(default=3, ge=2, le=10)
    """Runs with the fix, and runs without, that must agree."""
    boxes: int = Field(default=CORES, ge=1, exclude=True)
    """Boxes in which set-ups and tests are run at a time."""

    @model_validator(mode="after")
    def _count_rows(self) -> Self:
        try:
            found = len(_Instances(self.path, self.patch_makes_bug))
        except DataError as error:
            raise ValueError(f"path: {error}") from error
        if not found:
            raise ValueError(f"path: {self.path} holds no rows")
        if self.count > found:
            raise ValueError(f"count: {self.count} tasks wanted, but {self.path} holds {found}")
        object.__setattr__(self, "count", self.count or found)
        return self

    def inputs(self) -> Iterable[Path]:
        """The file."""
        return [self.path]

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Nothing is fetched before a slot comes to it."""
        return self._open(host)

    @asynccontextmanager
    async def _open(self, host: SandboxHost) -> AsyncIterator[Maker]:
        yield _Importer(self, host)


class _Instances:
    """The instances of a file by number; of JSON all are held, of other files only their places."""

    def __init__(self, path: Path, patch_makes_bug: bool | None) -> None:
        self._makes = patch_makes_bug
        self._rows: list[Instance] | Rows
        if path.suffix == ".json":
            self._rows = list(read_instances(path, patch_makes_bug=patch_makes_bug))
        else:
            self._rows = open_rows(path)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Instance:
        """Raises DataError where the row is no instance."""
        if isinstance(self._rows, list):
            return self._rows[number]
        return instance_of(self._rows[number], self._rows.where(number), patch_makes_bug=self._makes)


class _Importer:
    """Makes the tasks of one run."""

    def __init__(self, spec: SWEInstances, host: SandboxHost) -> None:
        self._spec = spec
        self._host = host
        self._instances = _Instances(spec.path, spec.patch_makes_bug)
        self._boxes = asyncio.Semaphore(spec.boxes)
        self._turns: dict[str, asyncio.Lock] = {}
        self._unfit: dict[str, Reject] = {}

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """The task of one row. Raises DataError where it is no instance."""
        number = slot.index + slot.retry * self._spec.count
        if number >= len(self._instances):
            return Reject(reason="no_rows_left", detail=f"{len(self._instances)} rows, all of them used", final=True)
        instance = self._instances[number]
        made = await self._task(slot, instance)
        return made.but(what=made.what or {"instance_id": instance.instance_id}) if isinstance(made, Reject) else made

    async def _task(self, slot: Slot, instance: Instance) -> Draft | Reject:
        spec = self._spec
        place = place_of(instance, spec.where, requirements=spec.requirements, allow_benchmarks=spec.allow_benchmarks)
        if isinstance(place, Reject):
            return place
        async with self._boxes:
            ground = await self._ground(place)
            if isinstance(ground, Reject):
                return ground
            try:
                fix = await asyncio.to_thread(fix_of, instance, ground.checkout)
                bug = bug_of(fix, KIND)
            except PatchFailed as error:
                return Reject(reason="patch_does_not_fit", detail=str(error))
            except NoBug as error:
                return Reject(reason="no_bug", detail=str(error))
            if known := ground.environment.copies.of(bug.fix):
                return Reject(reason="fix_elsewhere", detail=known)
            proven = await prove_fix(self._host, ground, fix, bug, repeats=spec.repeats)
        if isinstance(proven, Reject):
            return proven
        valid = proven.valid if spec.recompute else agreed(instance, proven)
        if isinstance(valid, Reject):
            return valid
        statement: str | Reject = instance.problem_statement
        if not statement:
            statement = await stated("embedded", slot, None, proven.checkout, proven.environment, bug, valid)
        if isinstance(statement, Reject):
            return statement
        async with self._boxes:
            return await gated(self._host, self._draft(instance, bug, proven, valid, statement))

    async def _ground(self, place: Repository) -> Ground | Reject:
        async with self._turns.setdefault(place.at, asyncio.Lock()):
            if place.at in self._unfit:
                return self._unfit[place.at]
            try:
                checkout = await asyncio.to_thread(fetch, place, cache() / "sources")
                return Ground(checkout, await set_up(self._host, checkout, folder=cache() / "environments"))
            except (SourceError, SetUpFailed) as error:
                if not error.final:
                    raise
                reject = Reject(reason=f"unfit_{error.step}", detail=f"{place.at}: {error}\n{log_of(error)}".strip())
                self._unfit[place.at] = reject
                return reject

    def _draft(self, instance: Instance, bug: Bug, proven: Proven, valid: Valid, statement: str) -> Draft:
        breaks = instance.patch if instance.patch_makes_bug else instance.bug_patch
        fix = bug.fix if instance.patch_makes_bug else instance.patch
        return swe_draft(
            proven.checkout,
            proven.environment,
            kind=KIND,
            hash_=bug.id[:8],
            broken=proven.files,
            patch=_ended(breaks),
            fix=_ended(fix),
            valid=valid,
            statement=statement,
            rates=self._spec.reward == "rates",
            remove=proven.remove,
            gone=proven.gone,
            more=_more(instance, proven, bug),
        )


def _more(instance: Instance, proven: Proven, bug: Bug) -> dict[str, Any]:
    return {
        "instance_id": instance.instance_id,
        "repo": instance.origin.replace("/", "__"),
        "version": instance.version or proven.environment.version,
        "test_patch": instance.test_patch,
        "hints_text": instance.hints_text,
        "created_at": instance.created_at,
        "changes": [change.model_dump(mode="json") for change in bug.changes],
    }


def _ended(patch: str) -> str:
    return patch if not patch or patch.endswith("\n") else f"{patch}\n"
