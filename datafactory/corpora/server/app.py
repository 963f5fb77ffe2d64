"""The search server as an application: what each address answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

import datafactory
from datafactory.corpora.library import LONGEST, MOST, Shelves
from datafactory.corpora.server import wire
from datafactory.errors import SearchError

JSON = "application/json"
WAITING = 4096
"""Queries that may wait; what comes then is refused with 503, and a client tries again."""
_KEPT = 1 << 14
"""Passages that are kept at hand as JSON: about 20 MB."""


def application(shelves: Shelves) -> FastAPI:
    """The server over an open corpus.

    `POST /retrieve` and `POST /access` are ASearcher's (its clients read `contents` and `url`) and Search-R1's (which
    reads `document` and `score`). `GET /info` says which corpus it is, `GET /health` that it answers, `/docs` how it
    is asked.
    """
    app = FastAPI(
        title="datafactory search",
        version=datafactory.__version__,
        description=f"Search in {shelves.corpus}: {len(shelves.pages):,} pages.",
    )
    answers = Answers(shelves)
    # No model of pydantic's reads or writes these two: it took longer than the search.
    app.add_api_route("/retrieve", answers.retrieve, methods=["POST"], openapi_extra=_asked(_RETRIEVE))
    app.add_api_route("/access", answers.access, methods=["POST"], openapi_extra=_asked(_ACCESS))
    app.add_api_route("/info", answers.info, methods=["GET"])
    app.add_api_route("/health", answers.health, methods=["GET"])
    return app


class Answers:
    """What the server says, as bytes."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._headers = {wire.HEADER: shelves.digest}
        self._document = lru_cache(maxsize=_KEPT)(self._fragment)

    async def retrieve(self, request: Request) -> Response:
        """Search: for each query a list of passages, the best first. With `return_scores` each is
        `{"document": {...}, "score": ...}`, else the document alone."""
        try:
            asked = wire.retrieve(await _body(request))
            if self._shelves.waiting > WAITING:
                raise wire.Refused(503, f"{self._shelves.waiting:,} queries wait already; try again")
            found = await self._shelves.rank(asked.queries, topk=asked.topk)
        except (wire.Refused, SearchError) as error:
            return self._refusal(error)
        document = self._document
        if asked.scores:
            result: list[Any] = [
                [{"document": document(number), "score": score} for number, score in zip(*each, strict=True)]
                for each in found
            ]
        else:
            result = [[document(number) for number in numbers] for numbers, _ in found]
        return self._said({"result": result})

    async def access(self, request: Request) -> Response:
        """Open pages: for each url `{"url", "title", "contents", "links"}`, or null where there is no such page."""
        try:
            pages = await self._shelves.access(wire.access(await _body(request)))
        except (wire.Refused, SearchError) as error:
            return self._refusal(error)
        rows = [
            page and {"url": page.url, "title": page.title, "contents": page.text, "links": page.links}
            for page in pages
        ]
        return self._said({"result": rows})

    async def info(self) -> Response:
        """Which corpus this is, how it is searched, and the limits of a request."""
        shelves = self._shelves
        return self._said(
            {
                "corpus": shelves.corpus,
                "title": shelves.pages.title,
                "pages": len(shelves.pages),
                "passages": len(shelves.pages.passages),
                "retriever": shelves.retriever.describe(),
                "blocked": shelves.blocked.digest,
                "digest": shelves.digest,
                "version": datafactory.__version__,
                "limits": {"queries": wire.QUERIES, "topk": MOST, "characters": LONGEST, "bytes": wire.BODY},
            }
        )

    async def health(self) -> Response:
        """Whether it answers."""
        return self._said({"status": "ok", "corpus": self._shelves.corpus})

    def _fragment(self, number: int) -> orjson.Fragment:
        url, title, text = self._shelves.passage(number)
        contents = f"{title}\n{text}"  # as Search-R1's corpora have it: the first line is the title
        return orjson.Fragment(orjson.dumps({"id": str(number), "url": url, "title": title, "contents": contents}))

    def _said(self, value: Any, status: int = 200) -> Response:
        return Response(orjson.dumps(value), status, self._headers, JSON)

    def _refusal(self, error: wire.Refused | SearchError) -> Response:
        return self._said({"detail": str(error)}, error.status if isinstance(error, wire.Refused) else 500)


async def _body(request: Request) -> bytes:
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > wire.BODY:
        raise wire.Refused(413, f"the request has {int(said):,} bytes, and {wire.BODY:,} is the limit")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > wire.BODY:
            raise wire.Refused(413, f"the request has more than {wire.BODY:,} bytes")
        parts.append(part)
    return b"".join(parts)


_TEXTS = {"type": "array", "items": {"type": "string"}, "maxItems": wire.QUERIES}
_RETRIEVE = {
    "type": "object",
    "required": ["queries"],
    "properties": {
        "queries": _TEXTS,
        "topk": {"type": "integer", "minimum": 1, "maximum": MOST, "default": wire.TOPK},
        "return_scores": {"type": "boolean", "default": False},
    },
}
_ACCESS = {"type": "object", "required": ["urls"], "properties": {"urls": _TEXTS}}


def _asked(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}
