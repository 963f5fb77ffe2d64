"""A history in which people mended things, made on the spot."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.generators.swe.sources.made import git

LEGACY = '''"""Old things."""


def total(numbers):
    """All of them together."""
    result = 1
    for number in numbers:
        result += number
    return result
'''
COUNTING = '''"""Counts."""

from legacy import total


def mean(numbers):
    """The mean of some numbers."""
    return total(numbers) / len(numbers)


def between(value, low, high):
    """Whether low <= value < high."""
    return low <= value <= high


def longest(words):
    """The longest word."""
    return max(words)
'''
TEST_COUNTING = """from counting import between


def test_inside():
    assert between(1, 0, 2)


def test_outside():
    assert not between(3, 0, 2)
"""
TEST_LEGACY = """from legacy import total


def test_total_of_nothing_is_odd():
    assert total([]) == 1
"""
TEST_LIMIT = """

def test_the_limit_is_out():
    assert not between(2, 0, 2)
"""
TEST_WORDS = """from counting import longest
from words import by_length


def test_longest():
    assert longest(["b", "aaa"]) == "aaa"


def test_by_length():
    assert by_length(["aaa", "b"]) == ["b", "aaa"]
"""
WORDS = '''"""Words."""


def by_length(words):
    """Words, the shortest first."""
    return sorted(words, key=len)
'''
TOTAL = '''

def total(numbers):
    """All of them together."""
    return sum(numbers)
'''
TEST_TOTAL = """

def test_total():
    assert total([1, 2]) == 3
"""
AUTHOR = "Ada Lovelace"
ADDRESS = "ada@analytical.example"


def dated(folder: Path, day: int, *arguments: str) -> None:
    """Let git make a commit, by the author on a day of May 2024."""
    at = f"2024-05-{day:02}T12:00:00+02:00"
    who = {"NAME": AUTHOR, "EMAIL": ADDRESS, "DATE": at}
    people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **people}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


def step(folder: Path, message: str, files: Mapping[str, str | None], *, day: int) -> str:
    """One more commit; its full name. None: the file goes."""
    for path, content in files.items():
        if content is None:
            (folder / path).unlink()
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    git(folder, "add", "--all", "--force")
    dated(folder, day, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def history(folder: Path) -> dict[str, str]:
    """A git repository with fixes and other commits; the fixes' full names."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    tests = {"tests/test_counting.py": TEST_COUNTING, "tests/test_legacy.py": TEST_LEGACY}
    step(folder, "Begin", {"counting.py": COUNTING, "legacy.py": LEGACY, "README.md": "Counts.\n", **tests}, day=1)
    made = {}
    limit = COUNTING.replace("<= high", "< high")
    said = f"Leave the upper limit of a range out\n\nIt was counted in.\n\nSigned-off-by: {AUTHOR} <{ADDRESS}>\n"
    news = "# 1.1\nThe limit is out: `low <= value < high`.\n"
    files: dict[str, str | None]
    files = {"counting.py": limit, "tests/test_counting.py": TEST_COUNTING + TEST_LIMIT, "CHANGES.md": news}
    made["limit"] = step(folder, said, files, day=2)
    step(folder, "Say more", {"README.md": "Counts, and more.\n"}, day=3)
    step(folder, "Test more", {"tests/test_more.py": TEST_COUNTING}, day=4)
    git(folder, "checkout", "-q", "-b", "words")
    longest = limit.replace("max(words)", "by_length(words)[-1]").replace(
        "import total\n", "import total\nfrom words import by_length\n"
    )
    files = {"counting.py": longest, "words.py": WORDS, "tests/long/test_words.py": TEST_WORDS}
    made["adds"] = step(folder, f"Find the longest word, not the last ({AUTHOR} saw it)", files, day=5)
    git(folder, "checkout", "-q", "main")
    step(folder, "Say less", {"README.md": "Counts.\n"}, day=6)
    dated(folder, 6, "merge", "-q", "--no-edit", "words")
    alone = longest.replace("from legacy import total\n", "").replace("\n\n\ndef mean", TOTAL + "\n\ndef mean", 1)
    test = (TEST_COUNTING + TEST_LIMIT).replace("import between", "import between, total") + TEST_TOTAL
    files = {"counting.py": alone, "legacy.py": None, "tests/test_legacy.py": None, "tests/test_counting.py": test}
    made["deletes"] = step(folder, "Begin sums at 0", files, day=7)
    same = alone.replace("return sum(numbers)", "numbers = list(numbers)\n    return sum(numbers)")
    made["idle"] = step(
        folder, "Take iterators", {"counting.py": same, "tests/test_more.py": TEST_COUNTING + TEST_LIMIT}, day=8
    )
    return made
