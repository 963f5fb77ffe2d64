"""What a commit's message may tell of its fix: nothing of who wrote it, nothing that gives the fix away."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_TRAILER = re.compile(r"^\s*(?:[A-Z][\w-]*-by|cc|reported|reviewers?|author):.*$", re.I | re.M)
_ADDRESS = re.compile(r"<?[\w.+-]+@[\w-]+(?:\.[\w-]+)+>?|(?<![\w/])@[A-Za-z][\w-]*")
_BLANKS = re.compile(r"\n{3,}")
LONGEST = 4_000
"""Characters; a longer message is a list of many things."""


def hints(message: str, people: Sequence[str], leaks: Callable[[str], str | None]) -> str:
    """The message without trailers and addresses; empty where it would still name one of `people` (names and
    addresses), where `leaks` refuses it, and where it is too long."""
    text = _BLANKS.sub("\n\n", _ADDRESS.sub("", _TRAILER.sub("", message))).strip()
    named = any(re.search(rf"(?<!\w){re.escape(person)}(?!\w)", text, re.I) for person in people if len(person) > 2)
    return "" if named or len(text) > LONGEST or leaks(text) is not None else text
