"""What every sandbox asks of a layer before it opens boxes on it, and how it keeps that layer from being removed."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

from datafactory.errors import Missing
from datafactory.layers import Layer, find, hold, note_use

_NOTED = 60.0
"""Seconds between two notes that the same layer is used."""


class Layers:
    """The layers of one host: each is held from when it is first asked for until the host closes."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._noted: dict[str, float] = {}
        self._turn = threading.Lock()

    def named(self, image: str) -> Layer:
        """The layer that `image` (``layer/…``) names. Raises Missing where this machine has none, DataError for a
        damaged one."""
        with ExitStack() as stack:
            try:
                if image not in self._noted:
                    stack.enter_context(hold(image))
                layer = find(image)
            except ValueError as error:
                raise Missing(str(error)) from error
            if layer is None:
                raise Missing(
                    f"this machine has no {image!r}: it was removed, or made elsewhere; a run that makes tasks of its "
                    "repository sets it up (the run of these tasks does so with --from synthesize)"
                )
            with self._turn:
                if image not in self._noted:
                    self._noted[image] = 0.0
                    self._stack.push(stack.pop_all())
        return layer

    def opened(self, image: str) -> None:
        """Note that a box of `image` is opened; of one that is no layer, nothing."""
        noted, now = self._noted.get(image), time.monotonic()
        if noted is not None and (not noted or now - noted >= _NOTED):
            self._noted[image] = now
            note_use(image)

    def close(self) -> None:
        """Let go of them."""
        self._stack.close()


def check_base(layer: Layer, digest: str) -> None:
    """Raises Missing unless `digest` is of the very base that the layer was made on."""
    if digest != layer.base_digest:
        raise Missing(
            f"{layer.name!r} was made on another {layer.base!r} ({layer.base_digest[:19]}) than this sandbox has "
            f"({digest[:19]}); set the repository up again, in this sandbox"
        )
