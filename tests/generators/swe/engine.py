"""Images that tests made in the Docker engine go when the tests do."""

from __future__ import annotations

from datafactory import layers
from sandboxes.docker_layers import built, take_away


def take_images_away() -> None:
    """Delete the images of all layers in the state folder of the tests, once no box is open on them."""
    own = {each.name for each in layers.stock()}
    for image in built():
        assert image.layer not in own or take_away(image)
