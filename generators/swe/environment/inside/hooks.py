"""Prints what a build backend wants for an editable install beside ``requires`` (PEP 660), as a line of JSON.

``hooks.py BACKEND [FOLDER…]``, run in the repository's folder; FOLDER as in ``backend-path``.
"""

import importlib
import json
import sys

sys.path[:0] = sys.argv[2:]
name, _, inner = sys.argv[1].partition(":")
backend = importlib.import_module(name)
for part in inner.split(".") if inner else ():
    backend = getattr(backend, part)
hook = getattr(backend, "get_requires_for_build_editable", None) or getattr(
    backend, "get_requires_for_build_wheel", None
)
print("\n" + json.dumps(hook() if hook else []))
