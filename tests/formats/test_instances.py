"""Instance files of others, as they are found in the wild."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import DataError
from datafactory.formats.instances import Instance, read_instances

BENCH: dict[str, Any] = {
    "repo": "astropy/astropy",
    "instance_id": "astropy__astropy-12907",
    "base_commit": "d16bfe05a744909de4b27f5875fe0d4ed41ce607",
    "patch": "--- a/x\n+++ b/x\n",
    "test_patch": "--- a/t\n+++ b/t\n",
    "problem_statement": "separability_matrix is wrong.",
    "hints_text": "",
    "created_at": "2022-03-03T15:14:54Z",
    "version": "4.3",
    "FAIL_TO_PASS": '["t.py::a", "t.py::b[x-\\"y\\"]"]',
    "PASS_TO_PASS": '["t.py::c"]',
    "environment_setup_commit": "298ccb478e6bf092953bca67a3d29dc6c35f6752",
}
SMITH = {
    "instance_id": "oauthlib__oauthlib.1fd52536.combine_file__09vlzwgc",
    "repo": "swesmith/oauthlib__oauthlib.1fd52536",
    "patch": "--- a/x\n+++ b/x\n",
    "FAIL_TO_PASS": ["t.py::a"],
    "PASS_TO_PASS": [],
    "image_name": "swebench/swesmith.x86_64.oauthlib_1776_oauthlib.1fd52536",
    "problem_statement": None,
}
REBENCH = {
    **{key: BENCH[key] for key in ("repo", "instance_id", "base_commit", "patch", "test_patch", "problem_statement")},
    "created_at": 1646320494000,
    "FAIL_TO_PASS": ["t.py::a"],
    "PASS_TO_PASS": ["t.py::c"],
    "license_name": "BSD-3-Clause",
    "docker_image": "swerebench/astropy",
    "meta": {"num_modified_files": 1},
    "install_config": {"python": "3.9"},
}


def read(path: Path, text: str | bytes, **more: Any) -> list[Instance]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_instances(path, **more))


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n\n" for row in rows)


def test_rows_of_each_family_are_understood(tmp_path):
    bench, smith, rebench = read(tmp_path / "mixed.jsonl", lines(BENCH, SMITH, REBENCH))
    assert bench.fail_to_pass == ("t.py::a", 't.py::b[x-"y"]')
    assert (bench.patch_makes_bug, bench.origin, bench.commit) == (False, "astropy/astropy", BENCH["base_commit"])
    assert (smith.patch_makes_bug, smith.origin, smith.commit) == (True, "oauthlib/oauthlib", "1fd52536")
    assert (smith.pass_to_pass, smith.problem_statement) == ((), "")
    assert (rebench.license, rebench.image_name) == ("BSD-3-Clause", "swerebench/astropy")
    assert rebench.created_at == "2022-03-03T15:14:54+00:00"


@pytest.mark.parametrize(
    ("repo", "origin", "commit"),
    [
        ("swesmith/Mimino666__langdetect.a1598f1a", "Mimino666/langdetect", "a1598f1a"),
        ("swesmith/o__ruamel.yaml.0123abcd", "o/ruamel.yaml", "0123abcd"),
        ("swesmith/toolz.1.1.0", "toolz", ""),
        ("swesmith/ruamel.yaml.0.18.5", "ruamel.yaml", ""),
        ("swesmith/certifi.20240101", "certifi", ""),
        ("pallets/flask", "pallets/flask", ""),
    ],
)
def test_a_mirror_says_where_it_is_from(tmp_path, repo, origin, commit):
    (made,) = read(tmp_path / "a.jsonl", lines({**SMITH, "repo": repo}))
    assert (made.origin, made.commit) == (origin, commit)


def test_what_a_patch_does_can_be_said(tmp_path):
    (made,) = read(tmp_path / "a.jsonl", lines(BENCH), patch_makes_bug=True)
    assert made.patch_makes_bug


def test_every_kind_of_file_gives_the_same(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = {**BENCH, "FAIL_TO_PASS": ["t.py::a"], "PASS_TO_PASS": ["t.py::c"]}
    by_id = {whole["instance_id"]: {key: value for key, value in whole.items() if key != "instance_id"}}
    found = [
        read(tmp_path / "a.jsonl", lines(whole)),
        read(tmp_path / "a.jsonl.gz", gzip.compress(lines(whole).encode())),
        read(tmp_path / "list.json", json.dumps([whole])),
        read(tmp_path / "dict.json", json.dumps(by_id)),
    ]
    pq.write_table(pa.Table.from_pylist([whole]), tmp_path / "a.parquet")
    found.append(list(read_instances(tmp_path / "a.parquet")))
    assert [len(instances) for instances in found] == [1] * 5
    assert all(instances == found[0] for instances in found)


def test_a_time_of_parquet_becomes_text(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([{**BENCH, "created_at": datetime(2022, 3, 3)}]), tmp_path / "a.parquet")
    (made,) = read_instances(tmp_path / "a.parquet")
    assert made.created_at == "2022-03-03T00:00:00"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repo": None}, r"a\.jsonl, line 3: repo: is missing or empty"),
        ({"instance_id": " "}, r"line 3: instance_id: is missing or empty"),
        ({"patch": 3}, r"line 3: patch: must be text, not int"),
        ({"FAIL_TO_PASS": "['t.py::a']"}, r"line 3: FAIL_TO_PASS: text that is no JSON"),
        ({"FAIL_TO_PASS": None}, r"line 3: FAIL_TO_PASS: is missing"),
        ({"PASS_TO_PASS": [1]}, r"line 3: PASS_TO_PASS: must be a list of test ids"),
        ({"PASS_TO_PASS": '{"a": 1}'}, r"line 3: PASS_TO_PASS: must be a list of test ids"),
        ({"created_at": 10**30}, r"line 3: created_at: .* is no time"),
    ],
)
def test_a_mistake_is_named_by_file_row_and_key(tmp_path, change, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path / "a.jsonl", lines(BENCH, {**BENCH, **change}))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", "{", "a.jsonl, line 1: no JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl, line 1: a row must be an object, not list"),
        ("a.json", "[", "a.json: no JSON"),
        ("a.json", '{"x": 1}', "a.json, key 'x': a row must be an object, not int"),
        ("a.parquet", "PAR1", "no readable Parquet"),
        ("a.jsonl.gz", "no gzip", "a.jsonl.gz: "),
        ("a.csv", "", "cannot tell what it is"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path, name, text, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path / name, text)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl"):
        list(read_instances(tmp_path / "none.jsonl"))
