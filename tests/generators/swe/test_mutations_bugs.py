"""Bugs as records: patches that git applies, choices that are spread, and several sites in one."""

from __future__ import annotations

import argparse
import codecs
import inspect
import json
import random
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.swe.mutations import (
    Bug,
    NoBug,
    Site,
    Source,
    combine_file,
    combine_module,
    diff,
    find_sites,
    make_bug,
    mutated,
    overlap,
    pick,
    read,
)

JSON = Path(json.__file__).parent
CODE = "def f(a, b):\n    return a < b\n"


def package() -> tuple[dict[str, Source], list[Site]]:
    files = {f"json/{file.name}": file.read_bytes() for file in sorted(JSON.glob("*.py"))}
    files["text/wrap.py"] = Path(inspect.getfile(textwrap)).read_bytes()
    sources = {path: read(path, data) for path, data in files.items()}
    return sources, [site for source in sources.values() for site in find_sites(source)]


SOURCES, SITES = package()


def laid(folder: Path, sources: dict[str, Source]) -> Path:
    for path, source in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(source.data)
    return folder


def git_apply(folder: Path, patch: str, *flags: str) -> None:
    done = subprocess.run(["git", "apply", *flags, "-"], cwd=folder, input=patch.encode(), capture_output=True)
    assert done.returncode == 0, (done.stderr.decode(), patch)


def assert_git_makes_and_mends(folder: Path, sources: dict[str, Source], sites: list[Site]) -> Bug:
    """By way of git alone: check, make, compare, check the fix, mend, compare."""
    laid(folder, sources)
    bug = make_bug(sources, sites)
    git_apply(folder, bug.patch, "--check")
    git_apply(folder, bug.patch)
    for path in bug.paths:
        assert (folder / path).read_bytes() == mutated(sources[path], sites) != sources[path].data
    git_apply(folder, bug.fix, "--check")
    git_apply(folder, bug.fix)
    assert all((folder / path).read_bytes() == source.data for path, source in sources.items())
    return bug


@settings(max_examples=60, deadline=None)
@given(site=st.sampled_from(SITES))
def test_git_makes_the_bug_and_mends_it(tmp_path_factory: pytest.TempPathFactory, site: Site) -> None:
    source = {site.path: SOURCES[site.path]}
    bug = assert_git_makes_and_mends(tmp_path_factory.mktemp("repo"), source, [site])
    assert bug.kind == site.operator
    assert bug == Bug.model_validate_json(bug.model_dump_json())
    (change,) = bug.changes
    assert (change.path, change.qualname, change.first_line) == (site.path, site.qualname, site.first_line)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.py", CODE.rstrip().encode()),
        ("a.py", CODE.replace("\n", "\r\n").encode()),
        ("a.py", codecs.BOM_UTF8 + CODE.encode()),
        ("a b/c d.py", CODE.encode()),
        ("ünder/日本.py", CODE.encode()),
        ('quo"te\\.py', CODE.encode()),
        ("a.py", b"# coding: latin-1\n" + b"x = 1\n" * 9 + CODE.encode() + b"y = 1\n" * 9 + b"z = '\xe9'\n"),
        ("a.py", ("x = 1\x0c\n" + CODE + "y = '\x1c\u2028'\n").encode()),
    ],
)
def test_git_takes_patches_of_odd_files_and_names(tmp_path: Path, path: str, data: bytes) -> None:
    source = read(path, data)
    sites = [site for site in find_sites(source) if site.qualname == "f"]
    assert len(sites) >= 3
    for site in sites:
        assert_git_makes_and_mends(tmp_path, {path: source}, [site])


def test_a_patch_that_would_be_no_text_is_refused() -> None:
    source = read("a.py", ("# coding: latin-1\nx = 'é'\n" + CODE).encode("latin-1"))
    sites = find_sites(source, ["comparison_flip"])
    assert b"\xe9" in mutated(source, sites)
    with pytest.raises(NoBug, match="UTF-8"):
        make_bug({"a.py": source}, sites)


def test_a_diff_of_far_apart_lines_has_a_hunk_for_each(tmp_path: Path) -> None:
    old = b"".join(b"%d\n" % i for i in range(1000))
    new = old.replace(b"\n10\n", b"\n").replace(b"\n990\n", b"\nx\ny\n")
    made = diff("n.txt", old, new)
    assert made.count(b"\n@@ ") == 2
    (tmp_path / "n.txt").write_bytes(old)
    git_apply(tmp_path, made.decode())
    assert (tmp_path / "n.txt").read_bytes() == new
    assert diff("n.txt", old, old) == b""


def test_sites_that_overlap_or_fit_no_file_make_no_bug() -> None:
    source = read("a.py", b"x = a and b and c\n")
    one, other = find_sites(source, ["condition_part_dropped"])[:2]
    assert overlap(one, other)
    with pytest.raises(NoBug, match="overlap"):
        make_bug({"a.py": source}, [one, other])
    with pytest.raises(NoBug, match="another version"):
        mutated(read("a.py", b"x = 1\n"), [one])
    with pytest.raises(NoBug, match="no such file"):
        make_bug({}, [one])
    with pytest.raises(NoBug, match="no sites"):
        make_bug({"a.py": source}, [])
    with pytest.raises(NoBug, match="same"):
        mutated(source, [])


