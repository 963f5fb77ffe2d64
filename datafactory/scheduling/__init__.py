"""Regeneration jobs: pipelines that run again by the clock, each slot exactly once."""

from datafactory.scheduling.bars import Bars
from datafactory.scheduling.book import Book
from datafactory.scheduling.clock import Clock, MachineClock
from datafactory.scheduling.job import Job, JobFolder, chosen, load_jobs
from datafactory.scheduling.keeper import Keeper, Worker
from datafactory.scheduling.lease import Lease
from datafactory.scheduling.slots import Slot, slots
from datafactory.scheduling.working import Commands

__all__ = [
    "Bars",
    "Book",
    "Clock",
    "Commands",
    "Job",
    "JobFolder",
    "Keeper",
    "Lease",
    "MachineClock",
    "Slot",
    "Worker",
    "chosen",
    "load_jobs",
    "slots",
]
