"""A second copy of a repository's modules is found wherever it lies in an environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from datafactory.types import files
from generators.swe.environment import build
from generators.swe.environment.build import modules


def test_copies_are_found_under_any_roof_and_compared(tmp_path: Path) -> None:
    checkout = files({"src/tiny/__init__.py": "", "src/tiny/core.py": "x = 1\n", "src/tiny/more.py": "y = 1\n"})
    lying = {
        "pip/_vendor/tiny/core.py": "x = 0\n",
        "other/tiny/core.py": "x = 1\n",
        "tiny/more.py": "y = 1\n",
        "tiny/__init__.py": "",
        "core.py": "x = 1\n",
        "shiny/core.py": "x = 1\n",
    }
    for path, text in lying.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    program = Path(build.__file__).parent / "inside" / "copies.py"
    lines = "".join(f"{digest} {module}\n" for module, digest in modules(checkout).items())
    said = subprocess.run([sys.executable, str(program), str(tmp_path)], input=lines, capture_output=True, text=True)
    assert json.loads(said.stdout) == {
        "pip/_vendor/tiny/core.py": False,
        "other/tiny/core.py": True,
        "tiny/more.py": True,
    }
