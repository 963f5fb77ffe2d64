"""Text as it is stored: one form of every character, nothing invisible, paragraphs separated by one empty line."""

from __future__ import annotations

import re
import unicodedata

_GONE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but tab, newlines and NEL
    "\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_NEWLINES = re.compile("\r\n?|[\x85\u2028\u2029]")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """The text in Unicode's composed form (NFC), line ends `\\n`, and no control or invisible characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.replace("\n", "").replace("\t", "").isprintable():  # ten times as fast as to look for each kind
        text = _GONE.sub("", _NEWLINES.sub("\n", _SPACES.sub(" ", text)))
    if " \n" in text or "\t\n" in text or text[-1:].isspace():
        text = _TRAILING.sub("", text)
    return (_PARAGRAPHS.sub("\n\n", text) if "\n\n\n" in text else text).strip("\n")


def line(text: str) -> str:
    """Clean text in one line."""
    return " ".join(clean(text).split())


def decoded(data: bytes) -> str | None:
    """UTF-8, a byte order mark left out; None: it is something else."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
