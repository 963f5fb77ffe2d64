"""Repositories as a pipeline file names them, folders as they lie, and licences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from datafactory.types import File
from generators.swe.sources import Repository, SourceError, excluded_benchmark, fetch, tree
from generators.swe.sources.address import Address, Package, Place, parse
from generators.swe.sources.benchmarks import VERIFIED
from generators.swe.sources.license import license_of, recognised, spoken
from generators.swe.sources.metadata import metadata_of
from tests.generators.swe.sources.made import MIT, git, repository

BSD = (
    "Redistribution and use in source and binary forms, with or without\nmodification, are permitted provided.\n"
    "Redistributions in binary form must reproduce the above copyright notice.\n"
)
BSD_3 = f"{BSD}Neither the name may be used to endorse or promote products derived from this software without leave.\n"


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("toolz==1.1.0", Package("toolz", "1.1.0")),
        ("ruamel.yaml", Package("ruamel.yaml", "")),
        ("https://host/owner/name@v1.0", Address("https://host/owner/name", "v1.0", "")),
        ("git+https://host/a/b/name.git@topic/x", Address("https://host/a/b/name.git", "topic/x", "")),
        ("https://me:p@ss@host:8443/o/n", Address("https://host:8443/o/n", "", "me:p@ss")),
        ("ssh://git@[::1]:22/o/n@x", Address("ssh://git@[::1]:22/o/n", "x", "")),
        ("git@host:owner/name@main", Address("ssh://git@host/owner/name", "main", "")),
        ("some/folder@main", Place("some/folder", "main")),
        (".", Place(".", "")),
    ],
)
def test_the_words_for_a_repository_are_taken_apart(at: str, wanted: object) -> None:
    assert parse(at) == wanted


@pytest.mark.parametrize(
    ("at", "way"),
    [
        ("", "no repository is named"),
        ("toolz>=1", "pinned with =="),
        ("toolz==one", "no version"),
        ("dask[array]", "'requirements'"),
        ("a folder", "./a folder"),
        ("ext::sh", "no package's name"),
        ("ext::sh/x://y", "starts with one of"),
        ("http://host/o/n", "starts with one of"),
        ("https://host", "names a host and a repository"),
        ("https://-oProxyCommand=x/o/n", "names a host and a repository"),
        ("https://host/o/n@--upload-pack=x", "after the @"),
        ("https://host/o/n@a b", "after the @"),
        ("https://host/o/n#egg=n", "no '?' and no '#'"),
        ("some/folder@-x", "after the @"),
    ],
)
def test_what_names_no_repository_is_refused_with_the_way_out(at: str, way: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Repository(at=at)
    assert way in str(caught.value)


def test_a_bare_string_is_a_repository_and_a_mapping_may_say_more() -> None:
    read = TypeAdapter(tuple[Repository, ...]).validate_python(["toolz", {"at": "toolz", "tests": ["-k", "x"]}])
    assert [one.tests for one in read] == [(), ("-k", "x")]
    assert Repository.model_validate_json(read[1].model_dump_json()) == read[1]


def test_a_secret_in_an_address_is_kept_for_the_server_alone() -> None:
    made = Repository(at="https://reader:sesame@host/owner/name@v1")
    assert made.at == "https://host/owner/name@v1"
    assert isinstance(made.named, Address)
    assert made.named.user == "reader:sesame"
    assert "sesame" not in f"{made!r}{made}{made.describe()}{made.model_dump()}"
    with pytest.raises(ValidationError) as caught:
        Repository.model_validate({"at": "https://reader:sesame@host/owner/name", "test": 1})
    assert "sesame" not in str(caught.value)
    assert "sesame" not in str(SourceError("git", "https://reader:se@same@host/o/n is down"))


@pytest.mark.parametrize(
    "name", ["Django", "me/django", "pallets__flask", "https://host/fork/scikit_learn.git", "scikit.learn", "PyTest"]
)
def test_the_twelve_of_the_benchmark_are_known_by_any_name(name: str) -> None:
    assert excluded_benchmark(name) in VERIFIED.values()
    assert len(VERIFIED) == 12


def test_other_names_are_no_benchmark() -> None:
    assert [excluded_benchmark(name) for name in ("toolz", "pytest-xdist", "django/asgiref", "requests2")] == [None] * 4


def test_a_benchmark_is_refused_even_under_another_name_unless_it_is_allowed(tmp_path: Path) -> None:
    assert "django/django" in next(iter(Repository(at="https://host/me/django@main").problems()))
    assert list(Repository(at="flask", allow_benchmarks=True).problems()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyproject.toml").write_text('[project]\nname = "SymPy"\nversion = "1.0"\n')
    with pytest.raises(SourceError, match="sympy/sympy of SWE-bench Verified"):
        fetch(Repository(at=f"{tmp_path}/mine"), tmp_path)
    assert fetch(Repository(at=f"{tmp_path}/mine", allow_benchmarks=True), tmp_path).version == "1.0"


def test_a_plain_folder_is_taken_without_what_tools_leave_in_it(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    left = (".venv/x", "build/x", "dist/x", "a.egg-info/x", "pkg/__pycache__/x.pyc", "node_modules/x", "pkg/x.pyc")
    for path in (*left, "pkg/build/kept.py", "pkg/__init__.py"):
        (there / path).parent.mkdir(parents=True, exist_ok=True)
        (there / path).write_text("")
    os.mkfifo(there / "pipe")
    (there / "pkg" / "same").symlink_to("build")
    found = fetch(Repository(at=str(there)), tmp_path)
    assert list(found.files) == ["pkg/__init__.py", "pkg/build/kept.py", "pkg/same"]
    assert (found.name, found.commit) == ("apples", "")
    assert any("pipe" in note for note in found.notes)
    assert list(Repository(at=str(there)).inputs()) == [there / "pkg/__init__.py", there / "pkg/build/kept.py"]


def test_a_work_tree_is_taken_as_it_lies_less_what_git_ignores(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    repository(there, {"a.py": "old", "gone.py": "", ".gitignore": "*.log\n", "dist/kept.py": ""})
    (there / "a.py").write_text("new")
    (there / "gone.py").unlink()
    (there / "fresh.py").write_text("")
    (there / "x.log").write_text("")
    found = fetch(Repository(at=str(there)), tmp_path)
    assert list(found.files) == [".gitignore", "a.py", "dist/kept.py", "fresh.py"]
    assert (found.files["a.py"].data, found.commit) == (b"new", ""), "uncommitted work has no commit"
    assert git(there, "status", "--short") != ""


def test_a_folder_that_is_too_large_names_what_is_large_in_it(tmp_path: Path) -> None:
    (tmp_path / "apples" / "data" / "big").mkdir(parents=True)
    with open(tmp_path / "apples" / "data" / "big" / "one.bin", "wb") as hollow:
        hollow.truncate(600 << 20)
    with pytest.raises(SourceError, match=r"limits: .*data/big \(600 MiB\)"):
        fetch(Repository(at=f"{tmp_path}/apples"), tmp_path)


def test_a_folder_that_is_missing_or_empty_is_told(tmp_path: Path) -> None:
    for name in ("missing", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(SourceError, match=r"folder: .*no f"):
            fetch(Repository(at=f"{tmp_path}/{name}"), tmp_path)


def test_the_digest_sees_paths_modes_links_and_contents() -> None:
    trees = [
        {"a": File(data=b"x")},
        {"b": File(data=b"x")},
        {"a": File(data=b"y")},
        {"a": File(data=b"x", mode=0o755)},
        {"a": File(link="x")},
        {"a": File(data=b"x"), "b": File()},
    ]
    assert len({tree.digest(files) for files in trees}) == len(trees)
    assert tree.digest(dict(reversed(trees[-1].items()))) == tree.digest(trees[-1])


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ({"PKG-INFO": "License-Expression: mit OR apache-2.0\n\n"}, "MIT OR Apache-2.0"),
        ({"PKG-INFO": "License: Apache License, Version 2.0\n\n"}, "Apache-2.0"),
        (
            {"PKG-INFO": "License: BSD\nClassifier: License :: OSI Approved :: BSD License\n\n", "LICENSE": BSD},
            "BSD-2-Clause",
        ),
        ({"pyproject.toml": '[project]\nname = "a"\nlicense = {text = "3-Clause BSD License"}\n'}, "BSD-3-Clause"),
        ({"setup.cfg": "[metadata]\nname = a\nlicense = ISC\n"}, "ISC"),
        ({"setup.cfg": "[metadata]\nclassifiers =\n  License :: OSI Approved :: MIT License\n"}, "MIT"),
        ({"COPYING": "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007"}, "GPL-3.0-only"),
        ({"LICENCE.txt": BSD_3}, "BSD-3-Clause"),
        ({"LICENSE-MIT": MIT, "LICENSE-BSD": BSD}, ""),
        ({"LICENSE": "All rights reserved.", "docs/LICENSE": MIT}, ""),
        ({"pyproject.toml": "not = [toml"}, ""),
    ],
)
def test_a_licence_is_told_where_it_can_be(held: dict[str, str], wanted: str) -> None:
    files = {path: File(data=text.encode()) for path, text in held.items()}
    assert license_of(metadata_of(files), files) == wanted


def test_a_licence_that_is_part_of_anothers_words_is_not_named_beside_it() -> None:
    assert recognised(BSD_3) == {"BSD-3-Clause"}
    assert (spoken("The MIT License"), spoken("Proprietary")) == ("MIT", "")
