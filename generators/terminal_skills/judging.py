"""How products become checks: the judge for each kind, and the files that it brings along."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files as resources
from typing import Any

from datafactory.types import Check, File
from generators.terminal_skills.skill import Artefact, Judge

TOLERANCES = {"mapping": 0.0, "settings": 0.0, "estimates": 0.001, "rough": 0.05}
"""Absolute, as the requirements state them."""


@cache
def _script(name: str) -> File:
    return File(data=resources(__package__).joinpath("judges", f"{name}.py").read_bytes())


def judge_of(product: Artefact) -> Judge:
    """The judge that compares a product with its value."""
    path, value, kind = product.path, product.value, product.kind
    if kind == "table":
        tolerance = {c.name: c.tolerance for c in value.columns if c.tolerance}
        return Judge("table", {"path": path, "columns": value.names, "rows": value.rows, "tolerance": tolerance})
    if kind in ("records", "nested"):
        records = value["records"] if kind == "nested" else value
        return Judge("document", {"path": path, "value": records, "by_line": True})
    if kind in TOLERANCES:
        return Judge("document", {"path": path, "value": value, "tolerance": TOLERANCES[kind]})
    if kind == "lines":
        return Judge("lines", {"path": path, "lines": value})
    if kind == "edges":
        return Judge("lines", {"path": path, "lines": value.text().splitlines()})
    if kind in ("series", "solution"):
        lines = [f"{t:.10g} {v:.10g}" for t, v in value.points]
        return Judge("lines", {"path": path, "lines": lines, "tolerance": max(value.tolerance, 1e-6)})
    tree = value["tree"] if kind == "sources" else value
    return Judge("tree", {"root": path, "files": {n: _wanted(f, modes=kind == "modes") for n, f in tree.items()}})


def _wanted(file: File, *, modes: bool) -> dict[str, Any]:
    wanted: dict[str, Any] = {"sha256": hashlib.sha256(file.data).hexdigest(), "size": len(file.data), "regular": True}
    return {**wanted, "mode": f"{file.mode:04o}"} if modes else wanted


def check(name: str, judge: Judge, weight: float) -> Check:
    """The check that runs a judge in the clean box."""
    facts = f"/checks/{name}.json"
    script = f"/checks/{judge.script}.py"
    return Check(
        name=name,
        argv=("python3", script, facts),
        files={
            "/checks/reading.py": _script("reading"),
            script: _script(judge.script),
            facts: File(data=json.dumps(judge.facts, ensure_ascii=False).encode()),
        },
        weight=weight,
    )
