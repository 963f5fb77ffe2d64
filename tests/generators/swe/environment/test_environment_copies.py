"""Code of a repository's modules is found wherever it lies a second time: copied, packed, compiled away, or in part."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from datafactory.types import File, files
from generators.swe.environment import copies
from generators.swe.environment.copies import Copies, Found, below, find_copies, kept, leavings, removable
from generators.swe.environment.inside.copies import main
from sandboxes.namespace import NamespaceSandbox

CORE = '''"""Words."""


def most_common(words, least=1):
    """The words that are there at least so often, the most frequent first."""
    counts = {}
    for word in words:
        # a comment
        counts[word] = counts.get(word, 0) + 1
    kept = [word for word in counts if counts[word] >= least]

    return sorted(kept, key=lambda word: (-counts[word], word))


def between(value, low, high):
    """Whether low <= value < high."""
    if low > high:
        raise ValueError("low is above high")
    return low <= value and value < high
'''
FIX = """--- a/src/tiny/core.py
+++ b/src/tiny/core.py
@@ -17,4 +17,4 @@ def between(value, low, high):
     \"\"\"Whether low <= value < high.\"\"\"
     if low > high:
         raise ValueError("low is above high")
-    return low <= value and value <= high
+    return low <= value and value < high
"""


def found(top: Path, lying: dict[str, str | bytes]) -> dict[str, Found]:
    """What the program finds below a folder that stands for a box."""
    for path, content in {"repo/src/tiny/core.py": CORE, **lying}.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content.encode() if isinstance(content, str) else content)
    said = main(["src/tiny/core.py"], str(top / "repo"), str(top / "env"), top=str(top / "usr"))
    return {each["path"].removeprefix(f"{top}/"): Found.model_validate(each) for each in said}


def test_copies_are_found_whatever_they_are_packed_in(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("tiny/core.py", CORE)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        member = tarfile.TarInfo("tiny-1.0/core.py")
        member.size = len(CORE.encode())
        archive.addfile(member, io.BytesIO(CORE.encode()))
    cells = json.dumps({"source": CORE.splitlines(keepends=True)}, indent=1)
    html = "".join(f'<p><span class="t">{line.replace("<", "&lt;")}</span></p>\n' for line in CORE.splitlines())
    copied = {
        "repo/build/lib/tiny/core.py": CORE,
        "repo/dist/tiny.whl": packed.getvalue(),
        "repo/tiny.tar.gz": tar.getvalue(),
        "repo/core.txt.gz": gzip.compress(CORE.encode()),
        "repo/notes.ipynb": cells,
        "repo/docs/core.html": html,
        "repo/fix.patch": "".join(f"+{line}\n" for line in CORE.splitlines()),
        "env/lib/site-packages/pip/_vendor/tiny/core.py": CORE.replace("(value, low", "(low, value"),
        "usr/lib/python3/dist-packages/tiny/core.py": CORE,
        "usr/share/tiny.zip": packed.getvalue(),
    }
    others = {
        "repo/tests/test_core.py": "from tiny.core import between\n\n\ndef test(): assert between(1, 1, 2)\n",
        "repo/README.md": "Use `between(value, low, high)`.\n",
        "repo/broken.zip": b"PK\3\4 and then nothing",
        "usr/share/elsewhere.txt": CORE,
        "usr/lib/core.py": "def other():\n    return 1\n",
    }
    seen = found(tmp_path, {**copied, **others})
    assert set(seen) == set(copied)
    assert min(each.share for each in seen.values()) >= 0.5
    assert {path for path, each in seen.items() if each.member} == {
        "repo/dist/tiny.whl", "repo/tiny.tar.gz", "repo/core.txt.gz", "usr/share/tiny.zip",
    }  # fmt: skip


def test_what_is_left_of_a_copy_keeps_the_same_lines_from_being_broken(tmp_path: Path) -> None:
    part = CORE[CORE.index("def between") :]
    (there,) = found(tmp_path, {"repo/src/tiny/other.py": f"import os\n\n\n{part}\n\nx = 1\n"}).values()
    assert (there.share < copies.HALF, there.same) == (True, False)
    stays = kept([there], [])
    assert stays.modules == ()
    assert stays.of(FIX) == "src/tiny/core.py: the same lines stand in another file"
    assert stays.of(FIX.replace("low is above high", "no range")) is None
    assert Copies(modules=("src/tiny/core.py",)).of(FIX) == "src/tiny/core.py has a second copy"
    assert Copies().of(FIX) is None


def a_copy(path: str, member: str = "", share: float = 1.0) -> Found:
    return Found(path=path, member=member, module="src/tiny/core.py", share=share, same=False, runs=())


def test_what_builds_and_editors_left_goes_and_code_stays() -> None:
    left = ["build/lib/tiny/core.py", "dist/tiny.whl", "src/tiny/core.py.orig", "src/tiny/core.py~", "a.patch"]
    stays = ["src/other/core.py", "vendor/core.py", "docs/core.rst"]
    assert leavings([a_copy(f"/testbed/{path}") for path in (*left, *stays)]) == sorted(
        f"/testbed/{path}" for path in left
    )
    assert leavings([a_copy("/usr/lib/build/core.py")]) == []


def test_of_the_image_packages_and_archives_go_and_no_python_loses_its_library() -> None:
    there = [
        a_copy("/usr/lib/python3/dist-packages/tiny/core.py"),
        a_copy("/usr/lib/python3/dist-packages/pip/_vendor/tiny/core.py"),
        a_copy("/usr/share/python-wheels/pip.whl", "pip/_vendor/tiny/core.py"),
        a_copy("/usr/lib/python3.11/ensurepip/_bundled/pip.whl", "pip/_vendor/tiny/core.py"),
        a_copy("/usr/lib/python3.11/tiny/core.py"),
        a_copy("/usr/share/other/core.py", share=0.1),
        a_copy("/opt/env/lib/python3.11/site-packages/dependency/core.py"),
        a_copy("/testbed/vendor/core.py"),
    ]
    assert removable(there) == [
        "/usr/lib/python3.11/ensurepip/_bundled/pip.whl",
        "/usr/lib/python3/dist-packages/pip/_vendor/tiny",
        "/usr/lib/python3/dist-packages/tiny",
        "/usr/share/python-wheels/pip.whl",
    ]


@pytest.mark.namespace
async def test_what_the_machine_has_of_a_repository_is_gone_from_the_boxes_of_its_tasks() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr("pip/_vendor/tiny/core.py", CORE)
    older = CORE.replace("(value, low", "(low, value")
    there = files(
        {
            "/usr/lib/python3/dist-packages/tiny/core.py": older,
            "/usr/lib/python3/dist-packages/tiny/__pycache__/core.cpython-311.pyc": b"compiled",
            "/usr/share/python-wheels/tiny.whl": packed.getvalue(),
            "/usr/lib/python3.11/tiny/core.py": CORE,
            "/testbed/src/tiny/core.py": CORE,
            "/opt/env/bin/python": File(link="/usr/bin/python3"),
        }
    )
    checkout = {path.removeprefix("/testbed/"): file for path, file in there.items() if path.startswith("/testbed/")}
    async with NamespaceSandbox().start() as host:
        async with host.open("software_engineering", there) as box:
            seen = await find_copies(box, checkout)
        hidden = removable(seen)
        left = kept([each for each in seen if not below(each.path, hidden)], hidden)
        async with host.open("software_engineering", there, prepare=left.prepare) as box:
            found = await box.exec(
                "find /usr/lib/python3* /usr/share/python-wheels /opt /testbed -path '*tiny*' -type f | sort"
            )
    assert hidden == ["/usr/lib/python3/dist-packages/tiny", "/usr/share/python-wheels/tiny.whl"]
    assert found.stdout.decode().split() == ["/testbed/src/tiny/core.py", "/usr/lib/python3.11/tiny/core.py"]
    assert left.of(FIX) == "src/tiny/core.py has a second copy", "a Python's own library cannot be taken away"
