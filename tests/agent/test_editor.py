"""The editor on real files of a box: what it shows, what it refuses, what it takes back."""

from __future__ import annotations

from typing import Any

import pytest

from datafactory.agent.editor import ERROR, LARGEST, Editor
from datafactory.errors import SandboxError


@pytest.fixture
def edit(box: Any) -> Any:
    """Calls the editor with a path under the workdir."""
    editor = Editor(box, str(box.root))

    async def run(command: str, path: str = "a.py", **more: Any) -> str:
        return await editor.run({"command": command, "path": str(box.root / path), **more})

    return run


async def test_a_file_is_shown_with_numbers(box: Any, edit: Any):
    (box.root / "a.py").write_bytes(b"\xef\xbb\xbfimport x\r\n\tif y:\x0c\r\nend")
    shown = await edit("view")
    assert shown == f"{box.root}/a.py, numbered as by `cat -n`:\n     1\timport x\n     2\t\tif y:\x0c\n     3\tend"


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        ([2, 3], ["     2\tl2", "     3\tl3"]),
        ([4, -1], ["     4\tl4", "     5\tl5"]),
        ([5, 9], ["     5\tl5", "[the file ends with line 5]"]),
    ],
)
async def test_a_part_of_a_file_is_shown(box: Any, edit: Any, span: list[int], shown: list[str]):
    (box.root / "a.py").write_text("l1\nl2\nl3\nl4\nl5\n")
    assert (await edit("view", view_range=span)).split("\n")[1:] == shown


@pytest.mark.parametrize("span", [[0, 2], [6, 7], [3, 2], [-1, -1], [1], [1, 2, 3], []])
async def test_a_part_that_is_not_there_is_an_error(box: Any, edit: Any, span: list[int]):
    (box.root / "a.py").write_text("l1\nl2\nl3\nl4\nl5\n")
    assert (await edit("view", view_range=span)).startswith(f"{ERROR}`view_range`")


async def test_a_folder_is_shown_two_levels_deep_without_hidden_entries(box: Any, edit: Any):
    for path in ("b/c/d/deep.py", ".git/config", "b/.hidden", "a\nb", ".github/x/y"):
        (box.root / path).parent.mkdir(parents=True, exist_ok=True)
        (box.root / path).touch()
    assert await edit("view", "") == (f"{box.root}, two levels deep:\na\nb\nb/\nb/c/\n[3 hidden entries are not shown]")
    assert (await edit("view", ".github")).split("\n")[1:] == ["x/", "x/y"]
    assert (await edit("view", "b", view_range=[1, 2])).startswith(f"{ERROR}`view_range` is for files")


async def test_a_file_is_made_once(box: Any, edit: Any):
    assert await edit("create", "new/x.py", file_text="a\r\nb") == f"{box.root}/new/x.py was made, with 2 lines."
    assert (box.root / "new/x.py").read_bytes() == b"a\r\nb"
    assert (await edit("create", "new/x.py", file_text="")).startswith(f"{ERROR}{box.root}/new/x.py is there already")
    assert "cannot be made" in await edit("create", "new/x.py/y.py", file_text="")
    assert (await edit("create", "new", file_text="")).startswith(ERROR)


async def test_an_edit_keeps_mode_ends_of_lines_and_links(box: Any, edit: Any):
    file = box.root / "run.sh"
    file.write_bytes(b"#!/bin/sh\r\n\techo one\r\n")
    file.chmod(0o755)
    (box.root / "link").symlink_to("run.sh")
    shown = await edit("str_replace", "link", old_str="sh\n\techo one\n", new_str="sh\n\techo two\n\techo three\n")
    assert file.read_bytes() == b"#!/bin/sh\r\n\techo two\r\n\techo three\r\n"
    assert file.stat().st_mode & 0o777 == 0o755
    assert (box.root / "link").is_symlink()
    assert shown.endswith("     1\t#!/bin/sh\n     2\t\techo two\n     3\t\techo three")


