"""The factory's search server as `search_speed` starts it: corpus and kind of index in, address out."""

from __future__ import annotations

import sys

from datafactory.corpora import find
from datafactory.corpora.retrievers import BM25
from datafactory.corpora.retrievers.tantivy import Tantivy
from datafactory.corpora.server.serving import serve

if __name__ == "__main__":
    serve(
        find(sys.argv[1]),
        BM25() if sys.argv[2] == "bm25" else Tantivy(),
        port=0,
        ready=lambda address: print(address, flush=True),
    )
