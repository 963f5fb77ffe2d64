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
    """The text up to the end of the action; without one, all of it."""
    fault: str = ""
    """What is wrong with the answer; empty: nothing."""


def read(text: str, stopped_by: str = "") -> Said:
    """The first action that is not part of a thought. A closing tag that the server took for its stop string is put
    back; what follows the action is not kept, since the model cannot know what comes of it."""
    whole = text + stopped_by if stopped_by in STOPS and not text.rstrip().endswith(stopped_by) else text
    opened = None
    for tag in _TAG.finditer(whole):
        closing, name = tag[1] == "/", tag[2]
        if opened is None:
            if not closing and name == "information":
                return Said(kept=whole[: tag.start()].rstrip(), fault="it made up what a search gives")
            opened = None if closing else tag
        elif closing and name == opened[2]:
            if name in ACTIONS:
                return _action(whole, opened, tag)
            opened = None
        elif not closing and opened[2] in ACTIONS and name in ACTIONS:
            opened = tag  # an action that was never closed, and another one: the words between are no action's
    if opened is not None:
        return Said(kept=whole, fault=f"<{opened[2]}> is not closed")
    return Said(kept=whole, fault="there is no <search>, <access> or <answer> in it")


def _action(whole: str, opening: re.Match[str], closing: re.Match[str]) -> Said:
    words = whole[opening.end() : closing.start()].strip()
    rest = whole[closing.end() :].strip()
    fault = "" if words else f"<{opening[2]}> is empty"
    if rest:
        fault = fault or f"it went on after </{opening[2]}>"
    return Said(opening[2], words, whole[: closing.end()], fault)


def harmless(text: str) -> str:
    """A text of the corpus in which no tag of the dialect can be read."""
    return _TAG.sub(lambda tag: f"<{tag[1]} {tag[2]}>", text)
