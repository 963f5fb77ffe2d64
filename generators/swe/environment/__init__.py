"""Sets up repositories in boxes without a person: dependencies, build, tests, and what each test runs."""

from generators.swe.environment.record import Environment, SetUpFailed, SetUpStep
from generators.swe.environment.set_up import BASE, set_up

__all__ = ["BASE", "Environment", "SetUpFailed", "SetUpStep", "set_up"]
