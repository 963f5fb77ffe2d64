"""From rows of the dataset to the tokens that a student is trained on."""

from sft.rendering.renderer import Rendered, Renderer

__all__ = ["Rendered", "Renderer"]
