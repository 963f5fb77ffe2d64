"""The repositories of SWE-bench Verified, which no training data may come from."""

from __future__ import annotations

import re

VERIFIED = {
    "astropy": "astropy/astropy",
    "django": "django/django",
    "flask": "pallets/flask",
    "matplotlib": "matplotlib/matplotlib",
    "pylint": "pylint-dev/pylint",
    "pytest": "pytest-dev/pytest",
    "requests": "psf/requests",
    "scikit-learn": "scikit-learn/scikit-learn",
    "seaborn": "mwaskom/seaborn",
    "sphinx": "sphinx-doc/sphinx",
    "sympy": "sympy/sympy",
    "xarray": "pydata/xarray",
}
"""Names on the package index, and the repositories of the benchmark's twelve (SWE-bench Verified, 500 instances)."""


def excluded_benchmark(name: str) -> str | None:
    """The repository of SWE-bench Verified (`owner/name`) that a name means, else None.

    `name` is a package's, a folder's, ``owner/name``, ``owner__name`` or an address: owners do not count, so that
    forks are excluded too, and spellings are normalised as the package index does (PEP 503).
    """
    last = re.split(r"/|__", name.strip().rstrip("/").removesuffix(".git"))[-1]
    return VERIFIED.get(re.sub(r"[-_.]+", "-", last).lower())
