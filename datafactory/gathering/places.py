"""What a source names: a finished run, Parquet files, or a data set of the Hugging Face hub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from datafactory.errors import DataError, StorageError, boundary
from datafactory.gathering.finished import last_attempts
from datafactory.storage import MANIFEST, RunFolder, StageFolder, open_run
from datafactory.storage.layout import RUN

HUB = "hf://"


class Place(BaseModel):
    """One source of rows, as a pipeline file names it: text alone is its `at`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: str
    """A run (its folder, or its name under `runs/` or `DATAFACTORY_RUNS`), a Parquet file or a folder of them, or
    `hf://owner/name`."""
    name: str = ""
    """What the rows have in `origin`; left out: the name of the run, file or data set."""
    split: str = "train"
    """Of a data set of the hub."""
    config: str | None = None
    """Of a data set of the hub that has several; None: its only one."""
    revision: str | None = None
    """Of a data set of the hub: a commit; left out: what is there when it is gathered."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"at": value} if isinstance(value, str) else value

    @field_validator("at")
    @classmethod
    def _something(cls, value: str) -> str:
        if not value.removeprefix(HUB).strip("/"):
            raise ValueError("names no run, file or data set")
        return value

    @model_validator(mode="after")
    def _said_well(self) -> Self:
        if not re.fullmatch(r"[\w.-]{1,100}", self.label):
            raise ValueError(
                f"{self.label!r} cannot be the name of a source; give it a `name` of letters, digits, . _ -"
            )
        if not self.on_hub and (self.split != "train" or self.config is not None or self.revision is not None):
            raise ValueError(f"split, config and revision are for data sets of the hub ({HUB}owner/name)")
        return self

    @property
    def on_hub(self) -> bool:
        """Whether it is a data set of the hub."""
        return self.at.startswith(HUB)

    @property
    def label(self) -> str:
        """What its rows have in `origin`."""
        last = self.at.removeprefix(HUB).rstrip("/").rpartition("/")[2]
        return self.name or last.removesuffix(".parquet")

    def run(self) -> tuple[RunFolder, StageFolder] | None:
        """The run, and its stage whose attempts are taken; None: it is no run. Raises DataError."""
        if self.on_hub or not any((root / RUN).is_file() for root in self._roots()):
            return None
        folder = open_run(self.at, _runs())
        return folder, last_attempts(folder)

    def files(self) -> list[Path]:
        """The Parquet files of a source that is no run, in order of their names. Raises DataError where none is."""
        path = Path(self.at)
        if path.is_file():
            return [path]
        if not path.is_dir():
            known = f"under {_runs()}/" if "/" not in self.at else "of that path"
            raise DataError(f"{self.at}: no such file or folder, and no run {known}")
        # What a run or `select` did not keep lies beside what it kept.
        found = [p for p in sorted(path.rglob("*.parquet")) if p.name != "rejects.parquet" and p.name[0] != "."]
        if not found:
            raise DataError(f"{self.at}: no Parquet file (*.parquet) in this folder, and it is no run")
        return found

    def inputs(self) -> list[Path]:
        """Files whose content says what is in it; a run's manifest speaks for the run. Raises DataError."""
        if self.on_hub:
            return []
        found = self.run()
        return self.files() if found is None else [found[1].path / MANIFEST]

    def count(self) -> int | None:
        """How many rows there are; None: the hub knows. Raises DataError."""
        import pyarrow.parquet as pq

        if self.on_hub:
            return None
        if found := self.run():
            return int((found[1].manifest or {})["kept"])
        with boundary(StorageError, f"reading {self.at}"):
            return sum(int(pq.read_metadata(path).num_rows) for path in self.files())

    def _roots(self) -> tuple[Path, ...]:
        return (Path(self.at), _runs() / self.at)


def _runs() -> Path:
    return Path(os.environ.get("DATAFACTORY_RUNS", "runs"))
