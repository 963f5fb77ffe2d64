"""BM25 by tantivy, whose index reads only what a query needs: for corpora of many millions of passages."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from datafactory.corpora.retrievers.bm25 import FORMAT, Lexical
from datafactory.corpora.retrievers.retriever import Index, Ranking
from datafactory.corpora.retrievers.settling import settle

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus
    from datafactory.corpora.retrievers.retriever import Mask
    from datafactory.corpora.retrievers.words import Words

_HEAP = 128 << 20
"""Bytes that the writer fills before it writes a segment."""
_WORDS = 512
"""Different words of a query that are looked for, the first ones: a query of tantivy's may have 1,024 clauses."""


class Tantivy(Lexical):
    """By the words that query and passage share, as `bm25`; in a compressed index that is read where the query's words
    are. Slower for small corpora, and quicker from some millions of passages on."""

    use_name: ClassVar[str] = "tantivy"

    def build(self, corpus: Corpus, folder: Path) -> None:
        """See `Retriever.build`."""
        import tantivy

        words = self.words()
        index = tantivy.Index(_schema(), path=str(folder))
        with index.writer(_HEAP, num_threads=1) as writer:
            for number, text in enumerate(corpus.passages.texts()):
                document = tantivy.Document()
                document.add_text("text", " ".join(words.terms(text)))
                document.add_unsigned("number", number)
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
        (folder / ".tantivy-writer.lock").unlink(missing_ok=True)

    def open(self, corpus: Corpus, folder: Path) -> Index:
        """See `Retriever.open`."""
        import tantivy

        return Segments(tantivy.Index.open(str(folder)), corpus, self.words(), self.per_page)

    def version(self) -> str:
        """See `Retriever.version`."""
        from Stemmer import version

        return f"{FORMAT}, tantivy {installed('tantivy')}, stemmer {version()}"


class Segments:
    """An index of tantivy's, open."""

    def __init__(self, index: Any, corpus: Corpus, words: Words, per_page: int) -> None:
        self._schema, self._searcher = index.schema, index.searcher()
        if self._searcher.num_docs != len(corpus.passages):
            raise ValueError(f"it has {self._searcher.num_docs:,} passages, not {len(corpus.passages):,}")
        self._page, self._words, self._per_page = corpus.passages.page, words, per_page

    def search(self, queries: Sequence[str], k: int, *, barred: Mask | None = None) -> list[Ranking]:
        """See `Index.search`."""
        return [self._one(query, min(k, self._searcher.num_docs), barred) for query in queries]

    def _one(self, query: str, k: int, barred: Mask | None) -> Ranking:
        import tantivy

        terms = list(dict.fromkeys(self._words.terms(query)))[:_WORDS]
        if not terms:
            return [], []
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "text", term, "freq")) for term in terms
        ]
        made = tantivy.Query.boolean_query(clauses)

        def look(depth: int) -> tuple[list[int], list[float]]:
            hits = self._searcher.search(made, limit=depth, count=False).hits
            return (
                self._searcher.fast_field_values("number", [address for _, address in hits]),
                [score for score, _ in hits],
            )

        return settle(look, self._page, k, per_page=self._per_page, barred=barred)


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("number", stored=False, indexed=False, fast=True)
    return builder.build()
