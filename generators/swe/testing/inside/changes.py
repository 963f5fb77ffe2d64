"""Files that are other than they were, for as long as a run takes, and as they were afterwards."""

from __future__ import annotations

import glob
import json
import os
import shutil
import sys
from pathlib import Path


class Changes:
    """Keeps what was there in `store`, so that it can be put back even by the next process."""

    def __init__(self, store: str) -> None:
        self._store = Path(store)
        self._journal = self._store / "journal.json"

    def make(self, changed: dict[str, str | None]) -> None:
        """Put files in place: absolute path to the file that holds the new content; None: away with it, and with
        folders that it leaves empty. Compiled files go aside: no test may see what was compiled from another text,
        whatever its time and size."""
        if not changed:
            return
        self._store.mkdir(parents=True, exist_ok=True)
        real = {Path(path).resolve(): content for path, content in changed.items()}  # links stay what they are
        aside = [name for path in real for name in compiled(path)]
        kept: dict[str, str] = {}
        for number, path in enumerate([*real, *aside]):
            if path.exists():
                kept[str(path)] = str(self._store / str(number))
                shutil.copy2(path, kept[str(path)])
        folders = {str(above) for path in real for above in path.parents if not above.exists()}
        entry = {"kept": kept, "changed": [str(path) for path in real], "folders": sorted(folders)}
        self._journal.with_suffix(".new").write_text(json.dumps(entry))
        self._journal.with_suffix(".new").replace(self._journal)
        for path in aside:
            path.unlink()
        for path, content in real.items():
            if content is None:
                _remove(path)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content, path)

    def undo(self) -> None:
        """Put back what was there, times included; nothing where nothing was changed."""
        if not self._journal.exists():
            return
        entry = json.loads(self._journal.read_text())
        for path in map(Path, entry["changed"]):
            for name in compiled(path):
                name.unlink()
            if str(path) not in entry["kept"]:
                path.unlink(missing_ok=True)
        for name, copy in entry["kept"].items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy, name)
            shutil.copystat(copy, name)
        for folder in entry["folders"]:
            shutil.rmtree(folder, ignore_errors=True)
        self._journal.unlink()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    for above in path.parents:
        if not above.is_dir() or any(above.iterdir()):
            return
        above.rmdir()


def compiled(path: Path) -> list[Path]:
    """What Python and pytest made of a source file: beside it, and under the prefix where there is one."""
    if path.suffix != ".py":
        return []
    places = [path.parent / "__pycache__"]
    if sys.pycache_prefix:
        places.append(Path(sys.pycache_prefix + str(path.parent)))
    return [found for place in places for found in place.glob(f"{glob.escape(path.stem)}.*.pyc")]


def forget_recent(folder: str, since: float) -> None:
    """Remove what was compiled, under the prefix, from files of `folder` that are no older than `since` (seconds of
    the clock): such a file may be written again within the same second, and would look the same."""
    for found in Path((sys.pycache_prefix or "") + os.path.realpath(folder)).rglob("*.pyc"):
        head = found.read_bytes()[:12]  # magic number, flags, time of the source (PEP 552)
        hashed = head[4] & 1  # as pytest 9.2 does it: it knows a changed source by its hash
        if not hashed and int.from_bytes(head[8:12], "little") >= int(since) - 2:
            found.unlink()
