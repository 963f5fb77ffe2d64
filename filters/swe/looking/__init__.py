"""Signs that an agent looked for the answer instead of working it out."""

from filters.swe.looking.scan import KINDS, Kind, Scan, Sign

__all__ = ["KINDS", "Kind", "Scan", "Sign"]
