"""Every operator makes the mistake that it is named after, and only where it is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from generators.swe.mutations import find_sites, mistakes, mutated, read
from tests.generators.swe.mutation_examples import EXAMPLES, LEFT_ALONE

PAIRS = [(name, *pair) for name, pairs in EXAMPLES.items() for pair in pairs]


def results(code: str, name: str) -> list[str]:
    source = read("pkg/code.py", code.encode())
    return [mutated(source, [site]).decode() for site in find_sites(source, [name])]


def test_every_operator_has_an_example() -> None:
    assert set(EXAMPLES) == set(mistakes())
    assert len(EXAMPLES) >= 14
    assert set(LEFT_ALONE) <= set(EXAMPLES)


@pytest.mark.parametrize(("name", "before", "after"), PAIRS, ids=[f"{p[0]}-{i}" for i, p in enumerate(PAIRS)])
def test_an_operator_makes_its_mistake(name: str, before: str, after: str) -> None:
    assert after in results(before, name)


@pytest.mark.parametrize(("name", "code"), LEFT_ALONE.items(), ids=list(LEFT_ALONE))
def test_an_operator_leaves_alone_what_would_be_no_bug_of_its_kind(name: str, code: str) -> None:
    assert results(code, name) == []


def test_windows_newlines_and_tabs_stay_as_they_are() -> None:
    before = b"def f(x):\r\n\tif x:\r\n\t\tx.y()\r\n\t\tx.z()\r\n\telse:\r\n\t\tx.w()\r\n\treturn x\r\n"
    source = read("f.py", before)
    swapped = [mutated(source, [s]) for s in find_sites(source, ["branches_swapped"])]
    assert swapped == [b"def f(x):\r\n\tif x:\r\n\t\tx.w()\r\n\telse:\r\n\t\tx.y()\r\n\t\tx.z()\r\n\treturn x\r\n"]
    dropped = [mutated(source, [s]) for s in find_sites(source, ["call_removed"])]
    assert before.replace(b"\t\tx.y()\r\n", b"") in dropped
    assert all(b"\r" not in data.replace(b"\r\n", b"") for data in dropped)


def test_only_comments_that_belong_to_a_removed_statement_go_with_it() -> None:
    before = "def f(x):\n    # first\n\n    # second\n    # third\n    x.sort()  # fourth\n    # fifth\n    return x\n"
    assert results(before, "call_removed") == ["def f(x):\n    # first\n\n    # fifth\n    return x\n"]


def test_comments_at_the_left_margin_may_be_a_cookie_and_stay() -> None:
    before = "# coding: latin-1\nif a:\n    f()\nx = 'é'\n".encode("latin-1")
    source = read("a.py", before)
    dropped = [mutated(source, [site]) for site in find_sites(source, ["branch_dropped"])]
    assert dropped == [b"# coding: latin-1\nx = '\xe9'\n"]


def test_a_comment_above_a_decorator_is_the_functions_own() -> None:
    before = "class A:\n    # why\n    @property\n    def f(self): return 1\n"
    assert results(before, "decorator_removed") == ["class A:\n    # why\n    def f(self): return 1\n"]


def test_the_documentation_lists_every_operator() -> None:
    text = (Path(__file__).parents[3] / "docs" / "swe-mutations.md").read_text()
    rows = [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row in EXAMPLES] == list(mistakes())
