"""Calls to teachers: kept on disk, counted, and capped."""

from datafactory.calls.account import Account, is_paid, price_of
from datafactory.calls.budget import Budget, Price
from datafactory.calls.database import ASIDE, CALLS
from datafactory.calls.ledger import Call, Ledger
from datafactory.calls.line import Line
from datafactory.calls.spending import Part, Spending, Spent, spending

__all__ = [
    "ASIDE",
    "CALLS",
    "Account",
    "Budget",
    "Call",
    "Ledger",
    "Line",
    "Part",
    "Price",
    "Spending",
    "Spent",
    "is_paid",
    "price_of",
    "spending",
]
