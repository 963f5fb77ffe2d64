"""Benchmarks that training data must not hold, and how what is in the data is found."""

from filters.contamination.found import Found
from filters.contamination.index import Index
from filters.contamination.items import Item, read_items

__all__ = ["Found", "Index", "Item", "read_items"]
