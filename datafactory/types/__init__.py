"""The nouns of the factory, on one page."""

from datafactory.types.files import File, Files, files
from datafactory.types.messages import MALFORMED, Finish, Logprobs, Message, Reply, ToolCall, Usage
from datafactory.types.models import Model
from datafactory.types.pages import Hit, Page
from datafactory.types.pivots import LocalRollout, Pivot, Rung
from datafactory.types.questions import UNANSWERABLE, Edit, Hop, Question
from datafactory.types.record import Record, digest_of
from datafactory.types.tasks import (
    DOMAINS,
    Check,
    CheckResult,
    Draft,
    Failure,
    HeldOut,
    Outcome,
    Reject,
    Score,
    Source,
    Step,
    Task,
    Verdict,
)
from datafactory.types.trajectories import Example, Lineage, Stop, Trajectory, Violation
from datafactory.types.trials import Part, Pupil, Trial

__all__ = [
    "DOMAINS",
    "MALFORMED",
    "UNANSWERABLE",
    "Check",
    "CheckResult",
    "Draft",
    "Edit",
    "Example",
    "Failure",
    "File",
    "Files",
    "Finish",
    "HeldOut",
    "Hit",
    "Hop",
    "Lineage",
    "LocalRollout",
    "Logprobs",
    "Message",
    "Model",
    "Outcome",
    "Page",
    "Part",
    "Pivot",
    "Pupil",
    "Question",
    "Record",
    "Reject",
    "Reply",
    "Rung",
    "Score",
    "Source",
    "Step",
    "Stop",
    "Task",
    "ToolCall",
    "Trajectory",
    "Trial",
    "Usage",
    "Verdict",
    "Violation",
    "digest_of",
    "files",
]
