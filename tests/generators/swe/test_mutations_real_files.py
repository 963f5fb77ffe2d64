"""On files that people wrote, every site of every operator is a bug, and nothing else of the file moves."""

from __future__ import annotations

import argparse
import ast
import configparser
import email._header_value_parser
import email.message
import inspect
import json.decoder
import json.encoder
import random
import shlex
import statistics
import string
import textwrap
import typing
import warnings
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

import pytest
import tenacity
import tenacity.asyncio
import tenacity.retry
import tenacity.stop
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.swe.mutations import Site, Source, Unreadable, find_sites, mistakes, mutated, overlap, read

WHOLE = (json.decoder, json.encoder, string, textwrap, tenacity.stop)
LARGE = (
    shlex,
    tenacity.retry,
    tenacity.asyncio,
    argparse,
    configparser,
    email._header_value_parser,
    email.message,
    statistics,
    tenacity,
    typing,
)
STDLIB = sorted(Path(ast.__file__).parent.glob("*.py"))


@cache
def sites_of(module: ModuleType) -> list[Site]:
    return find_sites(source_of(module))


@lru_cache(maxsize=4)
def tree_of(data: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(data)
        compile(tree, "x.py", "exec", dont_inherit=True)
        return ast.dump(tree)


@cache
def source_of(module: ModuleType) -> Source:
    file = Path(inspect.getfile(module))
    return read(f"lib/{file.name}", file.read_bytes())


def assert_is_a_bug(source: Source, site: Site) -> None:
    """Judged apart from the proof that `mutated` makes: on the whole file, and on what stays."""
    after = mutated(source, [site])
    assert tree_of(after) != tree_of(source.data), site
    old, new = source.data.split(b"\n"), after.split(b"\n")
    head, tail = site.first_line - 1, len(old) - site.last_line
    assert new[:head] == old[:head], site
    assert tail == 0 or new[-tail:] == old[-tail:], site
    assert 1 <= site.first_line <= site.last_line <= len(old)
    assert site.change and "\n" not in site.change


@pytest.mark.parametrize("module", WHOLE, ids=lambda m: m.__name__)
def test_every_site_of_a_file_is_a_bug(module: ModuleType) -> None:
    assert len(sites_of(module)) > 20
    for site in sites_of(module):
        assert_is_a_bug(source_of(module), site)


@settings(max_examples=40, deadline=None)
@given(module=st.sampled_from(LARGE), choice=st.randoms(use_true_random=False))
def test_sites_of_large_files_are_bugs(module: ModuleType, choice: random.Random) -> None:
    for site in choice.sample(sites_of(module), 2):
        assert_is_a_bug(source_of(module), site)


@settings(max_examples=25, deadline=None)
@given(file=st.sampled_from(STDLIB), choice=st.randoms(use_true_random=False))
def test_sites_all_over_the_standard_library_are_bugs(file: Path, choice: random.Random) -> None:
    source = read(file.name, file.read_bytes())
    try:
        sites = find_sites(source)
    except Unreadable as error:  # libcst forgets the blank of `except (A, B) :`
        assert (file.name, error.reason) == ("webbrowser.py", "round_trip")
        return
    for site in choice.sample(sites, min(5, len(sites))):
        assert_is_a_bug(source, site)


def test_every_operator_finds_its_mistake_in_files_that_people_wrote() -> None:
    found = Counter(site.operator for module in (*WHOLE, *LARGE) for site in sites_of(module))
    assert set(found) == set(mistakes())


def test_sites_are_the_same_every_time_and_in_the_order_of_nothing_but_the_file() -> None:
    source = source_of(argparse)
    sites = find_sites(source)
    assert sites == find_sites(read(source.path, source.data))
    assert len({site.key for site in sites}) == len(sites)
    assert find_sites(source, ["not_removed"]) == [site for site in sites if site.operator == "not_removed"]


@settings(max_examples=40, deadline=None)
@given(module=st.sampled_from(WHOLE), choice=st.randoms(use_true_random=False))
def test_sites_that_do_not_overlap_can_be_made_together_in_any_order(module: ModuleType, choice: random.Random) -> None:
    source = source_of(module)
    one, other = choice.sample(sites_of(module), 2)
    if overlap(one, other):
        assert overlap(other, one)
        return
    both = mutated(source, [one, other])
    assert both == mutated(source, [other, one])
    assert both not in (mutated(source, [one]), mutated(source, [other]))
