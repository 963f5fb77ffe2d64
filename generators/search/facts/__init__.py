"""Facts: cut from the text of pages, kept beside the corpus."""

from generators.search.facts.building import open_facts
from generators.search.facts.cutting import Cut, cut, mention
from generators.search.facts.fact import Fact
from generators.search.facts.index import ANYTHING, FactsIndex, either, phrase
from generators.search.facts.sentences import folded, listed

__all__ = [
    "ANYTHING",
    "Cut",
    "Fact",
    "FactsIndex",
    "cut",
    "either",
    "folded",
    "listed",
    "mention",
    "open_facts",
    "phrase",
]
