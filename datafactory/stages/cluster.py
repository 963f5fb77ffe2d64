"""Cluster: each task gets the topic that its prompt belongs to, and each topic a name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from datafactory.errors import RunError, TeacherError, boundary
from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component, Spec
from datafactory.stages.live import line_to
from datafactory.stages.recipe import file_digests
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import TABLE, Shelf, write_whole
from datafactory.table import scan, write_frame
from datafactory.topics.clustering import Clusters, Method, Wish, cluster, nearest_to_centres
from datafactory.topics.embedder import Embedder
from datafactory.topics.naming import SHOWN, Named, Topic, naming, read_name
from datafactory.topics.reading import Prompts
from datafactory.topics.terms import names_of, terms_of
from datafactory.topics.tfidf import Tfidf
from datafactory.topics.vectors import vectors_of
from datafactory.types import Message, Record, Trajectory, digest_of

if TYPE_CHECKING:
    import polars as pl

TOPICS = "topics.jsonl"
"""The topics, beside the table: number, name, tasks, terms, and the tasks nearest the centre."""
NO_TOPIC = "none"
"""Name of the topic of tasks that belong to none."""
READ = 20
"""Tasks of a topic, those nearest its centre, whose words give its terms."""


class Cluster(Stage):
    """Fills the columns `cluster` and `topic`: prompts near each other are one topic (BenchBuilder, arXiv 2406.11939,
    section 4). A vector is made for each task, not for each attempt; the rows and their order stay as they are.

    The same table, seed and versions of libraries give the same topics, whatever the order of the rows.
    """

    use_name: ClassVar[str] = "cluster"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory
    columnar: ClassVar[bool] = True

    embedder: Annotated[Embedder, Component("embedder")] = Tfidf()
    """How prompts become vectors: `tfidf`, or a `dense` model."""
    method: Method = "hdbscan"
    """`hdbscan` finds how many topics there are, and tasks of none; `kmeans` makes as many as it is told."""
    min_topic_size: int = Field(default=8, ge=2)
    """Tasks of a topic at least; a smaller one is none."""
    topics: int | None = Field(default=None, ge=1)
    """How many topics `kmeans` makes; left out: one for every 50 tasks, 4,000 at most."""
    reduce_outliers: bool = False
    """Whether a task of no topic (`cluster` -1) goes to the one whose centre is nearest."""
    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who names the topics; left out: their most telling words do."""
    sample: int = Field(default=20_000, ge=100)
    """Tasks that `tfidf` and `hdbscan` learn from, drawn by seed and id; others go where their nearest one is."""
    max_chars: int = Field(default=2_000, ge=50)
    """Characters of a prompt that count, from its start."""
    dims: int = Field(default=64, ge=2, le=1024)
    """Wider vectors are reduced to so many principal components before they are clustered."""
    at_once: int = Field(default=16, ge=1, exclude=True)
    """Topics named at a time."""

    @model_validator(mode="after")
    def _topics_of_kmeans(self) -> Self:
        if self.topics is not None and self.method != "kmeans":
            raise ValueError(f"`topics` is for `method: kmeans`; {self.method} finds out by itself")
        return self

    def calls(self, items: int) -> str:
        """A call for each topic, where a teacher names them."""
        return "" if self.teacher is None else "a call of the teacher for each topic"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet` and `topics.jsonl`."""
        assert source is not None
        path = await asyncio.to_thread(table_of, source, run)
        prompts = Prompts(path, self.max_chars)
        clusters, topics, texts = await asyncio.to_thread(self._found, prompts, source.folder, run.seed)
        if self.teacher is not None and topics:
            topics = await self._named(self.teacher, topics, texts, run)
        count = await asyncio.to_thread(_written, prompts, clusters, topics, run.shelf.folder)
        run.shelf.tell(count, {})
        run.progress.finished = count

    def _found(self, prompts: Prompts, folder: Path, seed: int) -> tuple[Clusters, list[Topic], dict[str, list[str]]]:
        """Clusters, the topics under the names that words give them, and by their ids the prompts in their middle."""
        import numpy as np

        sample = prompts.drawn(self.sample, seed=seed)
        assert isinstance(self.embedder, Spec)
        files = file_digests(self.embedder)
        vectors = vectors_of(prompts, self.embedder, sample, seed=seed, folder=folder, files=files)
        wish = Wish(self.method, self.min_topic_size, self.topics, self.dims, self.reduce_outliers, seed)
        clusters = cluster(vectors, sample, wish)
        middles = nearest_to_centres(vectors, clusters, READ)
        numbers = np.concatenate(middles) if middles else np.zeros(0, dtype=np.int64)
        text = dict(zip(numbers.tolist(), prompts.texts(numbers), strict=True))
        read = [[text[number] for number in middle.tolist()] for middle in middles]
        terms = terms_of(read)
        topics, texts = [], {}
        for number, (name, words, middle) in enumerate(zip(names_of(terms), terms, middles, strict=True)):
            near = tuple(prompts.ids[task] for task in middle.tolist())
            topic = Topic(
                id=f"{number}-{digest_of([near, read[number]])}",
                cluster=number,
                name=name,
                tasks=int(clusters.sizes[number]),
                terms=tuple(words),
                nearest=near,
            )
            topics.append(topic)
            texts[topic.id] = read[number][:SHOWN]
        return clusters, topics, texts

    async def _named(
        self, teacher: Teacher, topics: list[Topic], texts: dict[str, list[str]], run: Run[Any]
    ) -> list[Topic]:
        """The topics under a teacher's names, on a shelf of their own, so that a run that was killed goes on."""

        async def name(key: str, topic: Topic) -> Topic:
            text = naming(texts[key], topic.terms)
            for number in range(2):
                seed = int(digest_of([run.seed, "cluster", key, number]), 16) % (1 << 31)
                episode = Episode(id=f"topic {topic.cluster}", seed=seed)
                line = await line_to(run, teacher, scope=f"cluster:{key}:{number}", episode=episode)
                with boundary(TeacherError, "naming a topic"):
                    reply = await line.reply(
                        [Message(role="user", content=text)], schema=Named.model_json_schema(), episode=episode
                    )
                if said := read_name(reply):
                    return topic.but(name=said)
            return topic

        async with Shelf(run.shelf.folder / "names", Topic) as shelf:
            naming_run = Run(shelf, name=run.name, seed=run.seed, commons=run.commons, account=run.account)
            await naming_run.each([(topic.id, topic) for topic in topics], name, at_once=self.at_once)
            if naming_run.progress.failed:
                errors = "; ".join(naming_run.progress.last_errors.values())
                raise RunError(
                    f"cluster: {naming_run.progress.failed} of {len(topics)} topics could not be named: {errors}. Run "
                    "the same command again: those that have a name keep it"
                )
            return [shelf.get(topic.id) for topic in topics]


def _written(prompts: Prompts, clusters: Clusters, topics: list[Topic], folder: Path) -> int:
    """Write the table with its two columns filled, and the topics beside it; gives the number of rows."""
    rows = scan(prompts.path)
    columns = rows.collect_schema().names()
    places = [name for name in ("cluster", "topic") if name not in columns]
    filled = rows.drop("cluster", "topic", strict=False).join(
        _labels(prompts, clusters, topics), on="task_id", how="left", maintain_order="left"
    )
    write_whole(folder / TOPICS, b"".join(topic.model_dump_json().encode() + b"\n" for topic in topics))
    return write_frame(filled.select(*columns, *places), folder / TABLE)


def _labels(prompts: Prompts, clusters: Clusters, topics: list[Topic]) -> pl.LazyFrame:
    import polars as pl

    names = pl.Series([topic.name for topic in topics] + [NO_TOPIC], dtype=pl.String)
    labels = pl.Series(clusters.labels, dtype=pl.Int64)
    at = pl.select(pl.when(labels < 0).then(len(topics)).otherwise(labels)).to_series()
    ids = pl.Series(prompts.ids, dtype=pl.String)
    return pl.LazyFrame({"task_id": ids, "cluster": labels, "topic": names.gather(at)})
