"""Reads what a Dockerfile leaves in a box as far as that can be said without building it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from datafactory.types import File, Files

_SILENT = ("LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "MAINTAINER", "HEALTHCHECK", "STOPSIGNAL")
"""Instructions that change neither files nor environment of a command run in a box."""


@dataclass
class Recipe:
    """What was read."""

    image: str = ""
    workdir: str = ""
    files: Files = field(default_factory=dict)
    unbuilt: list[str] = field(default_factory=list)
    """Instructions whose effect is unknown without a build, as they stand."""


def read_dockerfile(text: str, context: Mapping[str, File]) -> Recipe:
    """`context`: the build context, relative path to file (a path that ends in ``/``: an empty folder)."""
    recipe = Recipe()
    ignored = ".dockerignore" in context
    for instruction in _instructions(text):
        word, _, rest = instruction.partition(" ")
        word, rest = word.upper(), rest.strip()
        if word == "FROM" and not recipe.image and re.fullmatch(r"[^\s$]+", rest):
            recipe.image = rest
        elif word == "WORKDIR" and "$" not in rest:
            recipe.workdir = posixpath.join(recipe.workdir or "/", rest)
        elif word == "COPY" and not ignored and not recipe.unbuilt and _copy(recipe, rest, context):
            continue
        elif word not in _SILENT:
            recipe.unbuilt.append(instruction)
    return recipe


def _instructions(text: str) -> list[str]:
    """Logical lines: comments gone, continuations joined; a heredoc's lines stay with their instruction."""
    made: list[str] = []
    ends: list[str] = []
    open_line = False
    for line in text.splitlines():
        if ends:
            made[-1] += "\n" + line
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        body = line.strip()
        more = body.endswith("\\")
        body = body[:-1].rstrip() if more else body
        if open_line:
            made[-1] += " " + body
        else:
            made.append(body)
        open_line = more
        if not more:
            ends = re.findall(r"<<-?[\"']?(\w+)", made[-1])
    return made


def _copy(recipe: Recipe, rest: str, context: Mapping[str, File]) -> bool:
    """Carry out one COPY; False where it takes more than plain paths."""
    words = _words(rest)
    if len(words) < 2 or any(re.search(r"[*?\[$]", word) or word.startswith(("--", "<<")) for word in words):
        return False
    *sources, target = words
    workdir = recipe.workdir or "/"
    root = posixpath.normpath(posixpath.join(workdir, target))
    into = target.endswith("/") or len(sources) > 1 or root == posixpath.normpath(workdir)
    copied: Files = {}
    for source in sources:
        name = posixpath.normpath(source.lstrip("/") or ".")
        if name in context:
            place = posixpath.join(root, posixpath.basename(name)) if into else root
            copied[place] = context[name]
            continue
        prefix = "" if name == "." else f"{name}/"
        below = {path: file for path, file in context.items() if path.startswith(prefix)}
        if not below:
            return False
        copied |= {posixpath.join(root, p[len(prefix) :]): f for p, f in below.items() if not p.endswith("/")}
    recipe.files |= copied
    return True


def _words(rest: str) -> list[str]:
    if not rest.startswith("["):
        return rest.split()
    try:
        words = json.loads(rest)
    except ValueError:
        return []
    return [str(word) for word in words] if isinstance(words, list) else []
