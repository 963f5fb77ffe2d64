"""Layers as images of a Docker engine: built once on their base, whose own disk layers they share."""

from __future__ import annotations

import contextlib
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafactory.errors import SandboxError
from datafactory.layers import HELP, Layer, home, pieces, turn
from datafactory.types import digest_of
from sandboxes import imagery
from sandboxes.docker_engine import attributed
from sandboxes.search_path import STANDARD_PATH

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "datafactory.layer"
"""Of such an image: the name of its layer."""
ROOM = 3
"""Times a layer's size that the engine's disk takes for a build: what it is sent, what it unpacks of that, and the disk
layer that it copies from there (measured: 3.0 at most, 1.0 in the end; engine 20.10, overlay2)."""
_PATIENCE = 1800
"""Seconds for a build."""
_MADE = re.compile(r"\s*---> ([0-9a-f]{12})\s*")
"""What a build says of each image that it made on its way."""


@dataclass(frozen=True, slots=True)
class Built:
    """An image of a layer, as the engine has it."""

    id: str
    reference: str
    """Its tag; empty: it has none."""
    layer: str
    """The layer that it was built of; it may have changed since, or be gone."""
    size: int
    """Bytes on the engine's disk, without what it shares with its base."""
    made: float
    """Seconds since 1970."""


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


def built() -> list[Built]:
    """All images of layers that the engine has. Raises Missing where none answers, SandboxError."""
    with attributed("listing the images of layers"), contextlib.closing(imagery.connect()) as engine:
        api: Any = engine.api
        found = api.images(filters={"label": LABEL})
        return [one for each in found if (one := _built(api, each)) is not None]


def _built(api: Any, said: Mapping[str, Any]) -> Built | None:
    from docker.errors import ImageNotFound

    try:
        steps = api.history(said["Id"])
    except ImageNotFound:  # it went meanwhile
        return None
    tags = [tag for tag in said.get("RepoTags") or () if "<none>" not in tag]
    own = next((step["Size"] for step in steps if step["Size"]), 0)  # the last step that brought any files
    return Built(said["Id"], tags[0] if tags else "", said["Labels"][LABEL], own, said["Created"])


def take_away(image: Built) -> bool:
    """Delete an image from the engine; False: it stays, since a container uses it. Raises Missing, SandboxError."""
    from docker.errors import APIError, ImageNotFound

    with attributed(f"deleting {image.reference or image.id}"), contextlib.closing(imagery.connect()) as engine:
        api: Any = engine.api
        try:
            api.remove_image(image.id)
        except ImageNotFound:
            return True
        except APIError as error:
            if error.status_code != 409:
                raise
            return False
    return True


def _build(engine: DockerClient, layer: Layer) -> None:
    made = list[str]()
    try:
        for line in _lines(engine, layer):
            if "error" in line:
                full = "no space left" in str(line["error"])
                raise SandboxError(f"building {layer.name!r}: {line['error']}{f'; {HELP}' if full else ''}")
            made += _MADE.findall(str(line.get("stream", "")))
    except BaseException:
        _clear(engine, [id for id in made if not layer.base_digest.startswith(f"sha256:{id}")])
        raise


def _lines(engine: DockerClient, layer: Layer) -> Iterator[dict[str, Any]]:
    """What the engine says while it builds."""
    context: Any = _context(layer, _dockerfile(engine, layer))  # the SDK sends whatever can be iterated, in chunks
    with attributed(f"building {layer.name!r}"):
        yield from engine.api.build(
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


def _clear(engine: DockerClient, made: list[str]) -> None:
    """Delete the images that a broken build made on its way; what others are built on, the engine keeps."""
    from docker.errors import APIError

    api: Any = engine.api
    for id in reversed(made):
        with contextlib.suppress(APIError):
            api.remove_image(id)


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
    yield from pieces(layer)
    yield _filling(layer.size) + bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def _filling(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
