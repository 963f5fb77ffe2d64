"""A small repository full of traps that leave a canary: scripts, build files, git hooks, a folder for PATH."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from datafactory.types import File, Files

CANARY = "/app/canary"
EVIL = "#!/bin/sh\n: > /app/canary\n"
_HOOKS = (
    "post-checkout",
    "pre-commit",
    "post-commit",
    "post-index-change",
    "fsmonitor-watchman",
    "reference-transaction",
)


@cache
def repository() -> Files:
    """The files of a box, with the history of a first commit."""
    texts = {
        "README.md": "# A project\n\nadd and sub, banana\nhéllo\n",
        "src/core.py": "import math\n\n\ndef add(a, b):\n    return a + b\n\n\nclass C:\n    def sub(self, a, b):\n"
        "        return a - b\n",
        "src/other.py": "import os\n\n\ndef other(x):\n    return x\n",
        "tests/test_core.py": "from src.core import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        "a.txt": "a line\nanother line\n",
        "big.txt": "".join(f"{number * 7919 % 100003} some text to sort\n" for number in range(20000)),
        "Makefile": "all:\n\t: > /app/canary\n",
        "evil.awk": 'BEGIN { system(": > /app/canary") }\n',
        "evil.sed": "1e : > /app/canary\n",
        "evil.tcl": "close [open /app/canary w]\n",
        "evil.py": "#!/usr/bin/env python3\nopen('/app/canary', 'w')\n",
        "test_evil.py": "def test_it():\n    open('/app/canary', 'w')\n",
        "prog.c": '#include <stdio.h>\nint main() { fopen("/app/canary", "w"); }\n',
        "prog.sh": "#!/usr/bin/env python3\nopen('/app/canary', 'w')\n",
        "evil.sh": EVIL,
        "bin/ls": EVIL,
    }
    with TemporaryDirectory() as folder:
        top = Path(folder)
        for name, text in texts.items():
            at = top / name
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)
            at.chmod(0o755 if text.startswith("#!") else 0o644)
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", folder]
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"], ["gc", "-q"]):
            subprocess.run([*git, *words], check=True, capture_output=True)
        (top / ".git/config").open("a").write("[user]\n\tname = A\n\temail = a@example.org\n")
        for name in _HOOKS:
            hook = top / ".git/hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(EVIL)
            hook.chmod(0o755)
        (top / ".git/refs/heads").mkdir(parents=True, exist_ok=True)
        (top / ".git/refs/heads/.keep").touch()
        found = (path for path in top.rglob("*") if path.is_file() and not path.is_symlink())
        return {
            f"/app/{path.relative_to(top)}": File(data=path.read_bytes(), mode=path.stat().st_mode & 0o777)
            for path in found
        }