def test_a_change_of_formatting_alone_is_no_bug() -> None:
    source = read("a.py", b"x = a and b\n")
    (site,) = find_sites(source, ["boolean_operator"])
    for text, reason in (("   and  ", "same"), ("and # ", "syntax")):
        edits = tuple(edit._replace(text=text) for edit in site.edits)
        forged = Site("forged", "a.py", "", 1, 1, "", edits)
        with pytest.raises(NoBug, match=reason):
            mutated(source, [forged])


def test_a_choice_is_seeded_and_does_not_depend_on_the_order_of_the_sites() -> None:
    backwards = SITES[::-1]
    assert pick(SITES, random.Random(7), 30) == pick(backwards, random.Random(7), 30)
    assert pick(SITES, random.Random(7), 30) != pick(SITES, random.Random(8), 30)
    assert pick(SITES, random.Random(7), 10) == pick(SITES, random.Random(7), 30)[:10]


def test_a_choice_is_spread_over_operators_functions_and_files() -> None:
    chosen = pick(SITES, random.Random(1), 60)
    assert len({site.key for site in chosen}) == 60
    uses = Counter(site.operator for site in chosen)
    plenty = Counter(site.operator for site in SITES)
    assert max(uses.values()) - min(uses.get(name, 0) for name, n in plenty.items() if n > 3) <= 1
    assert {site.path for site in chosen} >= {"json/decoder.py", "json/encoder.py", "json/scanner.py", "text/wrap.py"}
    assert max(Counter(site.place for site in chosen).values()) <= 9
    assert len({site.place for site in chosen}) >= 0.7 * len({site.place for site in SITES})


def test_a_function_can_be_given_a_limit_and_everything_be_asked_for() -> None:
    few = pick(SITES, random.Random(1), 10_000, per_function=2)
    assert set(Counter(site.place for site in few).values()) <= {1, 2}
    assert {site.place for site in few} == {site.place for site in SITES}
    everything = pick(SITES, random.Random(1), 10_000)
    assert sorted(site.key for site in everything) == sorted(site.key for site in SITES)


@pytest.mark.parametrize("seed", range(10))
def test_sites_of_one_file_become_one_bug(tmp_path: Path, seed: int) -> None:
    source = SOURCES["json/decoder.py"]
    bug = combine_file(source, SITES, random.Random(seed), count=3)
    assert bug == combine_file(source, SITES[::-1], random.Random(seed), count=3)
    assert bug.kind == "combine_file"
    assert bug.paths == ("json/decoder.py",)
    assert len({change.qualname for change in bug.changes}) == len(bug.changes) == 3
    laid(tmp_path, {"json/decoder.py": source})
    git_apply(tmp_path, bug.patch)
    git_apply(tmp_path, bug.fix)
    assert (tmp_path / "json/decoder.py").read_bytes() == source.data


@pytest.mark.parametrize("seed", range(10))
def test_sites_of_the_files_of_a_folder_become_one_bug(tmp_path: Path, seed: int) -> None:
    bug = combine_module(SOURCES, SITES, random.Random(seed), count=3, files=2)
    assert bug.kind == "combine_module"
    assert len(bug.paths) >= 2 and len(bug.changes) == 3
    assert len({(change.path, change.qualname) for change in bug.changes}) == 3
    assert {Path(path).parent.name for path in bug.paths} == {"json"}
    laid(tmp_path, SOURCES)
    git_apply(tmp_path, bug.patch)
    assert all((tmp_path / path).read_bytes() != SOURCES[path].data for path in bug.paths)
    git_apply(tmp_path, bug.fix)
    assert all((tmp_path / path).read_bytes() == source.data for path, source in SOURCES.items())


def test_what_cannot_be_combined_says_why() -> None:
    one = read("a.py", CODE.encode())
    with pytest.raises(NoBug, match="1 functions"):
        combine_file(one, find_sites(one), random.Random(0))
    with pytest.raises(NoBug, match="at least two sites"):
        combine_file(one, find_sites(one), random.Random(0), count=1)
    with pytest.raises(NoBug, match="no folder"):
        combine_module({"a.py": one}, find_sites(one), random.Random(0))
    with pytest.raises(NoBug, match="at least two files"):
        combine_module({"a.py": one}, find_sites(one), random.Random(0), files=1)


def test_a_large_file_is_diffed_and_chosen_from_without_delay(tmp_path: Path) -> None:
    path = Path(inspect.getfile(argparse))
    source = read("argparse.py", path.read_bytes())
    bug = combine_file(source, find_sites(source), random.Random(0), count=12)
    assert len(bug.changes) == 12
    laid(tmp_path, {"argparse.py": source})
    git_apply(tmp_path, bug.patch, "--check")


def test_the_facts_can_be_had_without_libcst() -> None:
    code = "import sys, generators.swe.mutations as m; m.make_bug; sys.exit('libcst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3]).returncode == 0
