"""Bugs out of files that somebody wrote: their patches fit, and their lines are those whose tests may notice."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from datafactory.formats.unified_diff import patched
from generators.swe.between import bug_between
from generators.swe.mutations import Bug, NoBug

SOUND = b'''import os


def find(name):
    """Find it."""
    if name:
        return 1
    found = 2
    return found


class Shelf:
    def rows(self):
        return [
            1,
            2,
        ]

    @property
    def name(self):
        return 3
'''


def bug(old: bytes, new: bytes, sound: bytes = SOUND) -> Bug:
    assert sound.count(old) == 1
    return bug_between("lm_modify", {"shelf.py": sound}, {"shelf.py": sound.replace(old, new)})


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"found = 2", b"found = 3", ("find", 8, 8)),
        (b"    found = 2\n", b"", ("find", 8, 8)),
        (b"    found = 2\n", b"    found = 2\n    found += 1\n", ("find", 9, 9)),
        (b"    found = 2\n", b"    if name is None:\n        found = 2\n", ("find", 8, 8)),
        (b"        return 1\n", b"        return 1\n    else:\n        os.sync()\n", ("find", 8, 8)),
        (b"        return 1\n    found = 2\n", b"        name = 1\n    found = 2\n", ("find", 7, 7)),
        (b"        return 1\n", b"        name = 1\n    print(name)\n", ("find", 5, 7)),
        (b"            1,\n", b"            3,\n", ("Shelf.rows", 14, 15)),
        (b"import os", b"import os, sys", ("", 1, 1)),
        (b"def find(name):", b"def find(name=1):", ("find", 4, 4)),
        (b"    return found\n", b"    return found\n\n\nclass Box:\n    pass\n", ("", 4, 11)),
        (b"        return 3\n", b"        return 3\n\n    def more(self):\n        return 4\n", ("Shelf", 20, 21)),
        (b'"""Find it."""\n', b'"""Find it."""\n    name = name or 1\n', ("find", 6, 6)),
    ],
)  # fmt: skip
def test_a_change_has_the_lines_whose_tests_may_notice(old: bytes, new: bytes, place: tuple[str, int, int]) -> None:
    (change,) = bug(old, new).changes
    assert (change.qualname, change.first_line, change.last_line) == place


def test_each_stretch_of_lines_is_a_change_that_says_what_was_and_what_is() -> None:
    made = bug_between(
        "lm_rewrite",
        {"shelf.py": SOUND, "b.py": b"x = 1\n"},
        {"shelf.py": SOUND.replace(b"found = 2", b"found = 3").replace(b"return 3", b"return 4"), "b.py": b"x = 2\n"},
    )
    assert [(change.path, change.qualname, change.change) for change in made.changes] == [
        ("b.py", "", "x = 1 → x = 2"),
        ("shelf.py", "find", "found = 2 → found = 3"),
        ("shelf.py", "Shelf.name", "return 3 → return 4"),
    ]
    assert made.kind == "lm_rewrite" and made.paths == ("b.py", "shelf.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a.py": SOUND}, {"a.py": SOUND.replace(b"2", b"4")}),
        ({"a.py": SOUND.replace(b"\n", b"\r\n")}, {"a.py": SOUND.replace(b"2", b"4").replace(b"\n", b"\r\n")}),
        ({"a.py": SOUND[:-1]}, {"a.py": SOUND.replace(b"3", b"4")}),
        ({"a b.py": SOUND, "new.py": None}, {"a b.py": None, "new.py": b"x = 1\n"}),
        ({"empty.txt": None, "gone.txt": b""}, {"empty.txt": b"", "gone.txt": None}),
        ({"data.csv": b"a,b\n1,2\n"}, {"data.csv": b"a,b\n2,1\n"}),
        ({"two.py": b"print 1\n"}, {"two.py": b"print 2\n"}),
    ],
)
def test_git_makes_and_mends_the_bug_byte_for_byte(
    tmp_path: Path, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]
) -> None:
    made = bug_between("commit", before, after)

    def there() -> dict[str, bytes | None]:
        return {path: (tmp_path / path).read_bytes() if (tmp_path / path).exists() else None for path in before}

    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for path, data in before.items():
        if data is not None:
            (tmp_path / path).write_bytes(data)
    for patch, wanted in ((made.patch, after), (made.fix, before)):
        subprocess.run(["git", "apply", "--whitespace=nowarn"], input=patch.encode(), cwd=tmp_path, check=True)
        assert there() == dict(wanted)
    if all(before.values()) and all(after.values()):
        texts = {path: data.decode() for path, data in before.items() if data is not None}
        assert {path: text.encode() for path, text in patched(texts, made.patch).items()} == dict(after)


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (SOUND, "nothing differs"),
        (SOUND + b"# a comment\n", "nothing differs"),
        (SOUND.replace(b"found = 2", b"found  =  2"), "nothing differs"),
        (SOUND + b"x = (\n", "does not compile"),
        (SOUND + b"\0", "no text"),
        (SOUND + b"x = 1\n" * 200_000, "bytes"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe4'\n", "UTF-8"),
    ],
    ids=["same", "comment", "blanks", "syntax", "binary", "large", "latin"],
)
def test_what_is_no_bug_is_refused(after: bytes, why: str) -> None:
    with pytest.raises(NoBug, match=why):
        bug_between("lm_modify", {"a.py": SOUND}, {"a.py": after})


def test_comments_beside_a_change_are_no_changes_of_their_own() -> None:
    made = bug(b"import os\n", b"import os  \n# a word\n" + b"import sys\n")
    assert len(made.changes) == 1
    made = bug_between(
        "lm_rewrite",
        {"a.py": SOUND},
        {"a.py": SOUND.replace(b"found = 2", b"found = 3").replace(b"class Shelf", b"# Rows.\nclass Shelf")},
    )
    assert [change.qualname for change in made.changes] == ["find"]
    assert "# Rows." in made.patch
