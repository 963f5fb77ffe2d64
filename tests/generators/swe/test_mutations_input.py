"""Files that are odd, broken or not ours to break: each has a clear outcome, and loses nothing."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.errors import DataError
from generators.swe.mutations import Unreadable, excluded, find_sites, mutated, read

CODE = "def f(a, b):\n    return a < b\n"

UNREADABLE = {
    "syntax error": (b"def f(:\n", "syntax"),
    "Python 2": (b"print 'a'\n", "syntax"),
    "a null byte": (b"x = 1\x00\n", "syntax"),
    "tabs and spaces mixed": (b"if 1:\n        x = 1\n\ty = 1\n", "syntax"),
    "return outside a function": (b"return 1\n", "syntax"),
    "not the encoding that it says": (b"# coding: ascii\nx = '\xc3\xa9'\n", "encoding"),
    "an encoding that does not exist": (b"# coding: nonesuch\n", "encoding"),
    "Latin-1 without a cookie": (b"x = '\xe9'\n", "encoding"),
    "a byte order mark and another cookie": (codecs.BOM_UTF8 + b"# coding: latin-1\n", "encoding"),
    "UTF-16": ("x = 1\n".encode("utf-16"), "encoding"),
    "too large": (b"x = 1\n" * 200_000, "too_large"),
    "a sum of ten thousand terms": (b"x = " + b"+".join([b"1"] * 10_000) + b"\n", "too_deep"),
    "a sum of five hundred terms": (b"x = " + b"+".join([b"1"] * 500) + b"\n", "too_deep"),
    "five thousand brackets": (b"x = " + b"[" * 5_000 + b"]" * 5_000 + b"\n", None),
    "old Macintosh newlines": (b"def f():\r    return 1\r", "round_trip"),
    "a form feed in an indentation": (b"def f():\n    x = 1\n\x0c    return 1\n", "round_trip"),
}


@pytest.mark.parametrize(("data", "reason"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_cannot_be_read_says_why(data: bytes, reason: str | None) -> None:
    with pytest.raises(Unreadable, match=r"^pkg/odd\.py: ") as caught:
        find_sites(read("pkg/odd.py", data))
    assert isinstance(caught.value, DataError)
    assert caught.value.reason == reason or (reason is None and caught.value.reason in ("syntax", "too_deep"))


@pytest.mark.parametrize("levels", [30, 60, 90, 120, 145, 199])
def test_deep_code_is_walked_or_refused(levels: int) -> None:
    branches = "".join(f"elif a == {i}:\n    f({i})\n" for i in range(levels))
    for code in (
        "x = " + "[" * levels + "a < b" + "]" * levels + "\n",
        "x = " + "f(" * levels + "a < b" + ")" * levels + "\n",
        "x = a" + ".f(a < b)" * levels + "\n",
        "x = a" + " + a" * levels + "\n",
        "x = (\n" + "    'a'\n" * levels + ")\n",
        branches[2:],
    ):
        try:
            found = find_sites(read("a.py", code.encode()))
        except Unreadable as error:
            assert error.reason in ("too_deep", "syntax")
            assert levels > 60
        else:
            assert found or "'a'" in code


READABLE = {
    "a byte order mark": codecs.BOM_UTF8 + CODE.encode(),
    "Windows newlines": CODE.replace("\n", "\r\n").encode(),
    "mixed newlines": b"x = 1\r\n" + CODE.encode(),
    "a byte order mark and Windows newlines": codecs.BOM_UTF8 + CODE.replace("\n", "\r\n").encode(),
    "Latin-1": ("# -*- coding: latin-1 -*-\nx = 'é'\n" + CODE).encode("latin-1"),
    "Shift JIS": ("# coding: shift_jis\nx = '日本'\n" + CODE).encode("shift_jis"),
    "letters beyond ASCII": ("naïve = '🦉' + '日本'\n" + CODE + "# ünder\n").encode(),
    "form feeds between functions": b"x = 1\n\x0c\n" + CODE.encode() + b"\x0c\n",
    "tabs": CODE.replace("    ", "\t").encode(),
    "no newline at the end": CODE.rstrip().encode(),
    "a continued line": b"def f(a, b):\n    return a \\\n       < b\n",
    "a shebang and blanks at the end": b"#!/usr/bin/python\n" + CODE.encode() + b"\n   \n\n",
    "half a megabyte": CODE.encode() + b"# comment\n" * 50_000,
}


@pytest.mark.parametrize("data", READABLE.values(), ids=list(READABLE))
def test_what_is_odd_is_kept_byte_for_byte(data: bytes) -> None:
    source = read("pkg/odd.py", data)
    sites = find_sites(source, ["comparison_boundary"])
    assert [mutated(source, [site]) for site in sites] == [data.replace(b"< b", b"<= b")]


@pytest.mark.parametrize("data", [b"", b"\n", b"# nothing\n", codecs.BOM_UTF8, b"\x0c", b"'''Doc.'''\n", b"   \n"])
def test_a_file_without_code_has_no_sites(data: bytes) -> None:
    assert find_sites(read("pkg/odd.py", data)) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        source = read("a.py", data)
        sites = find_sites(source)
    except Unreadable:
        return
    assert source.encoded(source.text) == data
    assert all(mutated(source, [site]) != data for site in sites)


@given(st.text(alphabet=" \t\n\r\x0cif:x=01()[]+-<andort#'\"\\", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    test_any_bytes_are_read_or_refused.hypothesis.inner_test(text.encode())


EXCLUDED = {
    "pkg/test_core.py": "tests",
    "pkg/core_test.py": "tests",
    "pkg/tests/core.py": "tests",
    "tests/helpers/made.py": "tests",
    "conftest.py": "build",
    "docs/source/ext.py": "aside",
    "examples/run.py": "aside",
    "pkg/_vendor/six.py": "vendored",
    "pkg/_version.py": "version",
    "setup.py": "build",
    "pkg/__main__.py": "build",
    "pkg/app/migrations/0001_initial.py": "migration",
    "pkg/wire_pb2.py": "generated",
    ".tox/py/core.py": "hidden",
    "pkg.egg-info/core.py": "hidden",
    "pkg/core.pyi": "not_python",
    "README.md": "not_python",
    "pkg/core.py": None,
    "src/pkg/__init__.py": None,
    "pkg/contest.py": None,
    "tools/release/notes.py": "aside",
    "src/build/env/tools/core.py": None,
    "pkg/attestation.py": None,
}


@pytest.mark.parametrize(("path", "reason"), EXCLUDED.items(), ids=list(EXCLUDED))
def test_files_that_are_no_code_of_the_package_are_left_alone(path: str, reason: str | None) -> None:
    assert excluded(path, CODE.encode()) == reason


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("pkg/__init__.py", b"from pkg.core import f\n__all__ = ['f']\n", "re_exports"),
        ("pkg/names.py", b"A = 1\n", "no_code"),
        ("pkg/gram.py", b"# This file was generated by PLY. Do not edit!\n" + CODE.encode(), "generated"),
        ("pkg/table.py", CODE.encode() + b"T = '" + b"x" * 3000 + b"'\n", "generated"),
        ("pkg/core.py", b"async def f():\n    return 1\n", None),
        ("pkg/empty.py", b"", "no_code"),
    ],
)
def test_what_a_file_holds_can_exclude_it(path: str, data: bytes, reason: str | None) -> None:
    assert excluded(path, data) == reason
