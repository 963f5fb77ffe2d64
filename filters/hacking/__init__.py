"""Signs that a reward was sought where the work should have been done."""

from filters.hacking.box_signs import box_signs
from filters.hacking.search_signs import Asked, search_signs
from filters.hacking.signs import DEFAULT, KINDS, Kind, Sign

__all__ = ["DEFAULT", "KINDS", "Asked", "Kind", "Sign", "box_signs", "search_signs"]
