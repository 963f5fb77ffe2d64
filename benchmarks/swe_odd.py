"""What becomes of odd repositories: real sdists, and small ones made on the spot, set up and broken in real boxes.

``python benchmarks/swe_odd.py [--sandbox namespace] [NAME…]``; NAME: a sdist such as ``markupsafe==3.0.2``, or one of
those made here. Prints a line of a table for each: the step, what is said, and what a first few bugs came to.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from datafactory.protocols import SandboxHost, Slot
from datafactory.types import Draft
from generators.swe.swe_mutations import SWEMutations
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox

SANDBOXES = {"namespace": NamespaceSandbox, "docker": DockerSandbox}
SDISTS = (
    "sortedcontainers==2.4.0",
    "markupsafe==3.0.2",
    "pyyaml==6.0.2",
    "orjson==3.10.0",
    "dnspython==2.6.1",
)
CORE = "def double(x):\n    return 2 * x\n\n\ndef more(x):\n    return x + 1 if x > 3 else x\n"
TEST = "from tiny.core import double, more\n\n\ndef test_double():\n    assert double(2) == 4\n\n\n"
TEST += "def test_more():\n    assert (more(3), more(4)) == (3, 5)\n"
TINY = {"tiny/__init__.py": "", "tiny/core.py": CORE, "tests/test_core.py": TEST}
BACKEND = '[build-system]\nrequires = ["no-such-backend"]\nbuild-backend = "no_such_backend"\n'
MADE: dict[str, dict[str, str]] = {
    "no set-up file": TINY,
    "a test fails": {**TINY, "tests/test_b.py": "def test_b():\n    assert 1 == 2\n"},
    "all tests fail": {"tiny/core.py": CORE, "tests/test_b.py": "def test_b():\n    assert 1 == 2\n"},
    "a test file is no Python": {**TINY, "tests/test_b.py": "def test_b(:\n"},
    "a module is no Python": {**TINY, "tiny/old.py": "print 'x'\n"},
    "the tested module is no Python": {**TINY, "tiny/core.py": "print 'x'\n"},
    "a test asks the network": {
        **TINY,
        "tests/test_b.py": "import urllib.request\n\n\ndef test_b():\n    urllib.request.urlopen('http://example.org')\n",
    },
    "no build backend": {**TINY, "pyproject.toml": BACKEND},
    "a build that fails": {**TINY, "setup.py": "raise RuntimeError('not today')\n"},
    "a test hangs": {**TINY, "tests/test_b.py": "import time\n\n\ndef test_b():\n    time.sleep(1000)\n"},
    "a test ends its process": {**TINY, "tests/test_b.py": "import os\n\n\ndef test_b():\n    os._exit(3)\n"},
    "a test ends what runs it": {
        **TINY,
        "tests/test_b.py": "import os\n\n\ndef test_b():\n    os.kill(os.getppid(), 9)\n",
    },
    "a test ends everything": {**TINY, "tests/test_b.py": "import os\n\n\ndef test_b():\n    os.kill(-1, 9)\n"},
    "a test file ends what runs it": {**TINY, "tests/test_b.py": "import os\nos.kill(os.getppid(), 9)\n"},
}


async def outcome(host: SandboxHost, at: str, bugs: int) -> str:
    """What a repository comes to."""
    began = time.monotonic()
    spec = SWEMutations(count=bugs, repos=[at], boxes=1, combined=0)
    found: Counter[str] = Counter()
    async with spec.open(host) as maker:
        for index in range(bugs):
            made = await maker.make(Slot(index, 0, seed=index), None)
            if isinstance(made, Draft):
                found["a task"] += 1
                continue
            if made.reason.startswith("unfit"):
                said = made.detail.partition(": ")[2].splitlines()[0]
                return f"`{made.reason}` | {said[:160]} | {time.monotonic() - began:.0f} s"
            found[f"`{made.reason}`"] += 1
        environment = maker._places[0][0].environment  # type: ignore[attr-defined]
    facts = [f"{len(environment.tests)} tests"]
    if environment.failing:
        first = next(iter(environment.failing.values()))
        facts.append(f"{len(environment.failing)} always fail: {first[:100]}")
    facts += [f"{len(environment.flaky)} flaky"] * bool(environment.flaky)
    came = ", ".join(f"{count} × {what}" for what, count in found.most_common())
    return f"set up | {'; '.join(facts)}; bugs: {came} | {time.monotonic() - began:.0f} s"


async def main(sandbox: str, names: list[str], bugs: int) -> None:
    """One after the other."""
    folder = Path(tempfile.mkdtemp())
    async with SANDBOXES[sandbox]().start() as host:
        for name in names or [*SDISTS, *MADE]:
            at = name
            if name in MADE:
                top = folder / "tiny"
                shutil.rmtree(top, ignore_errors=True)
                for path, text in MADE[name].items():
                    (top / path).parent.mkdir(parents=True, exist_ok=True)
                    (top / path).write_text(text)
                at = str(top)
            print(f"| {name} | {await outcome(host, at, bugs)} |", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sandbox", default="namespace")
    parser.add_argument("--bugs", type=int, default=8)
    given = parser.parse_args()
    asyncio.run(main(given.sandbox, given.names, given.bugs))
