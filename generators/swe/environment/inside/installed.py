"""Prints what the distributions that lie in a folder require, as JSON, each with its name: ``installed.py FOLDER``."""

import importlib.metadata
import json
import sys

folder = sys.argv[1].rstrip("/")
found = {}
for distribution in importlib.metadata.distributions():
    origin = json.loads(distribution.read_text("direct_url.json") or "{}").get("url", "")
    lies = str(distribution.locate_file("")).rstrip("/")
    if origin.rstrip("/") == f"file://{folder}" or lies == folder or lies.startswith(folder + "/"):
        found[distribution.metadata["Name"] or ""] = distribution.requires or []
print(json.dumps(found))
