"""Layers as images of a Docker engine: built once on their base, whose own disk layers they share."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from datafactory.errors import SandboxError
from datafactory.layers import Layer, home, tar_of, turn
from datafactory.types import digest_of
from sandboxes import imagery
from sandboxes.search_path import STANDARD_PATH

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "datafactory.layer"
"""Of such an image: the name of its layer."""
ROOM = 2
"""Times a layer's size that the engine's disk takes for a build: what it is sent, and what comes of it."""
_CHUNK = 1 << 20
_PATIENCE = 1800
"""Seconds for a build."""


def reference(layer: Layer) -> str:
    """Where the engine keeps it: ``datafactory/layer:<12 hex digits>``, of the base, the files and PATH."""
    return f"{imagery.REPOSITORY}/layer:{digest_of([layer.base_digest, layer.digest, list(layer.path)], 12)}"


def build(engine: DockerClient, layer: Layer) -> str:
    """The engine's id of the layer's image, which is built where there is none; of several factories on this machine
    one builds. Blocks. Raises SandboxError."""
    with turn(home(layer.name)):
        there = imagery.image_id(engine, reference(layer))
        if there is None:
            _build(engine, layer)
            there = imagery.image_id(engine, reference(layer))
    if there is None:
        raise SandboxError(f"building {layer.name!r}: the engine says it is built, and does not have it")
    return there


def _build(engine: DockerClient, layer: Layer) -> None:
    from docker.errors import APIError

    context: Any = _context(layer, _dockerfile(engine, layer))  # the SDK sends whatever can be iterated, in chunks
    try:
        lines: Iterator[dict[str, Any]] = engine.api.build(
            fileobj=context,
            custom_context=True,
            tag=reference(layer),
            labels={LABEL: layer.name},
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
            timeout=_PATIENCE,
        )
        for line in lines:
            if "error" in line:
                raise SandboxError(f"building {layer.name!r}: {line['error']}")
    except APIError as error:
        raise SandboxError(f"building {layer.name!r}: {error}") from error


def _dockerfile(engine: DockerClient, layer: Layer) -> bytes:
    api: Any = engine.api
    config: Mapping[str, Any] = api.inspect_image(layer.base_digest)["Config"]
    variables = dict(each.partition("=")[::2] for each in config.get("Env") or ())
    path = ":".join((*layer.path, variables.get("PATH") or STANDARD_PATH))
    return f'FROM {layer.base_digest}\nADD layer.tar /\nENV PATH="{path}"\n'.encode()


def _context(layer: Layer, dockerfile: bytes) -> Iterator[bytes]:
    """A tar of the Dockerfile and the layer's tar, in pieces: a layer may be larger than memory."""
    yield _header("Dockerfile", len(dockerfile)) + dockerfile + _filling(len(dockerfile))
    yield _header("layer.tar", layer.size)
    with tar_of(layer).open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
    yield _filling(layer.size) + bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _filling(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
