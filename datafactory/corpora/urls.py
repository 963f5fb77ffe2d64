"""What makes two addresses the same page: the key that every url is looked up by, and its 64-bit mark."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import Literal
from urllib.parse import unquote

Naming = Literal["address", "headword"]
"""How a corpus names its pages: by addresses (percent-encoding, `#fragments`), or by words, as a dictionary does."""

_ORIGIN = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)


def key(url: str, naming: Naming = "address") -> str:
    """The form that a url is compared in.

    An address: percent-encoding undone, `http` taken as `https`, scheme and host in lower case, no `/` at the end. A
    headword: runs of white space ignored, but not case: `Byte` is a magazine, and `byte` is none.
    """
    if naming == "headword":
        return " ".join(unicodedata.normalize("NFC", url).split())
    made = unquote(url) if "%" in url else url
    if made[:4].lower() == "http" and (origin := _ORIGIN.match(made)):
        made = f"https://{origin[1].lower()}{made[origin.end() :]}"
    return (made if made.isascii() else unicodedata.normalize("NFC", made)).rstrip("/")


def mark(url: str, naming: Naming = "address") -> int:
    """64 bits of the key's BLAKE2b. Among ten million urls the chance that any two share one is three in a million."""
    return int.from_bytes(blake2b(key(url, naming).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def marks(url: str, naming: Naming = "address") -> tuple[int, int]:
    """The mark of a url as it is, and the one that is looked for where that is none of a page: an address without its
    fragment, a headword in lower case."""
    whole = mark(url, naming)
    if naming == "headword":
        return whole, mark(folded(url), naming)
    return (whole, mark(url.partition("#")[0], naming)) if "#" in url else (whole, whole)


def folded(headword: str) -> str:
    """A headword's key where case is ignored."""
    return key(headword, "headword").casefold()
