"""Runs in a box: judges a file that must hold one number (arguments: the file, the right number)."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path

LONGEST = 4096
NUMBER = re.compile(r"([+-]?)[$€£]?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)%?")
TOLERANCE = Decimal("1e-6")


def main(path: str, right: str) -> str | None:
    """What is wrong with the file at `path`; None: nothing is."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LONGEST).decode(errors="replace").strip()
    except OSError as error:
        return f"{path}: {error.strerror}"
    found = NUMBER.fullmatch(text)
    if found is None:
        return f"{path} must hold one number, and holds {text[:80]!r}"
    value, wanted = Decimal(found[1] + found[2].replace(",", "")), Decimal(right)
    if abs(value - wanted) > TOLERANCE * max(Decimal(1), abs(wanted)):
        return f"{path} holds {text!r}, which is not the right number"
    return None


if __name__ == "__main__":
    wrong = main(sys.argv[1], sys.argv[2])
    if wrong is not None:
        print(wrong)
        sys.exit(1)
