"""What older files say about requirements: setup.cfg, setup.py as plain text, requirements files, tox.ini."""

from __future__ import annotations

import ast
import configparser
import posixpath
from collections.abc import Callable, Mapping

Read = Callable[[str], str | None]
"""The text of a file by its path in the repository; None: there is none."""

_INTERESTING = ("install_requires", "extras_require", "setup_requires", "tests_require", "name")


def ini(text: str) -> configparser.ConfigParser:
    """An ini file, as far as it can be read."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser


def lines(text: str) -> list[str]:
    """Requirements one a line, without comments and pip's options."""
    found = []
    for raw in text.replace("\\\n", " ").splitlines():
        line = raw.split(" #")[0].strip()
        if line and not line.startswith(("#", "-")):
            found.append(line.split(" --hash")[0].strip())
    return found


def requirements_file(path: str, read: Read, seen: frozenset[str] = frozenset()) -> list[str]:
    """What a requirements file names, and the files that it includes by ``-r``."""
    text = read(path)
    if text is None or path in seen:
        return []
    found = lines(text)
    for raw in text.splitlines():
        for option in ("-r", "--requirement"):
            if raw.strip().startswith(option + " ") or raw.strip().startswith(option + "="):
                named = raw.strip().removeprefix(option).lstrip(" =").split(" #")[0].strip()
                inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
                found += requirements_file(inside, read, seen | {path})
    return found


def setup_cfg(text: str) -> Mapping[str, list[str] | dict[str, list[str]] | str]:
    """The keywords of `setup` that a setup.cfg gives."""
    parser = ini(text)
    made: dict[str, list[str] | dict[str, list[str]] | str] = {}
    if parser.has_section("options"):
        for key in ("install_requires", "setup_requires", "tests_require"):
            made[key] = lines((parser["options"].get(key) or "").replace(";\n", "\n"))
    if parser.has_section("options.extras_require"):
        made["extras_require"] = {k: lines(v or "") for k, v in parser["options.extras_require"].items()}
    if parser.has_option("metadata", "name"):
        made["name"] = parser["metadata"]["name"] or ""
    return made


def setup_py(text: str) -> Mapping[str, list[str] | dict[str, list[str]] | str]:
    """Keywords of the call of `setup` that are literals, or names of literals; the rest is the metadata's to tell."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    known: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = node.value
    made: dict[str, list[str] | dict[str, list[str]] | str] = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        for keyword in call.keywords if named == "setup" else ():
            if keyword.arg in _INTERESTING:
                value = _literal(keyword.value, known)
                if value is not None:
                    made[keyword.arg] = value
    return made


def _literal(node: ast.expr, known: Mapping[str, ast.expr]) -> list[str] | dict[str, list[str]] | str | None:
    if isinstance(node, ast.Name):
        node = known.get(node.id, node)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return [item for item in value if isinstance(item, str)]
    if isinstance(value, dict):
        return {
            str(key): lines(item) if isinstance(item, str) else [one for one in item if isinstance(one, str)]
            for key, item in value.items()
            if isinstance(item, str | list | tuple)
        }
    return None


def tox_deps(text: str) -> list[str]:
    """The ``deps`` of tox's environments for tests, without tox's own factors and paths."""
    parser = ini(text)
    found: list[str] = []
    for section in parser.sections():
        if section == "testenv" or (section.startswith("testenv:") and "py" in section and "lint" not in section):
            for line in lines(parser[section].get("deps") or ""):
                factor, _, rest = line.partition(":")
                plain = rest.strip() if rest and factor.replace("-", "").replace(",", "").isalnum() else line
                if "{" not in plain and not plain.startswith((".", "/")):
                    found.append(plain)
    return found
