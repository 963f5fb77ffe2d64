"""Calls to teachers: kept on disk, counted, and capped."""

from datafactory.calls.budget import Budget, Price
from datafactory.calls.database import CALLS
from datafactory.calls.ledger import Call, Ledger
from datafactory.calls.line import Line
from datafactory.calls.spending import Part, Spending, Spent, spending

__all__ = ["CALLS", "Budget", "Call", "Ledger", "Line", "Part", "Price", "Spending", "Spent", "spending"]
