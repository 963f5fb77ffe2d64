"""Marked-up text as an outline: a page, its sections and entries, each with cleaned text, links and names."""

from datafactory.corpora.markup.outline import Block, Section
from datafactory.corpora.markup.reading import outline, parsed, refreshed
from datafactory.corpora.markup.splitting import Split, split

__all__ = ["Block", "Section", "Split", "outline", "parsed", "refreshed", "split"]
