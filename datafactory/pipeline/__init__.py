"""Pipelines: files that say what a run does, and the running of them."""

from datafactory.pipeline.pipeline import Pipeline, Planned, load, placed
from datafactory.pipeline.runner import Execution, Station, set_aside

__all__ = ["Execution", "Pipeline", "Planned", "Station", "load", "placed", "set_aside"]
