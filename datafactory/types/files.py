"""Files as records carry them: bytes, permission bits and symbolic links, readable in JSON where they can be."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_serializer, model_validator


class File(BaseModel):
    """One regular file, or one symbolic link.

    In JSON a UTF-8 file of the default mode is a plain string; anything else is an object with
    ``text`` or ``base64``, and ``mode`` (octal string, such as ``"0755"``) or ``link``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: bytes = b""
    """The content; empty for a link."""
    mode: int = 0o644
    """Permission bits, 0 to 0o7777."""
    link: str | None = None
    """Where a symbolic link points; None: a regular file."""

    @model_validator(mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"data": value.encode()}
        if isinstance(value, bytes | bytearray):
            return {"data": bytes(value)}
        if not isinstance(value, Mapping):
            return value
        fields = dict(value)
        if "text" in fields:
            fields["data"] = str(fields.pop("text")).encode()
        if "base64" in fields:
            try:
                fields["data"] = base64.b64decode(fields.pop("base64"), validate=True)
            except binascii.Error as error:
                raise ValueError(f"base64: {error}") from error
        if isinstance(fields.get("mode"), str):
            fields["mode"] = int(fields["mode"], 8)
        return fields

    @model_serializer(mode="plain")
    def _to_json(self) -> str | dict[str, str]:
        if self.link is not None:
            return {"link": self.link}
        try:
            body = {"text": self.data.decode()}
        except UnicodeDecodeError:
            body = {"base64": base64.b64encode(self.data).decode()}
        if self.mode == 0o644:
            return body.get("text", body)
        return {**body, "mode": f"{self.mode:04o}"}

    @property
    def text(self) -> str:
        """The content as UTF-8, undecodable bytes replaced."""
        return self.data.decode(errors="replace")


Files = dict[str, File]
"""Absolute paths in a box, and what lies there."""


def files(mapping: Mapping[str, str | bytes | File]) -> Files:
    """Make `Files` from plain strings and bytes; ``#!`` scripts become executable (mode 0o755)."""
    made: Files = {}
    for path, content in mapping.items():
        if isinstance(content, File):
            made[path] = content
            continue
        data = content.encode() if isinstance(content, str) else content
        made[path] = File(data=data, mode=0o755 if data.startswith(b"#!") else 0o644)
    return made