async def test_edits_are_taken_back_one_by_one(box: Any, edit: Any):
    await edit("create", file_text="one")
    await edit("insert", insert_line=1, new_str="two\n")
    await edit("str_replace", old_str="one\n")
    assert (box.root / "a.py").read_text() == "two\n"
    assert (await edit("undo_edit")).endswith("     1\tone\n     2\ttwo")
    assert (await edit("undo_edit")).endswith("     1\tone")
    assert (box.root / "a.py").read_text() == "one"
    assert "it was new" in await edit("undo_edit")
    assert not (box.root / "a.py").exists()
    assert (await edit("undo_edit")).startswith(f"{ERROR}there is no edit")


async def test_what_something_else_changed_is_not_overwritten_by_taking_back(box: Any, edit: Any):
    await edit("create", file_text="one\n")
    await edit("str_replace", old_str="one", new_str="two")
    (box.root / "a.py").write_text("by hand\n")
    assert "changed since by something else" in await edit("undo_edit")
    assert (box.root / "a.py").read_text() == "by hand\n"


async def test_a_file_emptied_is_said_to_be_empty(box: Any, edit: Any):
    (box.root / "a.py").write_text("one\n")
    assert (await edit("str_replace", old_str="one\n")).endswith("It is empty now.")
    assert await edit("view") == f"{box.root}/a.py is empty."
    assert "the file is empty" in await edit("view", view_range=[1, -1])


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"\x7fELF\0", "binary"), (b"caf\xe9\n", "is not UTF-8: byte 3"), (b"x" * (LARGEST + 1), "the editor takes")],
)
async def test_what_is_no_text_is_refused(box: Any, edit: Any, data: bytes, why: str):
    (box.root / "a.py").write_bytes(data)
    for answer in (
        await edit("view"),
        await edit("str_replace", old_str="x"),
        await edit("insert", insert_line=0, new_str=""),
    ):
        assert answer.startswith(ERROR)
        assert why in answer
    assert (box.root / "a.py").read_bytes() == data


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"command": "view", "path": "a.py"}, "must be absolute"),
        ({"command": "view", "path": "/no/such"}, "there is no file /no/such"),
        ({"command": "view", "path": "/dev/null"}, "no regular file"),
        ({"command": "str_replace", "path": "/usr", "old_str": "x"}, "/usr is a folder"),
        ({"command": "create", "path": "/x\0y", "file_text": ""}, "NUL"),
        ({"command": "create", "path": "/x", "file_text": "\ud800"}, "lone surrogate"),
        ({"command": "create", "path": "/proc/x", "file_text": ""}, "may not be written"),
        ({"command": "create", "path": "/tmp/" + "x" * 256, "file_text": ""}, "longer than"),
        ({"command": "create", "path": "/tmp/nowhere"}, "needs `file_text`"),
        ({"command": "insert", "path": "/etc/hostname", "new_str": "x"}, "needs `insert_line`"),
        ({"command": "str_replace", "path": "/etc/hostname", "old_str": None}, "needs `old_str`"),
    ],
)
async def test_a_wrong_command_is_an_answer(box: Any, arguments: dict[str, Any], why: str):
    answer = await Editor(box, str(box.root)).run(arguments)
    assert answer.startswith(ERROR)
    assert why in answer


async def test_a_box_that_answers_but_takes_no_file_is_the_attempts_and_a_broken_one_is_ours(box: Any):
    class Full:
        """Every file is one too many for its disk."""

        def __init__(self, broken: bool) -> None:
            self.broken = broken

        async def read(self, path: str) -> bytes | None:
            return None

        async def exec(self, command: Any, **more: Any) -> Any:
            if self.broken and command == ["true"]:
                raise SandboxError("the box is gone")
            return await box.exec(command, **more)

        async def write(self, *_: Any, **__: Any) -> None:
            raise SandboxError("no space left")

    call = {"command": "create", "path": f"{box.root}/x", "file_text": "x"}
    answer = await Editor(Full(broken=False), "/").run(call)  # type: ignore[arg-type]
    assert answer == f"{ERROR}{box.root}/x was not written: no space left"
    with pytest.raises(SandboxError, match="the box is gone"):
        await Editor(Full(broken=True), "/").run(call)  # type: ignore[arg-type]
