"""A body goes in the place of another: byte for byte there, whatever its indentation, and nowhere else."""

from __future__ import annotations

import ast
import json.decoder
import json.encoder
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from generators.swe.outline import Outline, Part
from generators.swe.rewriting.body import LARGEST_CODE, Misfit, cut, replaced, spliced_body, written
from generators.swe.rewriting.layout import comments

STANDARD = [Path(module.__file__ or "") for module in (json.decoder, json.encoder, shlex, textwrap)]
MANNERS: dict[str, Callable[[str], str]] = {
    "as it stands": lambda code: code,
    "its first line moved to the margin": str.strip,
    "all moved to the margin": textwrap.dedent,
    "in a fence": lambda code: f"```python\n{code}\n```",
    "with carriage returns": lambda code: code.replace("\n", "\r\n"),
}


def of(outline: Outline, part: Part) -> str:
    return "\n".join(outline.lines[part.first - 1 : part.last])


def margin(outline: Outline, part: Part) -> str:
    return outline.lines[part.first - 1][: outline.indentation(part.first)]


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("file", STANDARD, ids=lambda file: file.name)
def test_a_definition_in_its_own_place_leaves_the_file_as_it_was(file: Path, manner: str) -> None:
    outline = Outline(file.name, file.read_bytes())
    found = 0
    for part in outline.parts:
        here = cut(outline.lines, part.node)
        if here is None or any(isinstance(node, ast.Nonlocal) for node in part.node.body):
            continue
        new = written(MANNERS[manner](of(outline, part)), part, margin(outline, part))
        assert spliced_body(outline, part, here, new) == outline.source.text
        with pytest.raises(Misfit, match="does what it did"):
            replaced(outline, part, new)
        found += 1
    assert found >= 6


@pytest.mark.parametrize("file", STANDARD, ids=lambda file: file.name)
def test_another_body_changes_the_syntax_tree_there_alone(file: Path) -> None:
    data = file.read_bytes()
    outline = Outline(file.name, data)
    for number, part in enumerate(outline.parts):
        here = cut(outline.lines, part.node)
        if here is None:
            continue
        inner = outline.lines[here.body[0].lineno - 1][: here.body[0].col_offset]
        code = "\n".join([*outline.lines[part.first - 1 : here.head], f"{inner}odd = [", "1]", f"{inner}del odd"])
        if part.is_class and any(isinstance(node, ast.FunctionDef) for node in part.node.body):
            continue
        after = replaced(outline, part, written(code, part, margin(outline, part)))
        assert after.splitlines(True)[: here.head] == data.splitlines(True)[: here.head]
        assert after.splitlines(True)[here.head + 3 :] == data.splitlines(True)[here.last :]
        trees = [ast.parse(data), ast.parse(after)]
        for tree in trees:
            node = [each for each in ast.walk(tree) if getattr(each, "name", "") == part.node.name]
            same_place = [each for each in node if getattr(each, "lineno", 0) == part.node.lineno]
            del same_place[0].body[:]  # type: ignore[attr-defined]
        assert ast.dump(trees[0]) == ast.dump(trees[1])
        assert Outline(file.name, after).parts[number].qualname == part.qualname


TABS = b'''class Purse:
\t@property
\tdef coins(self):
\t\t"""All."""
\t\treturn self._coins

\t@coins.setter
\tdef coins(self, value):
\t\tif value < 0:
\t\t\traise ValueError(value)
\t\tself._coins = value

\tasync def spend(self, *, value=1): # noqa
\t\tself.coins = (self.coins
\t\t              - value)
'''


def place(outline: Outline, qualname: str, number: int = 0) -> Part:
    return [part for part in outline.parts if part.qualname == qualname][number]


def test_a_setter_is_not_taken_for_its_property_and_spaces_become_the_files_tabs() -> None:
    outline = Outline("purse.py", TABS)
    code = "@coins.setter\ndef coins(self, value):\n    if value < 1:\n        raise ValueError(\n            value)\n"
    code += "\n    self._coins = value"
    after = replaced(outline, place(outline, "Purse.coins", 1), written(code, place(outline, "Purse.coins", 1), "\t"))
    wanted = b"\t\tif value < 1:\n\t\t\traise ValueError(\n\t\t\t    value)\n\n\t\tself._coins = value\n"
    assert after == TABS.replace(TABS[TABS.index(b"\t\tif value") : TABS.index(b"\n\tasync")], wanted)


def test_carriage_returns_and_a_missing_last_newline_stay() -> None:
    data = TABS.replace(b"\n", b"\r\n")[:-2]
    outline = Outline("purse.py", data)
    part = place(outline, "Purse.spend")
    code = "\tasync def spend(self, *, value=1):\n\t\tself.coins = '''\n  x'''\n\t\treturn value"
    after = replaced(outline, part, written(code, part, "\t"))
    assert after.endswith(b"value=1): # noqa\r\n\t\tself.coins = '''\r\n  x'''\r\n\t\treturn value")
    assert after.count(b"\r\n") == after.count(b"\n")


