"""Datafactory turns seeds and teachers into verified agentic training data."""

__version__ = "0.1.0"
