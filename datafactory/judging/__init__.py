"""Judges of attempts: what they are asked and shown, how their answers are read, and how far they are right."""

from datafactory.judging.answering import COMBINED, Answer, Combining, combined, read_answer, score_of
from datafactory.judging.evidence import Room, request
from datafactory.judging.rubric import Rubric, load_rubric, own_file, packaged

__all__ = [
    "COMBINED",
    "Answer",
    "Combining",
    "Room",
    "Rubric",
    "combined",
    "load_rubric",
    "own_file",
    "packaged",
    "read_answer",
    "request",
    "score_of",
]
