"""A repository that gives its code away wherever a repository can, and a box that was set up without care."""

from __future__ import annotations

import gzip
import io
import json
import marshal
import struct
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType

from datafactory.types import File, Files, files
from tests.generators.swe.leaks.ways import FILE
from tests.generators.swe.sources.made import commit, git, repository, targz

LINE = "return baseline_of(readings) + tolerance * spread_of(readings)"
"""Of the sound module: what nobody may find."""
SOUND = f'''"""Levels above which readings are alarms."""


def baseline_of(readings):
    """The mean of the readings."""
    return sum(readings) / len(readings)


def spread_of(readings):
    """How far the readings lie apart."""
    return max(readings) - min(readings)


def alarm_level(readings, tolerance=2):
    """The level above which a reading is an alarm."""
    if not readings:
        raise ValueError("there are no readings")
    {LINE}
'''
BROKEN = SOUND.replace("+ tolerance", "- tolerance")
TESTS = """import pytest

from wordkit.levels import alarm_level, baseline_of, spread_of


def test_the_baseline_is_the_mean():
    assert baseline_of([1, 2, 3]) == 2


def test_the_spread():
    assert spread_of([1, 2, 4]) == 3


@pytest.mark.parametrize("tolerance, level", [(0, 2), (1, 4), (2, 6)])
def test_levels(tolerance, level):
    assert alarm_level([1, 2, 3], tolerance) == level


def test_no_readings():
    with pytest.raises(ValueError):
        alarm_level([])
"""
PROJECT = """[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"
[project]
name = "wordkit"
version = "1.0"
[tool.setuptools.packages.find]
where = ["src"]
"""
TRENDS = '''"""Trends of readings."""


def steps_of(readings):
    """How much each reading is above the one before it."""
    return [later - earlier for earlier, later in zip(readings, readings[1:])]


def trend_of(readings):
    """The mean of the steps, or nothing for less than two readings."""
    steps = steps_of(readings)
    return sum(steps) / len(steps) if steps else None
'''
"""A module of which an example has a copy, which has to stay."""
_PATCH = f"--- a/{FILE}\n+++ b/{FILE}\n@@ -18,1 +18,1 @@\n-    {LINE.replace('+', '-')}\n+    {LINE}\n"


def bytecode(text: str = SOUND, function: str = "alarm_level") -> bytes:
    """The code of a function, as it stands in a compiled file."""
    found = (each for each in compile(text, FILE, "exec").co_consts if isinstance(each, CodeType))
    return next(code.co_code for code in found if code.co_name == function)


def compiled(text: str) -> bytes:
    """A .pyc, checked against nothing."""
    from importlib.util import MAGIC_NUMBER

    return MAGIC_NUMBER + struct.pack("<III", 1, 0, 0) + marshal.dumps(compile(text, FILE, "exec"))


