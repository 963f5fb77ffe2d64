"""The map from lines to tests leaves out no test that a change may touch."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from datafactory.types import files
from generators.swe.testing import Coverage, FileCoverage, open_bench
from tests.generators.swe.testing.repository import CORE, TESTING, open_box, packages
