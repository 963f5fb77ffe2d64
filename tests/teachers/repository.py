"""A small repository with a bug, as an SWE task, and a box for it in which pytest runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from importlib.metadata import files as installed
from pathlib import Path
from typing import Any

from datafactory.agent import Attempted, Limits, attempt, dialect
from datafactory.protocols import Episode, Guarded
from datafactory.swe_facts import PATCH, SweFacts
from datafactory.teachers.oracle import OracleTeacher
from datafactory.types import Check, Draft, File, Files, Source, Step, Task
from generators.swe.checkout_lines import COLLECT, PREPARE
from generators.swe.mutations import diff
from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionSandbox

PRICES = '''"""Prices."""

RATES = {"book": 7, "lamp": 19}


def _rounded(cents):
    """The nearest whole number; halves go up."""
    whole, rest = divmod(cents, 1)
    if rest >= 0.5:
        whole += 1
    return int(whole)


def with_tax(kind, cents):
    """A price with the tax of its kind."""
    rate = RATES[kind]
    return _rounded(cents * (100 + rate) / 100)
'''
CART = '''"""A cart."""

from shop.prices import with_tax


class Cart:
    """Things, and what they cost."""

    def __init__(self):
        self.things = []

    def add(self, kind, cents):
        """Put a thing in."""
        self.things.append((kind, cents))

    def total(self):
        """What all of it costs."""
        return sum(with_tax(kind, cents) for kind, cents in self.things)
'''
TESTS = """from shop.cart import Cart
from shop.prices import with_tax


def test_tax_is_rounded():
    assert with_tax("book", 50) == 54


def test_a_cart_has_a_total():
    cart = Cart()
    cart.add("book", 50)
    cart.add("lamp", 100)
    assert cart.total() == 173


def test_an_empty_cart_costs_nothing():
    assert Cart().total() == 0
"""
SOUND = {"shop/__init__.py": "", "shop/prices.py": PRICES, "shop/cart.py": CART, "tests/test_cart.py": TESTS}
BROKEN = {"shop/prices.py": PRICES.replace("rest >= 0.5", "rest > 0.5").replace("whole += 1", "whole -= 1")}
ISSUE = """Wrong total of a `Cart`

I found this while using shop.

```python
from shop.cart import Cart

cart = Cart()
cart.add("book", 50)
print(cart.total())
```

It prints `53`. I expected `54`.
"""

_LEXERS = ("__init__.py", "_mapping.py", "python.py", "diff.py", "special.py")
"""Of pygments: what pytest colours with; the other 500 would fill the box."""


def swe_task(
    broken: Mapping[str, bytes | None],
    sound: Mapping[str, bytes | None],
    *,
    issue: str = ISSUE,
    tests: tuple[str, ...] = (),
) -> Task:
    """A task whose fix turns `broken` into `sound` (path in the repository: content; None: no such file)."""
    fix = "".join(_diff(path, broken[path], sound[path]) for path in sorted(broken))
    facts = SweFacts(
        instance_id="shop.1.x__1",
        repo="shop",
        fix=fix,
        problem_statement=issue,
        fail_to_pass=tests,
        pass_to_pass=("p",),
    )
    draft = Draft(
        prompt=issue,
        workdir="/testbed",
        files={f"/testbed/{path}": File(data=data) for path, data in broken.items() if data is not None},
        prepare=PREPARE,
        collect=COLLECT,
        artifacts=(PATCH,),
        checks=(Check(name="there", argv=("true",)),),
        solution=(Step(command=f"git apply <<'END'\n{fix}END"),),
        source=Source(generator="tests", facts=facts.model_dump(mode="json")),
    )
    return Task(**{name: getattr(draft, name) for name in Draft.model_fields}, id="t-0", digest=draft.content_digest())


def cart_task() -> Task:
    """The cart that rounds the wrong way."""
    broken: dict[str, bytes | None] = {path: text.encode() for path, text in BROKEN.items()}
    failing = ("tests/test_cart.py::test_tax_is_rounded", "tests/test_cart.py::test_a_cart_has_a_total")
    return swe_task(broken, {path: SOUND[path].encode() for path in broken}, tests=failing)


def _diff(path: str, broken: bytes | None, sound: bytes | None) -> str:
    made = diff(path, broken or b"", sound or b"").decode()
    if broken is None:
        return made.replace(f"--- a/{path}", "new file mode 100644\n--- /dev/null")
    return made if sound is not None else made.replace(f"+++ b/{path}", "+++ /dev/null")


@cache
def _pytest() -> Files:
    """pytest and what it needs, as this environment has it, for the box's own Python."""
    found = {"/usr/local/bin/python": File(data=b'#!/bin/sh\nPYTHONPATH=/opt/site exec python3 "$@"\n', mode=0o755)}
    for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
        for each in installed(name) or ():
            inside = each.suffix == ".py" and not each.parts[0].startswith("..")
            if inside and ("lexers" not in each.parts or each.name in _LEXERS):
                found[f"/opt/site/{each}"] = File(data=Path(str(each.locate())).read_bytes())
    return found


@asynccontextmanager
async def repository_box(task: Task, *, executes: bool) -> AsyncIterator[Any]:
    """A box with the task's repository."""
    inside = NamespaceSandbox(memory="512m", disk="256m", pids=96, limiting="auto")
    sandbox = inside if executes else NoExecutionSandbox(inside=inside)
    files = {f"/testbed/{path}": File(data=text.encode()) for path, text in SOUND.items()}
    files |= {**(_pytest() if executes else {}), **task.files}
    async with sandbox.start() as host, host.open("", files, workdir="/testbed", prepare=task.prepare) as box:
        yield box


async def renewed(task: Task, box: Any) -> None:
    """The box of an execution-free attempt, with the files as `task` has them at first; its commit stays."""
    await box.inside.exec("rm -rf /testbed/*")
    await box.inside.push({f"/testbed/{path}": File(data=text.encode()) for path, text in SOUND.items()} | task.files)


async def worked(task: Task, box: Any, agent: str, *, seed: int = 1, slip: float = 0.0) -> Attempted:
    """An attempt of the oracle's."""
    episode = Episode(id="t-0/0", seed=seed, task=task, agent=agent)
    async with OracleTeacher(slip=slip).open() as chat:
        acting = replace(episode, executes=not isinstance(box, Guarded))
        return await attempt(dialect(agent)(task, box), chat, limits=Limits(turns=60), episode=acting)
