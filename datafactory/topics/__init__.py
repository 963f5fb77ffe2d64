"""Topics of tasks: prompts as vectors, vectors as clusters, clusters with names; `TABLE` names the embedders."""

TABLE: dict[str, str] = {
    "tfidf": "datafactory.topics.tfidf:Tfidf",
    "dense": "datafactory.topics.dense:DenseEmbedder",
}
