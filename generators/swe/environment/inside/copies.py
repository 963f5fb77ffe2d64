"""Prints files of an environment that are modules of a repository under another roof, as JSON.

``copies.py SITE_PACKAGES < modules``: each line of the input is a SHA-256 and a module's path (``toolz/core.py``).
The answer maps each path below SITE_PACKAGES that ends like a module to whether its content is the same.
"""

import hashlib
import json
import sys
from pathlib import Path

site = Path(sys.argv[1])
modules = {module: digest for digest, module in (line.rstrip("\n").split(" ", 1) for line in sys.stdin)}
found = {}
for path in site.rglob("*.py"):
    parts = path.relative_to(site).parts
    module = next((end for at in range(len(parts)) if (end := "/".join(parts[at:])) in modules), None)
    if module is not None:
        found["/".join(parts)] = hashlib.sha256(path.read_bytes()).hexdigest() == modules[module]
print(json.dumps(found))
