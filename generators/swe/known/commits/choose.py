"""Which commits of a history fix something and bring the tests for it, as far as their files tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

from generators.swe.known.fixes import of_tests
from generators.swe.mutations import excluded
from generators.swe.sources import Commit, History

_PROSE = frozenset({".md", ".rst", ".markdown", ".adoc", ".txt"})
_PROSE_NAMES = frozenset(
    {"authors", "changelog", "changes", "contributors", "copying", "history", "licence", "license"}
)
_PROSE_NAMES |= {"maintainers", "news", "notice", "readme", "thanks", "todo"}
_PROSE_FOLDERS = frozenset(
    {"changelog", "changelog.d", "changelogs", "changes", "doc", "docs", "documentation", "news"}
)
_PROSE_FOLDERS |= {"newsfragments", "releasenotes"}
_BUILT = frozenset({".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".h", ".hpp", ".hxx", ".pxd", ".pxi", ".pyx", ".rs"})
"""Sources that a build turns into something; a box does not build again."""
_SOME_CODE = b"def some(): ...\n"


@dataclass(frozen=True)
class Candidate:
    """A commit that may be a fix."""

    commit: Commit
    code: tuple[str, ...]
    """Files that are neither tests nor prose."""
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a history has."""

    fixes: tuple[Candidate, ...]
    """Newest first."""
    others: Counter[str]
    """How many commits are none, by why."""

    def __str__(self) -> str:
        total = len(self.fixes) + self.others.total()
        why = ", ".join(f"{count} {reason}" for reason, count in self.others.most_common())
        return f"{total} commits that are no merges: {len(self.fixes)} change code and tests{f'; {why}' if why else ''}"


def find_fixes(history: History, *, most: int, most_files: int, most_lines: int, paths: Sequence[str] = ()) -> Found:
    """The candidates among the `most` newest commits: no merges; changes of code that could be broken and of tests; at
    most so many files of code, and lines added and removed there. `paths`: folders or patterns of which the code has
    to touch one. Raises SourceError."""
    settings = history.checkout(history.head).files
    fixes: list[Candidate] = []
    others: Counter[str] = Counter()
    for commit in history.commits(most):
        touched = {each.path: each for each in commit.touched}
        tests = of_tests(touched, settings)
        code = [path for path in touched if path not in tests and not is_prose(path)]
        candidate = Candidate(commit, tuple(sorted(code)), tuple(sorted(tests)))
        lines = sum(touched[path].lines for path in code)
        if why := _unfit(candidate, paths, large=len(code) > most_files or lines > most_lines):
            others[why] += 1
        else:
            fixes.append(candidate)
    return Found(tuple(fixes), others)


def _unfit(candidate: Candidate, paths: Sequence[str], *, large: bool) -> str | None:
    plain = {each.path for each in candidate.commit.touched if each.plain}
    if not any(excluded(path, _SOME_CODE) is None for path in candidate.code):
        return "without code"
    if not any(path.endswith(".py") for path in candidate.tests):
        return "without tests"
    if paths and not any(_below(path, paths) for path in candidate.code):
        return "elsewhere"
    if large:
        return "too large"
    if not plain.issuperset((*candidate.code, *candidate.tests)):
        return "with links or submodules"
    if any(PurePosixPath(path).suffix in _BUILT for path in candidate.code):
        return "with sources that are built"
    return None


def _below(path: str, tops: Collection[str]) -> bool:
    return any(path == top or path.startswith(f"{top.rstrip('/')}/") or fnmatch(path, top) for top in tops)


def is_prose(path: str) -> bool:
    """Whether a file is there to be read, or of the tools around a repository; requirements are not."""
    pure = PurePosixPath(path)
    name = pure.name.lower()
    if any(part.startswith(".") for part in pure.parts) or not _PROSE_FOLDERS.isdisjoint(pure.parts[:-1]):
        return True
    return name.partition(".")[0] in _PROSE_NAMES or (pure.suffix in _PROSE and not name.startswith("requirements"))