def test_the_head_of_the_file_stays_whatever_the_answers_head_looks_like() -> None:
    outline = Outline("purse.py", TABS)
    part = place(outline, "Purse.coins")
    code = 'def coins(self) -> int:\n  """Some of them."""\n  # Own comment.\n  return 0'
    after = replaced(outline, part, written(code, part, "\t"))
    assert after == TABS.replace(b"\t\treturn self._coins\n", b"\t\t# Own comment.\n\t\treturn 0\n")


def test_a_line_in_a_string_moves_only_where_the_whole_text_was_moved() -> None:
    data = b'class A:\n    def f(self):\n        x = """\n        kept\n    """\n        return x\n'
    outline = Outline("a.py", data)
    part = place(outline, "A.f")
    moved = 'def f(self):\n    x = """\n    kept\n"""\n    return x + """\n    new\n"""'
    after = replaced(outline, part, written(moved, part, "    "))
    assert after == data.replace(b"return x\n", b'return x + """\n    new\n    """\n')
    same = cut(outline.lines, part.node)
    assert same is not None
    dedented = written(moved.replace(' + """\n    new\n"""', ""), part, "    ")
    assert spliced_body(outline, part, same, dedented) == data.decode()


FUNCTION = b'''def clip(value, low=0, high=10):
    """Put it between."""
    # The lower end first.
    if value < low:
        return low
    return min(value, high)


class Clip(dict):
    def one(self):
        return 1

    def two(self, x):
        return x
'''
HEAD = "def clip(value, low=0, high=10):\n"
CLASS = "class Clip(dict):\n    def one(self):\n        return 2\n"


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("clip", "", "not_the_function"),
        ("clip", "clip = max", "not_the_function"),
        ("clip", "def clop(value, low=0, high=10):\n    return 1", "not_the_function"),
        ("clip", f"import os\n{HEAD}    return 1", "not_the_function"),
        ("clip", f"{HEAD}    return 1\nprint(1)", "not_the_function"),
        ("clip", f"async {HEAD}    return 1", "not_the_function"),
        ("clip", "def clip(value, low=0, high=11):\n    return 1", "signature_changed"),
        ("clip", "def clip(value, low=0, *, high=10):\n    return 1", "signature_changed"),
        ("clip", "def clip(value, low=0):\n    return 1", "signature_changed"),
        ("clip", f"@cache\n{HEAD}    return 1", "signature_changed"),
        ("clip", f"{HEAD}    return (", "code_syntax"),
        ("clip", f"{HEAD}  return 1\n    return 2", "code_syntax"),
        ("clip", f"{HEAD}    return {'-' * 5000}1", "code_syntax"),
        ("clip", f"{HEAD}    return {'9' * 5000}", "code_syntax"),
        ("clip", f"{HEAD}    return {'(' * 300}1{')' * 300}", "code_syntax"),
        ("clip", f"{HEAD}    return '\x00'", "not_text"),
        ("clip", f"{HEAD}    return '\x1b[1m'", "not_text"),
        ("clip", f"{HEAD}    return '\ud800'", "not_text"),
        ("clip", f"{HEAD}    return '{'x' * LARGEST_CODE}'", "too_large"),
        ("clip", "def clip(value, low=0, high=10): return 1", "layout"),
        ("clip", f'{HEAD}    """Put it between."""', "layout"),
        ("clip", FUNCTION.decode().split("\n\n\n")[0].replace("first.", "last."), "no_change"),
        ("Clip", "class Clip(list):\n    def one(self):\n        return 2", "signature_changed"),
        ("Clip", CLASS, "signature_changed"),
        ("Clip", f"{CLASS}    @property\n    def two(self, x):\n        return x", "signature_changed"),
        ("Clip", f"{CLASS}    def two(self, x, y):\n        return x", "signature_changed"),
    ],
)
def test_what_does_not_go_there_is_refused_with_a_reason(name: str, code: str, reason: str) -> None:
    outline = Outline("clip.py", FUNCTION)
    part = place(outline, name)
    with pytest.raises(Misfit) as caught:
        replaced(outline, part, written(code, part, ""))
    assert caught.value.reason == reason and str(caught.value)


def test_a_letter_that_the_file_has_no_bytes_for_is_refused() -> None:
    outline = Outline("clip.py", b"# -*- coding: latin-1 -*-\n" + FUNCTION)
    part = place(outline, "clip")
    assert replaced(outline, part, written(f"{HEAD}    return 'ä'", part, "")).count(b"'\xe4'") == 1
    with pytest.raises(Misfit) as caught:
        replaced(outline, part, written(f"{HEAD}    return '→'", part, ""))
    assert caught.value.reason == "encoding"


def test_comments_are_told_from_texts() -> None:
    assert comments(["x = '# no'  # yes", "# more", "y = 1  # not asked"], 1, 2) == ["# yes", "# more"]
