"""Where things lie in the box of a repository."""

TESTBED = "/testbed"
"""The repository (SWE-bench's convention)."""
ENV = "/opt/env"
"""The venv in which it is installed."""
PYTHON = f"{ENV}/bin/python"
