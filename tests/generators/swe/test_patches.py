"""Patches of others are applied to files in memory, or refused."""

from pathlib import Path

import pytest

from datafactory.types import File, files
from generators.swe.known.patches import PatchFailed, applied, between, changed, patch_of
from tests.generators.swe.sources.made import commit, git, repository

BEFORE = files(
    {
        "a.py": "one\n" * 20 + "two\n",
        "odd name\t.txt": b"no line end",
        "data.bin": bytes(range(256)),
        "gone/away.py": "x = 1\n",
        "moves.py": "".join(f"line {number}\n" for number in range(30)),
    }
)


def test_what_git_shows_can_be_applied_and_taken_back(tmp_path: Path) -> None:
    first = repository(tmp_path / "r", {path: file.data for path, file in BEFORE.items()})
    (tmp_path / "r" / "gone" / "away.py").unlink()
    git(tmp_path / "r", "mv", "moves.py", "moved.py")
    (tmp_path / "r" / "a.py").chmod(0o755)
    new = {"a.py": "one\n" * 20 + "three\n", "data.bin": bytes(range(255, -1, -1)), "new/b.py": b"b = 'gr\xc3\xbcn'\n"}
    second = commit(tmp_path / "r", {**new, "odd name\t.txt": "a line end\n"})
    patch = git(tmp_path / "r", "diff", "--binary", "-M", first, second)
    change = applied(BEFORE, patch)
    assert change["gone/away.py"] is None and change["moves.py"] is None
    assert change["moved.py"] == BEFORE["moves.py"] and change["a.py"] is not None and change["a.py"].mode == 0o755
    after = changed(BEFORE, change)
    assert {path: file.data for path, file in after.items() if path in new} == {
        path: text if isinstance(text, bytes) else text.encode() for path, text in new.items()
    }
    assert changed(after, applied(after, patch, reverse=True)) == BEFORE
    assert between(BEFORE, after) == change and applied(BEFORE, "\n") == {}


def test_hunks_may_have_moved_but_must_fit() -> None:
    patch = patch_of(BEFORE, {"a.py": File(data=b"one\n" * 20 + b"three\n")})
    later = {"a.py": File(data=b"zero\n" + BEFORE["a.py"].data)}
    assert applied(later, patch)["a.py"] == File(data=b"zero\n" + b"one\n" * 20 + b"three\n")
    with pytest.raises(PatchFailed, match="patch does not apply"):
        applied({"a.py": File(data=b"four\n")}, patch)
    with pytest.raises(PatchFailed, match="No such file"):
        applied({}, patch)


@pytest.mark.parametrize("path", ["../out.py", ".git/config", "/etc/passwd"])
def test_nothing_outside_of_the_repository_is_touched(path: str) -> None:
    with pytest.raises(PatchFailed, match="outside"):
        applied(
            {}, f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
        )


def test_links_are_refused() -> None:
    head = "diff --git a/to b/to\nnew file mode 120000\n--- /dev/null\n+++ b/to\n@@ -0,0 +1 @@\n+/etc/passwd\n"
    with pytest.raises(PatchFailed, match="makes a link"):
        applied({}, head + "\\ No newline at end of file\n")
    with pytest.raises(PatchFailed, match="changes a link"):
        applied({"a.py": File(link="/etc/passwd")}, patch_of(BEFORE, {"a.py": None}))
