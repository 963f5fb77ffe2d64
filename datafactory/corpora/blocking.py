"""Block lists: pages, such as those of a benchmark, that no search finds and nobody may open."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.corpora.urls import Naming, key
from datafactory.errors import DataError
from datafactory.types import digest_of

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus


@dataclass(frozen=True)
class Blocklist:
    """Urls, and patterns with `*` or `?` in them (`https://example.org/benchmark/*`), case ignored in patterns."""

    lines: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, path: Path) -> Blocklist:
        """From a file with one url or pattern a line; empty lines and those that start with `# ` are passed over.
        Raises DataError."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read as a block list ({error})") from error
        lines = (line.strip() for line in text.splitlines())
        return cls(tuple(line for line in lines if line and not line.startswith("# ") and line != "#"))

    def __bool__(self) -> bool:
        """Whether it blocks anything."""
        return bool(self.lines)

    @property
    def digest(self) -> str:
        """Of what is blocked, whatever the order; empty: nothing."""
        return digest_of(sorted(set(self.lines))) if self.lines else ""

    def blocks(self, url: str, naming: Naming) -> bool:
        """Whether a url is one of the patterns."""
        if not self._patterns:
            return False
        return _matcher(self._patterns, naming).match(key(url, naming).casefold()) is not None

    def pages(self, corpus: Corpus) -> Any:
        """One truth value for each page of a corpus: blocked? None: no page is. A page is blocked by its url, by an
        alias in the list, and by a pattern that its url fits."""
        import numpy as np

        made = np.zeros(len(corpus), dtype=np.bool_)
        for line in self.lines:
            if line not in self._patterns and (number := corpus.number(line)) is not None:
                made[number] = True
        if self._patterns:
            naming = corpus.manifest.naming
            match = _matcher(self._patterns, naming).match
            for number in range(len(corpus)):
                if match(key(corpus.url(number), naming).casefold()):
                    made[number] = True
        return made if made.any() else None

    @cached_property
    def _patterns(self) -> frozenset[str]:
        return frozenset(line for line in self.lines if "*" in line or "?" in line)


@lru_cache(maxsize=8)
def _matcher(patterns: frozenset[str], naming: Naming) -> re.Pattern[str]:
    return re.compile("|".join(translate(key(line, naming).casefold()) for line in sorted(patterns)))


NOTHING = Blocklist()
"""Blocks no page."""
