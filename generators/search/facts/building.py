"""Cuts the facts of a whole corpus, once on a machine, in memory that does not grow with it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from datafactory.corpora import Corpus
from datafactory.corpora.place import turn
from datafactory.errors import StorageError, boundary
from generators.search.facts.cutting import Cut, cut
from generators.search.facts.index import ANYTHING, FactsIndex
from generators.search.facts.prose import ADJECTIVES
from generators.search.facts.reference import short_title
from generators.search.facts.sentences import folded

_COMMON = 3
"""A kind of thing must be told of so many pages before it counts as one: rarer phrases are turns of speech."""
_FREQUENT = 10
"""And of so many, where no page or field has its name."""
_BATCH = 2000
_TABLES = """
create table facts (
    page integer, relation text, value text, key text, quote text, how text, target integer, asked integer
);
create table subjects (page integer primary key, name text, phrase text, settled integer, linked integer, kinds text);
create table names (name text, page integer);
create table suffixes (phrase text primary key, pages integer) without rowid;
create virtual table words using fts5(text, content='', detail=full);
"""

_METHODS = """
update subjects set phrase = 'method' where phrase = 'function' and exists (
    select 1 from facts, names, subjects as parent
    where facts.page = subjects.page and facts.relation = 'member_of' and names.name = facts.key
    and parent.page = names.page and parent.phrase in ('class', 'exception')
)
"""
_PARENTS = """
update facts set target = (
    select min(page) from names where name = facts.key having count(distinct page) = 1
) where relation = 'member_of'
"""


def open_facts(corpus: Corpus) -> FactsIndex:
    """The facts of a corpus; cut where they are not there yet. Safe for two processes at once. Raises StorageError."""
    path = corpus.folder / "facts" / f"{_version()}.sqlite"
    with boundary(StorageError, f"cutting the facts of {corpus.name}"):
        if not path.exists():
            with turn(f"{corpus.folder.name}.facts"):
                if not path.exists():
                    _build(corpus, path)
    return FactsIndex(path, corpus)


def _version() -> str:
    """Digest of the code that cuts: facts that other code cut are not these."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _build(corpus: Corpus, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cutting-", dir=path.parent) as folder:
        made = Path(folder) / "facts.sqlite"
        base = sqlite3.connect(made)
        try:
            base.executescript(f"pragma journal_mode = off; pragma synchronous = off; {_TABLES}")
            _fill(base, corpus)
            _settle(base)
            base.commit()
            base.execute("pragma synchronous = full")
        finally:
            base.close()
        with made.open("rb") as written:
            os.fsync(written.fileno())
        made.replace(path)


def _fill(base: sqlite3.Connection, corpus: Corpus) -> None:
    batch: list[tuple[int, Cut]] = []
    for number in range(len(corpus)):
        page = corpus.page(number)
        targets: dict[str, int] = {}
        for link in corpus.links(number):
            title = corpus.title_of(link)
            targets.setdefault(folded(title), link)
            targets.setdefault(folded(short_title(title)), link)
            if "." in title:
                targets.setdefault(folded(short_title(title).rpartition(".")[2]), link)
        batch.append((number, cut(page, targets)))
        base.execute("insert into words (rowid, text) values (?, ?)", (number, f"{page.title}\n{page.text}"))
        if len(batch) == _BATCH:
            _write(base, batch, corpus)
            batch.clear()
    _write(base, batch, corpus)


def _write(base: sqlite3.Connection, batch: Iterable[tuple[int, Cut]], corpus: Corpus) -> None:
    facts, subjects, names, suffixes = [], [], [], []
    for page, made in batch:
        told = {(fact.relation, fact.key) for fact in made.facts}
        for fact in made.facts:
            facts.append((page, fact.relation, fact.value, fact.key, fact.quote, fact.how, fact.target, fact.asked))
        for tag in made.tags:
            if ("field", folded(tag)) not in told:
                facts.append((page, "other_field", tag, folded(tag), "", "", None, False))
        if made.single:
            linked = bool(corpus.links(page) or corpus.linked_from(page))
            subjects.append((page, made.name, made.kind, made.settled, linked))
        shorts = [fact.value for fact in made.facts if fact.relation == "abbreviation"]
        names += [(name, page) for name in {*map(folded, [corpus.title_of(page), made.name, *shorts])} if name]
        words = made.kind.split()
        suffixes += [(" ".join(words[start:]).casefold(),) for start in range(max(0, len(words) - 3), len(words))]
    base.executemany("insert into facts values (?, ?, ?, ?, ?, ?, ?, ?)", facts)
    base.executemany("insert into subjects values (?, ?, ?, ?, ?, '')", subjects)
    base.executemany("insert into names values (?, ?)", names)
    base.executemany("insert into suffixes values (?, 1) on conflict do update set pages = pages + 1", suffixes)


def _settle(base: sqlite3.Connection) -> None:
    """What can only be told of all pages together: which kinds there are, and what may be asked."""
    base.executescript(
        "create index facts_page on facts (page); create index facts_key on facts (relation, key);"
        "create index facts_target on facts (target) where target is not null;"
        "create index names_name on names (name); create index names_page on names (page);"
    )
    base.execute(_METHODS)
    base.execute(_PARENTS)

    @lru_cache(maxsize=100_000)
    def common(phrase: str) -> bool:
        row = base.execute("select pages from suffixes where phrase = ?", (phrase,)).fetchone()
        return row is not None and row[0] >= _COMMON

    @lru_cache(maxsize=100_000)
    def known(noun: str) -> bool:
        """Whether a noun is one of the corpus's own words: the name of a page, a field, or a frequent kind."""
        row = base.execute("select pages from suffixes where phrase = ?", (noun,)).fetchone()
        named = "select 1 from names where name = ? union all select 1 from facts where relation = 'field' and key = ?"
        return (row is not None and row[0] >= _FREQUENT) or base.execute(named, (noun, noun)).fetchone() is not None

    def kinds_of(page: int, phrase: str, settled: int) -> str:
        words = phrase.split()
        kinds = [" ".join(words[start:]) for start in range(max(0, len(words) - 3), len(words))]
        kinds = [kind for kind in kinds if kind.split()[0].casefold() not in ADJECTIVES and common(kind.casefold())]
        kinds = kinds if kinds and known(words[-1].casefold()) else []
        kinds = [phrase] if settled and phrase else kinds
        if not kinds and base.execute("select 1 from facts where page = ? and relation = 'field'", (page,)).fetchone():
            kinds = [ANYTHING]
        return "\t".join(kinds)

    base.create_function("kinds_of", 3, kinds_of)
    base.execute("update subjects set kinds = kinds_of(page, phrase, settled)")
    base.executescript(
        "insert into facts select page, 'kind', kinds, kinds, '', '', null, 0 from subjects "
        "where settled and kinds <> '';"
        "create table titled as select page from subjects where kinds not in ('', 'term') and linked order by page;"
        "create table asked as select facts.rowid as fact, relation from facts join subjects using (page) "
        "where asked and linked and kinds not in ('', 'term') and target is null order by relation, facts.rowid;"
        "create table roots as select relation, min(rowid) as first, count(*) as rows from asked group by relation "
        "union all select 'title', min(rowid), count(*) from titled having count(*) > 0;"
        "drop table suffixes;"
    )