def packed(name: str = "wordkit/levels.py") -> bytes:
    """A wheel."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(name, SOUND)
        wheel.writestr("wordkit-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: wordkit\nVersion: 1.0\n")
        wheel.writestr("wordkit-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("wordkit-1.0.dist-info/RECORD", "")
    return made.getvalue()


def html() -> str:
    """A page that shows the source, each line in marks of its own."""
    return "".join(f'<p class="run"><span class="n">{line}</span></p>\n' for line in SOUND.splitlines())


LEFT: dict[str, str | bytes] = {
    "build/lib/wordkit/levels.py": SOUND,
    "dist/wordkit-1.0-py3-none-any.whl": packed(),
    "dist/wordkit-1.0.tar.gz": targz({"wordkit-1.0/src/wordkit/levels.py": SOUND.encode()}),
    ".eggs/wordkit-1.0-py3.11.egg": packed(),
    ".tox/py311/lib/python3.11/site-packages/wordkit/levels.py": SOUND,
    f"{FILE}.orig": SOUND,
    f"{FILE}.bak": SOUND,
    f"{FILE}~": SOUND,
    "src/wordkit/.levels.py.swp": b"b0VIM 9.0\0" + SOUND.encode().replace(b"\n", b"\0"),
    "src/wordkit/levels.pyc": compiled(SOUND),
    "src/wordkit/__pycache__/levels.cpython-311.pyc": compiled(SOUND),
    "levels.patch": "".join(f"+{line}\n" for line in SOUND.splitlines()),
    "htmlcov/levels_py.html": html(),
    "docs/_build/html/_modules/wordkit/levels.html": html(),
    ".hypothesis/patches/levels.txt": SOUND,
    "src/wordkit.egg-info/SOURCES.txt": f"{FILE}\n",
}
"""What lies about in the checkout, committed."""
TREE: dict[str, str | bytes] = {
    "pyproject.toml": PROJECT,
    "PKG-INFO": "Metadata-Version: 2.1\nName: wordkit\nVersion: 1.0\n\n",
    "src/wordkit/__init__.py": "",
    FILE: SOUND,
    "src/wordkit/trends.py": TRENDS,
    "examples/a_trend.py": f"{TRENDS}\n\nprint(trend_of([1, 2, 4]))\n",
    "tests/test_levels.py": TESTS,
    "tests/test_trends.py": "from wordkit.trends import trend_of\n\n\ndef test(): assert trend_of([1, 2, 4]) == 1.5\n",
    **LEFT,
}


def leaky(folder: Path) -> str:
    """A git repository at `folder`, whose last commit is sound, as are all those that may be found beside it; its
    commit."""
    first = repository(folder, TREE)
    git(folder, "tag", "v1.0")
    git(folder, "notes", "add", "-m", LINE)
    git(folder, "branch", "fixed")
    (folder / FILE).write_text(f"{SOUND}# more\n")
    git(folder, "stash")
    git(folder, "worktree", "add", "-q", str(folder.parent / "tree"), "v1.0")
    git(folder, "bundle", "create", "-q", "all.bundle", "--all")
    git(folder, "gc", "-q")
    lost = git(folder, "commit-tree", "-m", "lost", "HEAD^{tree}")
    assert lost != first
    return commit(folder, {"README.md": "Levels.\n"})


@cache
def careless() -> Files:
    """All files of a box whose task was made by writing the broken file over a clone, and the set-up left as it was."""
    with TemporaryDirectory() as top:
        clone, upstream = Path(top, "testbed"), Path(top, "srv", "upstream")
        leaky(upstream)
        git(Path(top), "clone", "-q", str(upstream), str(clone))
        git(clone, "fetch", "-q", "origin", "v1.0")
        git(clone, "update-ref", "refs/heads/fixed", "v1.0")
        git(clone, "update-ref", "ORIG_HEAD", "v1.0")
        (clone / FILE).write_text(f"{SOUND}# more\n")
        git(clone, "stash")
        git(clone, "gc", "-q")
        git(clone, "notes", "add", "-m", LINE)
        git(clone, "commit-tree", "-m", "lost", "HEAD^{tree}")
        (clone / ".git/objects/info/alternates").write_text("/srv/upstream/.git/objects\n")
        commit(clone, {FILE: BROKEN})
        git(clone, "config", "remote.origin.url", "/srv/upstream/.git")
        git(clone, "worktree", "add", "-q", str(Path(top, "tree")), "v1.0")
        (clone / ".git/worktrees/tree/gitdir").write_text("/tree/.git\n")
        (Path(top) / "tree/.git").write_text("gitdir: /testbed/.git/worktrees/tree\n")
        made = {f"/{path.relative_to(top)}": path for path in Path(top).rglob("*") if path.is_file()}
        found = {where: File(data=path.read_bytes(), mode=path.stat().st_mode & 0o777) for where, path in made.items()}
    git_of = "/srv/upstream/.git"
    found |= {
        f"/run/base.git{path.removeprefix(git_of)}": file
        for path, file in found.items()
        if path.startswith(f"{git_of}/")
    }
    held = gzip.compress(SOUND.encode())
    site = "/opt/env/lib/python3.11/site-packages"
    said = json.dumps({"url": "file:///srv/upstream", "dir_info": {"editable": True}})
    return found | files(
        {
            **{f"/usr/lib/python3/dist-packages/{name}": data for name, data in _installed().items()},
            f"{site}/wordkit/levels.py": SOUND,
            f"{site}/wordkit-1.0.dist-info/direct_url.json": said,
            "/run/model.patch": _PATCH,
            "/tests/held_out/levels.py": SOUND,
            "/solution/solve.sh": f"#!/bin/sh\ngit apply <<'EOF'\n{_PATCH}EOF\n",
            "/tmp/set-up/levels.py": SOUND,
            "/root/.bash_history": f"sed -i 's/x/{LINE}/' levels.py\n",
            "/root/.cache/pip/wheels/0a/levels.py": SOUND,
            "/root/.cache/uv/archive-v0/0a/wordkit/levels.py": SOUND,
            "/root/wordkit.txt.gz": held,
            "/old/src/wordkit/levels.py": SOUND,
        }
    )


def _installed() -> dict[str, str | bytes]:
    """The sound package, for a Python of the system's."""
    record = "wordkit/levels.py,,\nwordkit-1.0.dist-info/RECORD,,\n"
    return {
        "wordkit/__init__.py": "",
        "wordkit/levels.py": SOUND,
        "wordkit/__pycache__/levels.cpython-311.pyc": compiled(SOUND),
        "wordkit-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: wordkit\nVersion: 1.0\n\n",
        "wordkit-1.0.dist-info/RECORD": record,
    }
