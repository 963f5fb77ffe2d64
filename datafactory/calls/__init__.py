"""Calls to teachers: kept on disk, counted, and capped."""

from datafactory.calls.budget import Budget, Price
from datafactory.calls.ledger import Ledger
from datafactory.calls.line import Line

__all__ = ["Budget", "Ledger", "Line", "Price"]
