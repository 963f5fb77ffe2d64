"""Layers: files that were made ready in a box once, kept as a tar that every sandbox can open boxes on."""

from datafactory.layers.disk import HELP, SPARE, room, shortage
from datafactory.layers.layer import PREFIX, TIME, Layer, every, find, folder, home, pieces, tar_of, turn
from datafactory.layers.packing import roots_of, save
from datafactory.layers.stocked import Stocked, remove, stock, tidy
from datafactory.layers.use import hold, note_use

__all__ = [
    "HELP",
    "PREFIX",
    "SPARE",
    "TIME",
    "Layer",
    "Stocked",
    "every",
    "find",
    "folder",
    "hold",
    "home",
    "note_use",
    "pieces",
    "remove",
    "room",
    "roots_of",
    "save",
    "shortage",
    "stock",
    "tar_of",
    "tidy",
    "turn",
]
