"""Boxes in which an agent may read and edit, and execute nothing."""

from sandboxes.no_execution.policy import refusal
from sandboxes.no_execution.sandbox import NoExecutionBox, NoExecutionSandbox, WriteRefused

__all__ = ["NoExecutionBox", "NoExecutionSandbox", "WriteRefused", "refusal"]
