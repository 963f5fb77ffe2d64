"""The benchmark of mined fixes: how many commits of a history are fixes that hold, and what each takes.

    python benchmarks/swe_commits.py --repo ../clones/name --commits 500 --out mined.json
    python benchmarks/swe_commits.py --releases tenacity 9.0.0 9.1.2 9.1.4 9.2.1 --most-lines 600

With `--releases`, the history is made of a package's sdists, one commit a release: coarser than people's commits, and
to be had wherever there is a package index.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datafactory.checks import prove
from datafactory.protocols import Slot
from datafactory.types import Draft
from generators.swe.repositories import cache
from generators.swe.sources import Repository, fetch
from generators.swe.swe_commits import SWECommits
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox

WHO = {f"GIT_{role}_{key}": "releases" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def released(name: str, versions: Sequence[str], folder: Path) -> Path:
    """A git repository of a package's releases, in the order given."""
    folder = folder / name
    folder.mkdir()
    for day, version in enumerate(["", *versions]):
        at = f"{1577836800 + 86400 * day} +0000"  # days from 1 January 2020 on
        environment = {**os.environ, **WHO, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}

        def git(*arguments: str, environment: dict[str, str] = environment) -> None:
            subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)

        if not version:
            git("init", "-q", "-b", "main")
            continue
        git("rm", "-r", "-q", "--ignore-unmatch", ".")
        for path, file in fetch(Repository(at=f"{name}=={version}"), cache() / "sources").files.items():
            if path == "PKG-INFO" or ".egg-info/" in path or file.link is not None:
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(file.data)
        git("add", "-A", "-f")
        git("commit", "-q", "-m", f"Release {version}")
    return folder


async def mined(spec: SWECommits, sandbox: DockerSandbox | NamespaceSandbox, proofs: int) -> dict[str, Any]:
    """What comes of every candidate, one after the other."""
    reasons: Counter[str] = Counter()
    lines: list[dict[str, Any]] = []
    drafts: list[Draft] = []
    async with sandbox.start() as host, spec.open(host) as maker:
        for index in range(spec.count):
            began = time.monotonic()
            made = await maker.make(Slot(index, 0, seed=index), None)
            took = round(time.monotonic() - began, 1)
            if isinstance(made, Draft):
                drafts.append(made)
                facts = made.source.facts
                failing, passing = len(facts["fail_to_pass"]), len(facts["pass_to_pass"])
                line = {"id": facts["instance_id"], "f2p": failing, "p2p": passing, "image": made.image}
                lines.append({**line, "carries": len(made.files), "seconds": took})
            elif made.final:
                lines.append({"end": made.detail})
                break
            else:
                reasons[made.reason] += 1
                lines.append({"reject": made.reason, "detail": made.detail[:300], "seconds": took})
            print(json.dumps(lines[-1]), flush=True)
        proved = [await prove(host, draft, repeats=1) for draft in drafts[:proofs]]
    return {
        "tasks": len(drafts),
        "rejects": reasons,
        "set_ups": len({draft.image for draft in drafts}),
        "proved": f"{proved.count(None)} of {len(proved)}",
        "unsound": [f"{each.reason}: {each.detail}" for each in proved if each is not None],
        "lines": lines,
    }


def main() -> None:
    """Mine one history and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", help="an address, or a path to a git repository")
    parser.add_argument("--releases", nargs="+", metavar="NAME VERSION", help="a package, and releases of it")
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--most-files", type=int, default=5)
    parser.add_argument("--most-lines", type=int, default=200)
    parser.add_argument("--proofs", type=int, default=5, help="tasks that the soundness gate is run on")
    parser.add_argument("--sandbox", choices=("docker", "namespace"), default="docker")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        at = given.repo or str(released(given.releases[0], given.releases[1:], Path(top)))
        spec = SWECommits(
            count=given.count,
            repos=(Repository(at=at),),
            commits=given.commits,
            most_files=given.most_files,
            most_lines=given.most_lines,
        )
        sandbox = DockerSandbox(pool=1) if given.sandbox == "docker" else NamespaceSandbox()
        found = asyncio.run(mined(spec, sandbox, given.proofs))
    print(json.dumps({key: value for key, value in found.items() if key != "lines"}))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
