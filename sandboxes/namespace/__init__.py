"""Boxes made of Linux namespaces: no daemon, no image, no registry."""

from sandboxes.namespace.probe import available
from sandboxes.namespace.sandbox import NamespaceSandbox

__all__ = ["NamespaceSandbox", "available"]
