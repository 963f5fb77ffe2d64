"""The root of every record: frozen, strict about its fields, and with a digest of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


def digest_of(value: Any, length: int = 16) -> str:
    """Hex digest (SHA-256, first `length` characters) of a JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]


class Record(BaseModel):
    """A noun that travels along shelves; a stage that learns something makes a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """The key of a row of this type, as read from JSON: what makes it the same row in every run."""
        return str(row["id"])

    def but(self, **changes: Any) -> Self:
        """This record with some fields changed (the new values are trusted, not validated again)."""
        return self.model_copy(update=changes)
