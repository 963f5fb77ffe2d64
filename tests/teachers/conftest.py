"""The loopback server, found beside the tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def server() -> Any:
    """The module server.py."""
    spec = importlib.util.spec_from_file_location("loopback_server", Path(__file__).with_name("server.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
