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
    headword: case and runs of white space ignored.
    """
    if naming == "headword":
        return " ".join(unicodedata.normalize("NFC", url).casefold().split())
    made = unquote(url) if "%" in url else url
    if made[:4].lower() == "http" and (origin := _ORIGIN.match(made)):
        made = f"https://{origin[1].lower()}{made[origin.end() :]}"
    return (made if made.isascii() else unicodedata.normalize("NFC", made)).rstrip("/")


def mark(url: str, naming: Naming = "address") -> int:
    """64 bits of the key's BLAKE2b. Among ten million urls the chance that any two share one is three in a million."""
    return int.from_bytes(blake2b(key(url, naming).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def marks(url: str, naming: Naming = "address") -> tuple[int, int]:
    """The mark of a url as it is, and of the page that it is a fragment of (the same where it is of none)."""
    whole = mark(url, naming)
    if naming == "headword" or "#" not in url:
        return whole, whole
    return whole, mark(url.partition("#")[0], naming)
