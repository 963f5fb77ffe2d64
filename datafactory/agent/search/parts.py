"""Cuts pages into parts and passages to length, between paragraphs and words where that can be."""

from __future__ import annotations


def parts(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` characters, all of it and in order; one piece where it is empty."""
    made: list[str] = []
    rest = text.strip()
    while len(rest) > most:
        cut = max(rest.rfind("\n\n", most // 2, most), 0) or max(rest.rfind("\n", most // 2, most), 0)
        cut = cut or max(rest.rfind(" ", most // 2, most), 0) or most
        made.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*made, rest] if rest or not made else made


def shortened(text: str, most: int) -> str:
    """The text on few lines, cut after a word where it has more than `most` characters."""
    plain = "\n".join(line for line in (part.strip() for part in text.splitlines()) if line)
    if len(plain) <= most:
        return plain
    cut = plain.rfind(" ", most // 2, most)
    return f"{plain[: cut if cut > 0 else most].rstrip()} ..."
