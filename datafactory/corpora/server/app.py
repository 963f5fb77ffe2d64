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


def application(shelves: Shelves) -> Application:
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

    async def retrieve(request: Request) -> Response:
        """Search: for each query a list of passages, the best first. With `return_scores` each is
        `{"document": {...}, "score": ...}`, else the document alone."""
        return answers.respond(await answers.post(request.url.path, request.receive))

    async def access(request: Request) -> Response:
        """Open pages: for each url `{"url", "title", "contents", "links"}`, or null where there is no such page."""
        return answers.respond(await answers.post(request.url.path, request.receive))

    app.add_api_route("/retrieve", retrieve, methods=["POST"], openapi_extra=_asked(_RETRIEVE))
    app.add_api_route("/access", access, methods=["POST"], openapi_extra=_asked(_ACCESS))
    app.add_api_route("/info", answers.info, methods=["GET"])
    app.add_api_route("/health", answers.health, methods=["GET"])
    return Application(app, answers)


class Application:
    """The server; searches and pages pass FastAPI by, whose way to a function takes longer than a search."""

    def __init__(self, app: FastAPI, answers: Answers) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ASGI has it."""
        if not (scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in ("/retrieve", "/access")):
            await self._app(scope, receive, send)
            return
        status, body = await self._answers.post(scope["path"], receive)
        headers = [*self._answers.headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


Said = tuple[int, bytes]
"""A status and JSON."""


class Answers:
    """What the server says."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self.headers = [(b"content-type", JSON.encode()), (wire.HEADER.encode(), shelves.digest.encode())]
        self._document = lru_cache(maxsize=_KEPT)(self._fragment)

    async def post(self, path: str, receive: Any) -> Said:
        """The answer to a search or to a wish for pages; what is wrong with the request is said, too."""
        try:
            body = await _body(receive)
            return 200, await (self._retrieve(body) if path == "/retrieve" else self._access(body))
        except wire.Refused as error:
            return error.status, orjson.dumps({"detail": str(error)})
        except SearchError as error:
            return 500, orjson.dumps({"detail": str(error)})

    async def _retrieve(self, body: bytes) -> bytes:
        asked = wire.retrieve(body)
        if self._shelves.waiting > WAITING:
            raise wire.Refused(503, f"{self._shelves.waiting:,} queries wait already; try again")
        found = await self._shelves.rank(asked.queries, topk=asked.topk)
        document = self._document
        if not asked.scores:
            return orjson.dumps({"result": [[document(number) for number in numbers] for numbers, _ in found]})
        result = [
            [{"document": document(number), "score": score} for number, score in zip(*each, strict=True)]
            for each in found
        ]
        return orjson.dumps({"result": result})

    async def _access(self, body: bytes) -> bytes:
        pages = await self._shelves.access(wire.access(body))
        rows = [
            page and {"url": page.url, "title": page.title, "contents": page.text, "links": page.links}
            for page in pages
        ]
        return orjson.dumps({"result": rows})

    async def info(self) -> Response:
        """Which corpus this is, how it is searched, and the limits of a request."""
        shelves = self._shelves
        return self.respond(
            (
                200,
                orjson.dumps(
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
                ),
            )
        )

    async def health(self) -> Response:
        """Whether it answers."""
        return self.respond((200, orjson.dumps({"status": "ok", "corpus": self._shelves.corpus})))

    def _fragment(self, number: int) -> orjson.Fragment:
        url, title, text = self._shelves.passage(number)
        contents = f"{title}\n{text}"  # as Search-R1's corpora have it: the first line is the title
        return orjson.Fragment(orjson.dumps({"id": str(number), "url": url, "title": title, "contents": contents}))

    def respond(self, said: Said) -> Response:
        """An answer as FastAPI takes it."""
        return Response(said[1], said[0], {name.decode(): value.decode() for name, value in self.headers})


async def _body(receive: Any) -> bytes:
    """The whole of a request. Raises Refused for one that is too long, as soon as that is known."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise wire.Refused(400, "the request broke off")
        body += message.get("body", b"")
        if len(body) > wire.BODY:
            raise wire.Refused(413, f"the request has more than {wire.BODY:,} bytes")
        if not message.get("more_body"):
            return body


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
