"""What an agent did: its actions in order, what came of each, what it changed and what it tested."""

from filters.actions.changes import Change, changes
from filters.actions.reading import Action, ActionKind, actions
from filters.actions.results import Failure, failure, useful
from filters.actions.testing import Outcome, outcome, runs

__all__ = [
    "Action",
    "ActionKind",
    "Change",
    "Failure",
    "Outcome",
    "actions",
    "changes",
    "failure",
    "outcome",
    "runs",
    "useful",
]
