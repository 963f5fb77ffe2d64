"""Pages from a data set: on the Hugging Face hub, in a folder, or in Parquet files; read as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from datafactory.corpora.sources.rows import RowSpec
from datafactory.corpora.spec import Item
from datafactory.errors import DataError, StorageError, boundary

_LOADERS = {".parquet": "parquet", ".arrow": "arrow", ".csv": "csv"}


class HuggingFace(RowSpec):
    """A data set with a page in each row, such as `wikimedia/wikipedia`; only what is read is downloaded."""

    use_name: ClassVar[str] = "huggingface"
    place_key: ClassVar[str] = "dataset"

    dataset: str
    """Its name on the hub, or a path: of a file (`.parquet`, `.arrow`, `.csv`), of a folder of such files, or of one
    that `save_to_disk` wrote."""
    config: str | None = None
    """Its configuration, such as `20231101.simple`."""
    split: str = "train"
    """Which of its splits."""
    revision: str | None = None
    """A commit, branch or tag on the hub; left out: what is there when it is read first. A corpus that was stored is
    not read again when the hub has something newer."""

    def problems(self) -> Iterable[str]:
        """A path that is not there."""
        if self._is_path() and not Path(self.dataset).exists():
            yield f"dataset: {self.dataset} does not exist"
        elif self._is_path() and not list(self.inputs()):
            yield f"dataset: no {', '.join(_LOADERS)} in {self.dataset}"

    def inputs(self) -> Iterable[Path]:
        """The files, where it is on this machine."""
        path = Path(self.dataset)
        if not self._is_path():
            return ()
        return [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.suffix in _LOADERS)

    def origin(self) -> str:
        """The last part of its name."""
        return Path(self.dataset).stem

    def recipe(self) -> dict[str, Any]:
        """As for any source; on the hub, its name is what it is."""
        made = super().recipe()
        return made if self._is_path() else made | {"dataset": self.dataset}

    def pages(self) -> Iterator[Item]:
        """A page, or why there is none, for each row."""
        doing = f"reading the data set {self.dataset}"
        with boundary(StorageError, doing):
            rows = iter(self._rows())
        number = 0
        while True:
            with boundary(StorageError, doing):
                row = next(rows, None)
            if row is None:
                return
            yield self.page(row, f"{self.dataset}[{number}]")
            number += 1

    def _rows(self) -> Iterable[Any]:
        import datasets

        path, rows = Path(self.dataset), None
        try:
            if not self._is_path():
                options = {"split": self.split, "revision": self.revision, "streaming": True}
                rows = datasets.load_dataset(self.dataset, self.config, **options)
            elif (path / "dataset_info.json").is_file():
                rows = datasets.load_from_disk(self.dataset)
            elif (path / "dataset_dict.json").is_file():
                rows = datasets.load_from_disk(self.dataset)[self.split]
            else:
                files = [str(each) for each in self.inputs()]
                loader = _LOADERS[Path(files[0]).suffix]
                rows = datasets.load_dataset(loader, data_files={self.split: files}, split=self.split, streaming=True)
        except (OSError, ValueError, KeyError) as error:  # what datasets raises for a name or a split that is not there
            raise DataError(f"the data set {self.dataset} cannot be opened: {error}") from error
        found: Iterable[Any] = rows
        return found

    def _is_path(self) -> bool:
        """Whether it is on this machine: a name on the hub is `name` or `owner/name`."""
        return self.dataset.startswith((".", "/", "~")) or self.dataset.count("/") > 1 or Path(self.dataset).exists()
