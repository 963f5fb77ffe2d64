"""Lines that make a repository of one commit out of the files in a box, and the patch of what was changed since."""

from __future__ import annotations

from datafactory.errors import SandboxError
from datafactory.protocols import Box
from datafactory.swe_facts import PATCH
from generators.swe.places import TESTBED

_BASE = "/run/base.git"
"""A second repository of the same commit: what an agent does to its own cannot spoil the patch."""
_OURS = f"git --git-dir={_BASE} --work-tree={TESTBED} -c core.hooksPath=/dev/null -c core.fsmonitor=false"
_IGNORED = ("__pycache__/", "*.py[co]", ".pytest_cache/", ".coverage", ".hypothesis/", "*.egg-info/", "/build/")
_ONCE = "2020-01-01T00:00:00Z"
_WHO = "user.name=datafactory -c user.email=datafactory@localhost"

PREPARE = (
    f"cd {TESTBED} && rm -rf .git && git init -q --template= -b main . && mkdir -p .git/info"
    f" && printf '%s\\n' {' '.join(repr(name) for name in _IGNORED)} > .git/info/exclude"
    " && git config core.autocrlf false && git config gc.auto 0 && git add -A -f"
    f" && GIT_AUTHOR_DATE={_ONCE} GIT_COMMITTER_DATE={_ONCE} git -c {_WHO} commit -q --allow-empty -m base"
    f" && rm -rf {_BASE} && cp -a .git {_BASE}",
)
"""Every file is committed, those that the repository ignores too: what was there before is no change of an agent's."""

COLLECT = (
    f"cd {TESTBED} && {_OURS} add -A . && {_OURS} diff --cached --binary --no-ext-diff --no-textconv --no-color"
    f" --no-renames HEAD > {PATCH}",
)
"""Leaves what differs from the commit in `PATCH`, new and deleted files too, but for what git was told to ignore."""


async def marks(box: Box) -> str:
    """What differs from the commit in a box that `PREPARE` made ready, a line a file; empty: nothing does."""
    result = await box.exec(f"{_OURS} status --porcelain --untracked-files=all", timeout=60)
    if result.exit_code:
        raise SandboxError(f"git looks at {TESTBED}: {result.output[-500:]}")
    return result.output
