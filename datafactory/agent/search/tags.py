"""Reads ASearcher's tags out of what a model said."""

from __future__ import annotations

import re
from dataclasses import dataclass

ACTIONS = ("search", "access", "answer")
"""What a turn can do (arXiv 2508.07976, section 4; its agents also `think`)."""
STOPS = tuple(f"</{name}>" for name in ACTIONS)
"""Where generation should stop: a teacher's `stop`."""

_TAG = re.compile(r"<(/?)(think|search|access|answer|information)>")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of the model, read."""

    action: str = ""
    """`search`, `access` or `answer`; empty: there is none that is whole."""
    words: str = ""
    """What stands between its tags, without the space around it."""
    kept: str = ""
    """The text up to the end of the action; without one, all of it up to the first result that was made up."""
    fault: str = ""
    """What is wrong with the answer; empty: nothing."""


def read(text: str, stopped_by: str = "") -> Said:
    """The first action that is not part of a thought. A closing tag that the server took for its stop string is put
    back; what follows the action is not kept, since the model cannot know what comes of it."""
    whole = text + stopped_by if stopped_by in STOPS and not text.rstrip().endswith(stopped_by) else text
    opened, sound, fault = None, len(whole), ""
    for tag in _TAG.finditer(whole, _thought(whole)):
        closing, name = tag[1] == "/", tag[2]
        if name == "information" and not closing:
            if opened is None or opened[2] in ACTIONS:
                return Said(kept=whole[: tag.start()].rstrip(), fault="it made up what a search gives")
            sound = min(sound, tag.start())  # a thought may mention one, once it is known to end
        elif opened is None:
            opened = None if closing else tag
        elif closing and name == opened[2]:
            if name in ACTIONS:
                return _action(whole, opened, tag, fault)
            opened, sound = None, len(whole)
        elif not closing and opened[2] in ACTIONS and name in ACTIONS:
            opened, fault = tag, f"<{opened[2]}> is not closed"  # the words between are no action's
    if opened is not None:
        return Said(kept=whole[:sound].rstrip() if sound < len(whole) else whole, fault=f"<{opened[2]}> is not closed")
    return Said(kept=whole, fault="there is no <search>, <access> or <answer> in it")


def _thought(text: str) -> int:
    """Where a thought ends that began before the answer: templates such as QwQ's open it themselves."""
    first = re.search(r"</?think>", text)
    return first.end() if first and first[0] == "</think>" else 0


def _action(whole: str, opening: re.Match[str], closing: re.Match[str], fault: str) -> Said:
    words = whole[opening.end() : closing.start()].strip()
    rest = whole[closing.end() :].strip()
    if not words:
        fault = f"<{opening[2]}> is empty"
    elif rest:
        fault = f"it went on after </{opening[2]}>"
    return Said(opening[2], words, whole[: closing.end()], fault)


def harmless(text: str) -> str:
    """A text of the corpus in which no tag of the dialect can be read."""
    return _TAG.sub(lambda tag: f"<{tag[1]} {tag[2]}>", text)
