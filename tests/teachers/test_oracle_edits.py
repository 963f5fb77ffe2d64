"""A fix, taken apart into edits: exact for what people write, and for what files hold besides."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from datafactory.agent.editor import Editor
from datafactory.formats.unified_diff import DiffError, patched
from datafactory.teachers.oracle.edits import Edit, edits_of
from datafactory.teachers.oracle.mending import suspicion
from datafactory.teachers.oracle.shell_edits import fragments, shell_edit
from generators.swe.mutations import combine_file, diff, find_sites, make_bug, pick, read
from sandboxes.no_execution import refusal

LIBRARY = Path(ast.__file__).parent
NEAR = "def f():\n    return 1\n\n\ndef g():\n    return 1\n"


@cache
def bugs() -> tuple[tuple[str, bytes, bytes], ...]:
    """Path, broken and sound content of 40 bugs in files that people wrote, some of several places."""
    made = []
    for name in ("bisect.py", "reprlib.py", "heapq.py", "textwrap.py", "shlex.py"):
        source = read(f"lib/{name}", (LIBRARY / name).read_bytes())
        sites = find_sites(source)
        rng = random.Random(name)
        found = [make_bug({source.path: source}, [site]) for site in pick(sites, rng, 6)]
        found += [combine_file(source, sites, rng, count=3) for _ in range(2)]
        for bug in found:
            broken = patched({source.path: source.data.decode()}, bug.patch)[source.path].encode()
            made.append((source.path, broken, source.data))
    return tuple(made)


VARIANTS = {
    "as_it_is": lambda data: data,
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "no_last_newline": lambda data: data.rstrip(b"\n"),
}


def cut(path: str, broken: bytes, sound: bytes) -> list[Edit]:
    """The edits of the diff that mends a file."""
    return edits_of({path: broken}, diff(path, broken, sound).decode())


def data(text: str | None) -> bytes | None:
    return None if text is None else text.encode(errors="surrogateescape")


def by_shell(folder: Path, line: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=20, env=env)
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_there_are_forty_bugs() -> None:
    assert len(bugs()) == 40


@pytest.mark.parametrize("variant", VARIANTS)
async def test_the_editor_makes_exactly_what_the_fix_makes(variant: str, box: Any) -> None:
    replaced = 0
    for number, (path, broken, sound) in enumerate(bugs()):
        broken, sound = VARIANTS[variant](broken), VARIANTS[variant](sound)
        place = f"{box.root}/{number}.py"
        await box.write(place, broken)
        editor = Editor(box, str(box.root))
        for edit in cut(path, broken, sound):
            assert edit.old, "the editor could make this one"
            answer = await editor.run(
                {"command": "str_replace", "path": place, "old_str": edit.old, "new_str": edit.new}
            )
            assert not answer.startswith("ERROR"), answer
            assert "\r" not in edit.old, "a view shows no carriage returns"
            replaced += 1
        assert await box.read(place) == sound
    assert replaced >= 45


async def test_lines_are_put_in_exactly(box: Any) -> None:
    inserted = 0
    for number, (path, broken, sound) in enumerate(bugs()):
        place = f"{box.root}/{number}.py"
        for edit in cut(path, broken, sound):
            if edit.inserts:
                await box.write(place, data(edit.before))
                call = {"command": "insert", "path": place, "insert_line": edit.first - 1}
                await Editor(box, str(box.root)).run({**call, "new_str": "".join(edit.added).removesuffix("\n")})
                assert await box.read(place) == data(edit.after)
                inserted += 1
    assert inserted >= 3


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("executes", [True, False])
def test_a_shell_makes_exactly_what_the_fix_makes(variant: str, executes: bool, tmp_path: Path) -> None:
    kinds = set()
    rng = random.Random(3)
    for path, broken, sound in bugs()[::5]:
        (tmp_path / "lib").mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(VARIANTS[variant](broken))
        for edit in cut(path, VARIANTS[variant](broken), VARIANTS[variant](sound)):
            line = shell_edit(edit, rng, executes=executes)
            assert executes or refusal(line) is None
            kinds.add(line.split()[0])
            by_shell(tmp_path, line)
        assert (tmp_path / path).read_bytes() == VARIANTS[variant](sound)
    assert kinds >= ({"sed", "python"} if executes and variant != "crlf" else {"sed", "{"})


@pytest.mark.parametrize(
    ("broken", "sound"),
    [
        (b"# caf\xe9\n1\n2\n3\n4\nx = 5\n", b"# caf\xe9\n1\n2\n3\n4\nx = 6\n"),
        (b"a\r\nb\nc\r\nd\n", b"a\r\nB\nc\r\nd\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\n", b"a\n\n\n"),
        (b"x\n", b"a\tb\nc\\n\n'quoted' \"twice\" `and` $HOME\nx\n"),
        (b"x\ny\n", b"y\n"),
        (b"\xef\xbb\xbfx = 1\n", b"\xef\xbb\xbfx = 2\n"),
    ],
)
def test_odd_files_are_mended_exactly(broken: bytes, sound: bytes, tmp_path: Path) -> None:
    for executes in (True, False):
        (tmp_path / "odd file.txt").write_bytes(broken)
        edits = cut("odd file.txt", broken, sound)
        for edit in edits:
            line = shell_edit(edit, random.Random(1), executes=executes)
            assert executes or refusal(line) is None
            by_shell(tmp_path, line)
        assert (tmp_path / "odd file.txt").read_bytes() == sound
        assert data(edits[-1].after) == sound


def test_files_come_and_go(tmp_path: Path) -> None:
    fix = (
        "diff --git a/new/made.py b/new/made.py\nnew file mode 100644\n--- /dev/null\n+++ b/new/made.py\n"
        "@@ -0,0 +1,2 @@\n+x = '%s'\n+y = 2\n"
        "diff --git a/old.py b/old.py\ndeleted file mode 100644\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    (tmp_path / "old.py").write_text("x\n")
    edits = edits_of({"old.py": b"x\n"}, fix)
    assert [(edit.path, edit.before, edit.after) for edit in edits] == [
        ("new/made.py", None, "x = '%s'\ny = 2\n"),
        ("old.py", "x\n", None),
    ]
    for edit in edits:
        by_shell(tmp_path, shell_edit(edit, random.Random(1), executes=False))
    assert (tmp_path / "new/made.py").read_text() == "x = '%s'\ny = 2\n"
    assert not (tmp_path / "old.py").exists()


def test_an_edit_takes_as_much_around_it_as_makes_it_the_only_one() -> None:
    (edit,) = cut("f.py", NEAR.encode(), NEAR.replace("def g():\n    return 1", "def g():\n    return 2").encode())
    assert edit.old == "def g():\n    return 1"
    assert (edit.first, edit.last, edit.removed) == (6, 6, ("    return 1\n",))


@pytest.mark.parametrize(
    "fix",
    [
        "diff --git a/f.py b/f.py\nold mode 100644\nnew mode 100755\n",
        "diff --git a/f.py b/g.py\nsimilarity index 100%\nrename from f.py\nrename to g.py\n",
        "--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-another\n+line\n",
        "--- a/unknown.py\n+++ b/unknown.py\n@@ -1 +1 @@\n-a\n+b\n",
        "",
    ],
)
def test_what_is_more_than_edits_is_said_to_be(fix: str) -> None:
    with pytest.raises(DiffError):
        edits_of({"f.py": NEAR.encode()}, fix)


@pytest.mark.parametrize(
    ("broken", "sound", "kind"),
    [
        ("if a != b:\n", "if a == b:\n", "compare"),
        ("if a or b:\n", "if a and b:\n", "boolean"),
        ("if a:\n", "if not a:\n", "negation"),
        ("x = a - b\n", "x = a + b\n", "arithmetic"),
        ("x = a[1:]\n", "x = a[2:]\n", "number"),
        ("f(low, high)\n", "f(high, low)\n", "turned"),
        ("return first\n", "return last\n", "name"),
        ("continue\n", "break\n", "whole"),
        ("f('x')\n", "f('y')\n", "name"),
        ("        f()\n", "    f()\n", "indent"),
        ("g()\n", "f()\ng()\n", "missing"),
        ("f()\ng()\n", "g()\n", "extra"),
        ("f()\nx = 1\n", "x = 1\nf()\n", "order"),
        ("f(a)\n", "f(a, b)\n", "lacking"),
    ],
)
def test_what_is_wrong_has_a_kind(broken: str, sound: str, kind: str) -> None:
    (edit,) = cut("f.py", f"# one\n{broken}# two\n".encode(), f"# one\n{sound}# two\n".encode())
    assert suspicion(edit)[0] == kind


def test_differences_are_whole_words() -> None:
    assert fragments("if counter == limit:", "if count == limit:") == ("counter", "count")
    assert fragments("x += 1", "x -= 1") == ("+=", "-=")
