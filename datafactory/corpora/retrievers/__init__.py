"""Retrievers: how the passages of a corpus that bear on a query are found."""

from datafactory.corpora.retrievers.bm25 import BM25
from datafactory.corpora.retrievers.retriever import Index, Ranking, Retriever

TABLE = {
    "bm25": "datafactory.corpora.retrievers.bm25:BM25",
    "dense": "datafactory.corpora.retrievers.dense:Dense",
    "hybrid": "datafactory.corpora.retrievers.hybrid:Hybrid",
    "tantivy": "datafactory.corpora.retrievers.tantivy:Tantivy",
}
"""Where each name of a retriever is."""

__all__ = ["BM25", "TABLE", "Index", "Ranking", "Retriever"]
