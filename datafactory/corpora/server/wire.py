"""What goes over the wire between a search server and its clients, and what a server refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from datafactory.corpora.library import LONGEST, MOST

TOPK = 5
"""Passages for a query where the request does not say; ASearcher's training takes 5 (arXiv 2508.07976)."""
QUERIES = 1024
"""Queries, or urls, of one request."""
BODY = 4 << 20
"""Bytes of one request."""
HEADER = "x-library-digest"
"""In every answer: the digest of the library that gave it."""


class Refused(Exception):
    """A request that is the client's mistake: the status and one clear line."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True, slots=True)
class Retrieve:
    """`POST /retrieve {"queries": [...], "topk": 5, "return_scores": false}`."""

    queries: list[str]
    topk: int
    scores: bool


def retrieve(body: bytes) -> Retrieve:
    """A request to search. Raises Refused."""
    given = _object(body)
    topk, scores = given.get("topk"), given.get("return_scores")
    if topk is None:
        topk = TOPK
    if not isinstance(topk, int) or isinstance(topk, bool):
        raise Refused(422, f"topk must be a whole number, not {_shown(topk)}")
    if not 1 <= topk <= MOST:
        raise Refused(422, f"topk must be from 1 to {MOST}, not {topk}")
    if not (scores is None or isinstance(scores, bool)):
        raise Refused(422, f"return_scores must be true or false, not {_shown(scores)}")
    queries = _texts(given, "queries")
    for number, query in enumerate(queries):
        if len(query) > LONGEST:
            raise Refused(422, f"queries[{number}] has {len(query):,} characters, and {LONGEST:,} is the limit")
    return Retrieve(queries, topk, bool(scores))


def access(body: bytes) -> list[str]:
    """A request to open pages: `POST /access {"urls": [...]}`. Raises Refused."""
    return _texts(_object(body), "urls")


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the request is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise Refused(422, f"the request must be a JSON object, not {_shown(given)}")
    return given


def _texts(given: dict[str, Any], name: str) -> list[str]:
    if name not in given:
        raise Refused(422, f"{name} is required: a list of texts")
    texts = given[name]
    if not isinstance(texts, list):
        raise Refused(422, f"{name} must be a list of texts, not {_shown(texts)}")
    if len(texts) > QUERIES:
        raise Refused(422, f"{name} has {len(texts):,} entries, and {QUERIES:,} is the limit")
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refused(422, f"{name}[{number}] must be text, not {_shown(text)}")
    return texts


def _shown(value: Any) -> str:
    shown = orjson.dumps(value).decode()
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
