"""bm25s and tantivy used raw, in process and behind the plainest server that speaks as ASearcher's does."""

from __future__ import annotations

import socket
import sys
from typing import Annotated, Any

from fastapi import Body, FastAPI


class Bm25s:
    """bm25s with its numba backend, from texts that are cut into terms."""

    def __init__(self, texts: list[list[str]]) -> None:
        import bm25s

        self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numba")
        self._index.index(texts, show_progress=False)
        self._index.activate_numba_scorer()

    def search(self, queries: list[list[str]], k: int, documents: list[Any] | None = None) -> Any:
        """Numbers of passages, or of `documents` those, and scores."""
        return self._index.retrieve(queries, corpus=documents, k=k, show_progress=False)


class Tantivy:
    """tantivy, from texts that are cut into terms: a query is the terms, any of which may match."""

    def __init__(self, texts: list[list[str]]) -> None:
        import tempfile

        import tantivy

        self._tantivy = tantivy
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
        builder.add_unsigned_field("number", stored=False, indexed=False, fast=True)
        self._schema = builder.build()
        self._folder = tempfile.TemporaryDirectory()
        index = tantivy.Index(self._schema, path=self._folder.name)
        with index.writer(128 << 20, num_threads=1) as writer:
            for number, terms in enumerate(texts):
                document = tantivy.Document()
                document.add_text("text", " ".join(terms))
                document.add_unsigned("number", number)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def search(self, queries: list[list[str]], k: int, documents: list[Any] | None = None) -> Any:
        """Numbers of passages, or of `documents` those, and scores."""
        found = [self._one(terms, k) for terms in queries]
        if documents is not None:
            found = [([documents[number] for number in numbers], scores) for numbers, scores in found]
        return zip(*found, strict=True)

    def _one(self, terms: list[str], k: int) -> Any:
        make, some = self._tantivy.Query, self._tantivy.Occur.Should
        query = make.boolean_query(
            [(some, make.term_query(self._schema, "text", t, "freq")) for t in dict.fromkeys(terms)]
        )
        hits = self._searcher.search(query, limit=k, count=False).hits
        return self._searcher.fast_field_values("number", [at for _, at in hits]), [score for score, _ in hits]


def documents(corpus: Any) -> list[dict[str, str]]:
    """All passages as a server gives them, in memory."""
    made = []
    for number in range(len(corpus.passages)):
        url, title, text = corpus.passages.shown(number)
        made.append({"id": str(number), "url": url, "title": title, "contents": f"{title}\n{text}"})
    return made


def plain(corpus: Any, kind: str) -> Any:
    """FastAPI and pydantic as their manuals show them, one search for each query of a request."""
    from datafactory.corpora.retrievers import BM25

    words = BM25().words()
    index = (Bm25s if kind == "bm25" else Tantivy)([words.terms(text) for text in corpus.passages.texts()])
    rows = documents(corpus)

    app = FastAPI()

    @app.post("/retrieve")
    def retrieve(queries: Annotated[list[str], Body()], topk: Annotated[int, Body()] = 5) -> dict[str, Any]:
        rankings, scores = index.search([words.terms(query) for query in queries], topk, rows)
        return {
            "result": [
                [{"document": row, "score": float(score)} for row, score in zip(found, values, strict=True)]
                for found, values in zip(rankings, scores, strict=True)
            ]
        }

    return app


if __name__ == "__main__":
    import uvicorn

    from datafactory.corpora import find

    application = plain(find(sys.argv[1]), sys.argv[2])
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen(128)
        print(f"127.0.0.1:{opened.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(application, log_level="warning", access_log=False)).run(sockets=[opened])
