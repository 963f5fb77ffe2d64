"""Corpora: pages that link to each other, read once, stored on this machine and open to search."""

from datafactory.corpora.corpus import Corpus, Passages, every, find
from datafactory.corpora.place import PREFIX, folder, home
from datafactory.corpora.spec import CorpusSpec, RawPage, Redirect, Unread
from datafactory.corpora.stocking import remove, stock

TABLE = {
    "dict": "datafactory.corpora.sources.dictd:Dict",
    "html": "datafactory.corpora.sources.html:Html",
    "huggingface": "datafactory.corpora.sources.huggingface:HuggingFace",
    "jsonl": "datafactory.corpora.sources.jsonl:Jsonl",
    "markdown": "datafactory.corpora.sources.markdown:Markdown",
}
"""Where each name of a corpus's source is."""

__all__ = [
    "PREFIX",
    "TABLE",
    "Corpus",
    "CorpusSpec",
    "Passages",
    "RawPage",
    "Redirect",
    "Unread",
    "every",
    "find",
    "folder",
    "home",
    "remove",
    "stock",
]
