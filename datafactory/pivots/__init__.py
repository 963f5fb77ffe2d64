"""Pivots: whether two turns do the same, by what they say, what they do, and what comes of it."""

from datafactory.pivots.actions import Action, Move, action_of
from datafactory.pivots.asking import SCHEMA, question, read_word
from datafactory.pivots.candidates import Spread, candidates
from datafactory.pivots.matching import Match, matched
from datafactory.pivots.restoring import Differs, Outcome, Place, carried_out, difference

__all__ = [
    "SCHEMA",
    "Action",
    "Differs",
    "Match",
    "Move",
    "Outcome",
    "Place",
    "Spread",
    "action_of",
    "candidates",
    "carried_out",
    "difference",
    "matched",
    "question",
    "read_word",
]
