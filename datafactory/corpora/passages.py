"""Pages are cut into passages at paragraphs, and inside a paragraph that is too long at lines or sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_LINE = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"\S.*?(?:[.!?][\"')\]]*(?=\s)|[。！？]|$)", re.DOTALL)

_WIDEST = 10
"""Characters that count as a word where there are no spaces, as in Chinese or in encoded data."""

_ROOM = 1.5
"""A passage may be so many times as long as asked for, where that keeps a paragraph whole."""
_REST = 1 / 3
"""What is left at a page's end and is shorter than this share joins the passage before it, where there is room."""

Span = tuple[int, int]


def cut(text: str, words: int) -> list[Span]:
    """Where the passages of a text begin and end, in characters: about `words` words each, in order, without overlap;
    only white space lies between them."""
    made: list[Span] = []
    sizes: list[int] = []
    start = end = size = 0
    for first, last, count in _pieces(text, words):
        if size and size + count > words * (_ROOM if size < words / 2 else 1):
            made.append((start, end))
            sizes.append(size)
            size = 0
        if not size:
            start = first
        end, size = last, size + count
    if size:
        if made and size < words * _REST and sizes[-1] + size <= words * _ROOM:
            start = made.pop()[0]
        made.append((start, end))
    return made


def _size(text: str) -> int:
    return max(len(text.split()), len(text) // _WIDEST)


def _pieces(text: str, words: int) -> Iterator[tuple[int, int, int]]:
    """Paragraphs with their number of words, and parts of those that are too long."""
    most = words * _ROOM
    for paragraph in _PARAGRAPH.finditer(text):
        if (size := _size(paragraph[0])) <= most:
            if size or not paragraph[0].isspace():
                yield *paragraph.span(), max(size, 1)
            continue
        for line in _LINE.finditer(text, *paragraph.span()):
            if line[0].isspace():
                continue
            if (size := _size(line[0])) <= most:
                yield *line.span(), max(size, 1)
            else:
                yield from _sentences(text, line.span(), words)


def _sentences(text: str, span: Span, words: int) -> Iterator[tuple[int, int, int]]:
    part = re.compile(rf"\S{{1,{words * _WIDEST}}}")
    for sentence in _SENTENCE.finditer(text, *span):
        start, end, size = sentence.start(), sentence.start(), 0
        for word in part.finditer(text, *sentence.span()):
            more = _size(word[0])
            if size and size + more > words:
                yield start, end, size
                start, size = word.start(), 0
            end, size = word.end(), size + max(more, 1)
        if size:
            yield start, end, size
