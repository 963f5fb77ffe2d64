"""A run as a page: its numbers, its attempts to read, and one HTML file that needs nothing else."""

from datafactory.reporting.attempts import TEXT_BYTES, Attempts, read_attempts
from datafactory.reporting.facts import facts
from datafactory.reporting.page import render

__all__ = ["TEXT_BYTES", "Attempts", "facts", "read_attempts", "render"]
