"""What a repository's own files say of it, read without running any of them."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import Parser
from typing import Any

from datafactory.types import Files


@dataclass(frozen=True)
class Metadata:
    """Fields of the core metadata (PEP 566, PEP 639); empty where nothing tells."""

    name: str = ""
    version: str = ""
    license_expression: str = ""
    license: str = ""
    classifiers: tuple[str, ...] = ()


def metadata_of(files: Files) -> Metadata:
    """From PKG-INFO, pyproject.toml and setup.cfg of the top folder; of each field what the first of them says."""
    said = [read(files[path].text) for path, read in _READERS.items() if path in files and files[path].link is None]
    return Metadata(
        name=next((one.name for one in said if one.name), ""),
        version=next((one.version for one in said if one.version), ""),
        license_expression=next((one.license_expression for one in said if one.license_expression), ""),
        license=next((one.license for one in said if one.license), ""),
        classifiers=next((one.classifiers for one in said if one.classifiers), ()),
    )


def _core(text: str) -> Metadata:
    fields = Parser().parsestr(text, headersonly=True)
    return Metadata(
        name=fields.get("Name", ""),
        version=fields.get("Version", ""),
        license_expression=fields.get("License-Expression", ""),
        license=fields.get("License", ""),
        classifiers=tuple(fields.get_all("Classifier", ())),
    )


def _pyproject(text: str) -> Metadata:
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Metadata()
    project = _table(whole.get("project")) or _table(_table(whole.get("tool")).get("poetry"))
    declared = project.get("license")
    classifiers = project.get("classifiers")
    return Metadata(
        name=_text(project.get("name")),
        version=_text(project.get("version")),
        license_expression=_text(declared),
        license=_text(declared) or _text(_table(declared).get("text")),
        classifiers=tuple(map(_text, classifiers)) if isinstance(classifiers, list) else (),
    )


def _setup(text: str) -> Metadata:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return Metadata()
    said = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    version = said.get("version", "")
    return Metadata(
        name=said.get("name", ""),
        version="" if ":" in version else version,  # `attr:` and `file:` point at code
        license=said.get("license", ""),
        classifiers=tuple(line.strip() for line in said.get("classifiers", "").splitlines() if line.strip()),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_READERS = {"PKG-INFO": _core, "pyproject.toml": _pyproject, "setup.cfg": _setup}
