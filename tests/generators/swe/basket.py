"""A small package with a class and a function, its tests, and other code for them."""

from __future__ import annotations

BASKET = '''"""What somebody buys."""

import math


class Basket:
    """Things, and how many of each."""

    def __init__(self):
        self.items = {}

    def add(self, name, price, count=1):
        """Put some of a thing in; the last price counts."""
        if count < 1:
            raise ValueError("count")
        known = self.items.get(name, (price, 0))
        # What was there stays.
        self.items[name] = (price, known[1] + count)

    @property
    def total(self):
        """The sum, rounded up to whole cents."""
        cents = 0
        for price, count in self.items.values():
            cents += price * count
        return math.ceil(cents)


def cheapest(prices, most=None):
    """Names by price, the cheapest first, up to `most`."""
    names = sorted(prices, key=lambda name: (prices[name], name))
    if most is None:
        return names
    return names[:most]


def untested(value):
    """No test runs this."""
    value += 1
    value *= 2
    return value
'''
TESTS = """import pytest

from basket import Basket, cheapest


def test_counts_add_up():
    basket = Basket()
    basket.add("tea", 2)
    basket.add("tea", 3, count=2)
    assert basket.total == 9


def test_no_count_is_no_count():
    with pytest.raises(ValueError):
        Basket().add("tea", 1, count=0)


def test_cents_are_whole():
    basket = Basket()
    basket.add("tea", 0.5)
    assert basket.total == 1


def test_the_cheapest_come_first():
    assert cheapest({"b": 1, "a": 1, "c": 0}) == ["c", "a", "b"]


def test_only_some():
    assert cheapest({"b": 1, "a": 2, "c": 0}, most=1) == ["c"]
"""
CHEAPEST = """def cheapest(prices, most=None):
    names = sorted(prices, key=lambda name: (prices[name], name))
    if not most:
        return names
    return names[: most {}]
"""
ADD = '''    def add(self, name, price, count=1):
        """Put some of a thing in; the last price counts."""
        if count < 1:
            raise ValueError("count")
        known = self.items.get(name, (price, 0))
        # What was there stays.
        self.items[name] = (known[0], known[1] + count)
'''
TOTAL = "@property\ndef total(self):\n    return math.floor(sum(price * count for price, count in self.items.values()))"
CODE = {
    "Basket.add": ADD,
    "Basket.total": TOTAL,
    "cheapest": CHEAPEST.format("+ 1"),
    "Basket": BASKET[BASKET.index("class Basket") : BASKET.index("\n\ndef cheapest")].replace("ceil", "floor"),
}
