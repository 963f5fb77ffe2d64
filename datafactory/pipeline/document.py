"""YAML text as plain values, with the line of every key, so that a mistake can be shown where it stands."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any

import yaml

from datafactory.errors import ConfigError, DataError

Place = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?|0x[0-9a-fA-F]+")
"""What everybody reads as the same number: no octal, no base 60, nothing without end."""

NODES = 20_000
"""How many values a pipeline file may have once its aliases are spelled out (guards against YAML bombs)."""
BYTES = 1 << 20
"""How large a pipeline file may be."""


class Document:
    """A YAML file that was read: its value, and where each key stands."""

    def __init__(self, path: FilePath, value: Any, lines: dict[Place, int]) -> None:
        self.path = path
        self.value = value
        self._lines = lines

    def line(self, place: Place) -> int:
        """The line of a key, or of the nearest key above it that is in the file."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)


def read(path: FilePath) -> Document:
    """Read one YAML file. Raises ConfigError (with the line) for bad YAML, DataError for a file that cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > BYTES:
        raise ConfigError(f"{path}: {len(data):,} bytes is too large for a pipeline file (at most {BYTES:,})")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text (byte {error.start})") from error
    return parse(text, path)


def parse(text: str, path: FilePath) -> Document:
    """The same of text; `path` is what errors call it. Raises ConfigError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        reading = _Reading(path)
        value = None if node is None else reading.value(node, ())
    except yaml.YAMLError as error:
        raise ConfigError(_broken(path, text, error)) from error
    except RecursionError as error:
        raise ConfigError(f"{path}: lists or mappings nested too deep") from error
    return Document(path, value, reading.lines)


def _broken(path: FilePath, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line if mark else text.count("\n", 0, getattr(error, "position", 0))
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    said = ", ".join(part for part in parts if part) or str(error).splitlines()[0]
    tab = "; indent with spaces, not tabs" if "'\\t'" in said else ""
    return f"{path}:{line + 1}: not good YAML: {said}{tab}"


class _Reading:
    def __init__(self, path: FilePath) -> None:
        self.path = path
        self.lines: dict[Place, int] = {(): 1}
        self._count = 0
        self._inside: list[yaml.Node] = []

    def value(self, node: yaml.Node, place: Place) -> Any:
        self._count += 1
        if self._count > NODES:
            raise ConfigError(f"{self.path}: more than {NODES:,} values (aliases spelled out); split the file")
        if any(node is outer for outer in self._inside):
            raise ConfigError(f"{self.path}:{node.start_mark.line + 1}: an alias holds itself")
        self.lines.setdefault(place, node.start_mark.line + 1)
        self._inside.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*place, number)) for number, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._inside.pop()

    def _scalar(self, node: yaml.Node) -> Any:
        where = f"{self.path}:{node.start_mark.line + 1}"
        kind = node.tag.rpartition(":")[2] if isinstance(node, yaml.ScalarNode) and node.style is None else "quoted"
        if kind in ("int", "float") and not _NUMBER.fullmatch(node.value):
            said = "is another number to every reader; write it in plain decimals, or in quotes where it is text"
            raise ConfigError(f"{where}: {node.value!r} {said}")
        if kind in ("str", "timestamp"):
            # YAML 1.2 has no dates, and calls 1e3 a number.
            return float(node.value) if _NUMBER.fullmatch(node.value) else node.value
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            said = f"the tag {node.tag!r} is not known here" if node.tag.startswith("!") else str(error)
            raise ConfigError(f"{where}: {said}") from error

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise ConfigError(f"{self.path}:{line}: merge keys ('<<') are not read here; write the keys out")
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                raise ConfigError(f"{self.path}:{line}: a key must be a word, not {key_node.value!r}")
            if key in made:
                raise ConfigError(f"{self.path}:{line}: the key {key!r} stands here a second time")
            self.lines[(*place, key)] = line
            made[key] = self.value(value_node, (*place, key))
        return made
