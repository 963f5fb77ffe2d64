"""The book: which slots were taken, and what came of them, as one file for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from datafactory.errors import DataError, StorageError, boundary
from datafactory.scheduling.slots import OPEN, STAMP, Slot
from datafactory.whole import make_once, whole


class Book:
    """A folder that may lie on a disk of several hosts: a slot is taken by making its file, which works once.

    `<job>/<slot>.json` are its slots, `<job>/since` says when the job was first seen, `<job>/paused` that it rests.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._newest: dict[str, datetime] = {}

    def place(self, job: str, name: str) -> Path:
        """A file of a job's."""
        return self.folder / job / name

    def since(self, job: str, now: datetime) -> datetime:
        """The newest slot that was taken; where there is none, when the job was first seen: slots before are none of
        ours. It never goes back, whatever the clock does."""
        if job not in self._newest:
            taken = max((self._moment(path.stem) for path in self.folder.joinpath(job).glob("*Z.json")), default=None)
            self._newest[job] = taken or self._first_seen(job, now)
        return self._newest[job]

    def take(self, slot: Slot) -> bool:
        """Make the slot's file; False: somebody else has. It appears whole."""
        path = self.place(slot.job, f"{slot.stamp}.json")
        made = make_once(path, slot.model_dump_json(indent=1))
        self._newest[slot.job] = max(slot.at, self._newest.get(slot.job, slot.at))
        return made

    def write(self, slot: Slot) -> None:
        """Say what has become of a slot that was taken."""
        with whole(self.place(slot.job, f"{slot.stamp}.json")) as draft:
            draft.write_text(slot.model_dump_json(indent=1))

    def slots(self, job: str) -> Iterator[Slot]:
        """Those taken, in their order. Raises DataError for a file that is none."""
        for path in sorted(self.folder.joinpath(job).glob("*Z.json")):
            yield self._read(path)

    def open_slots(self, job: str) -> list[Slot]:
        """Those that were begun and came to no end."""
        return [slot for slot in self.slots(job) if slot.state == OPEN]

    def find(self, job: str, stamp: str) -> Slot:
        """One slot. Raises DataError where there is none."""
        path = self.place(job, f"{stamp}.json")
        if not path.is_file():
            raise DataError(f"{job} has no slot {stamp}; see: datafactory schedule history {job}")
        return self._read(path)

    def is_paused(self, job: str) -> bool:
        """Whether a person let it rest."""
        return self.place(job, "paused").exists()

    def pause(self, job: str, *, rest: bool) -> None:
        """Let it rest, or no longer."""
        path = self.place(job, "paused")
        with boundary(StorageError, f"writing {path}"):
            if rest:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            else:
                path.unlink(missing_ok=True)

    def _first_seen(self, job: str, now: datetime) -> datetime:
        path = self.place(job, "since")
        make_once(path, now.isoformat())
        return datetime.fromisoformat(path.read_text())

    @staticmethod
    def _moment(stamp: str) -> datetime:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)

    @staticmethod
    def _read(path: Path) -> Slot:
        try:
            return Slot.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DataError(f"{path}: no slot's file ({error})") from error
