"""What every sandbox asks of a layer before it opens boxes on it."""

from __future__ import annotations

from datafactory.errors import Missing
from datafactory.layers import Layer, find


def layer_named(image: str) -> Layer:
    """The layer that `image` (``layer/…``) names. Raises Missing where this machine has none, DataError for a damaged
    one."""
    try:
        layer = find(image)
    except ValueError as error:
        raise Missing(str(error)) from error
    if layer is None:
        raise Missing(f"this machine has no {image!r}; it is made where its repository is set up (use: swe_mutations)")
    return layer


def check_base(layer: Layer, digest: str) -> None:
    """Raises Missing unless `digest` is of the very base that the layer was made on."""
    if digest != layer.base_digest:
        raise Missing(
            f"{layer.name!r} was made on another {layer.base!r} ({layer.base_digest[:19]}) than this sandbox has "
            f"({digest[:19]}); set the repository up again, in this sandbox"
        )
