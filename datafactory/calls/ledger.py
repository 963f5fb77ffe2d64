"""The durable record of every answer that was paid for."""

from __future__ import annotations


class Ledger:
    """To come."""
