"""`datafactory fsck`: what is damaged in a run, and taking it out."""

from __future__ import annotations

from pathlib import Path

from datafactory import registry
from datafactory.cli import exits
from datafactory.cli.printing import clean, say_json
from datafactory.storage import examine, mend, open_run
from datafactory.storage.layout import locked


def fsck(run: str, runs: Path, *, repair: bool, as_json: bool) -> int:
    """Print what is damaged; with `repair`, take it out. Returns the exit code: failed where damage is left."""
    folder = open_run(run, runs)
    kinds = {stage.name: registry.find("stage", stage.name).writes for stage in folder.stages}  # type: ignore[attr-defined]
    with locked(folder.path):
        found = list(examine(folder, kinds))
        done = list(mend(found)) if repair else []
    if as_json:
        damages = [{"file": str(each.path), "line": each.line or None, "said": each.said} for each in found]
        say_json({"run": str(folder.path), "damages": damages, "mended": done})
    else:
        for line in (*map(str, found), *done):
            print(clean(line))
        way = "" if repair else f"; take it out with: datafactory fsck {clean(run)} --repair"
        print(f"{folder.name}: {len(found):,} damages{way}" if found else f"{folder.name}: nothing is damaged")
    return exits.FAILED if found and not repair else exits.DONE
