"""What a repository says that it needs, read from its files without running any of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import Parser
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from datafactory.types import Files
from generators.swe.environment import legacy
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.target import Target, parse

GROUPS = re.compile(
    r"(dev|develop|development|tests?|testing|pytest|ci|all-?tests?|(unit|dev)-?tests?|tests?-?(dev|all|deps))"
)
"""Names of extras and groups that a suite may need."""
FILES = (
    "requirements/test.txt", "requirements/tests.txt", "requirements/testing.txt", "requirements/dev.txt",
    "requirements-test.txt", "requirements-tests.txt", "requirements-testing.txt", "requirements-dev.txt",
    "requirements_test.txt", "requirements_tests.txt", "requirements_dev.txt", "test-requirements.txt",
    "tests-requirements.txt", "test_requirements.txt", "dev-requirements.txt", "dev_requirements.txt",
    "tests/requirements.txt", "test/requirements.txt",
)  # fmt: skip
"""Where requirements of tests are kept beside the metadata."""
TOOLS = frozenset({
    "autopep8", "bandit", "black", "blacken-docs", "build", "bump2version", "bumpver", "bumpversion",
    "check-manifest", "check-wheel-contents", "codecov", "codespell", "commitizen", "coveralls", "cruft", "flake8",
    "furo", "hatch", "ipdb", "ipython", "isort", "jupyter", "mkdocs", "mkdocs-material", "mypy", "myst-parser",
    "nox", "pdm", "pip-tools", "pipenv", "poetry", "pre-commit", "prek", "pycodestyle", "pydocstyle", "pyflakes",
    "pylint", "pyright", "pytest-black", "pytest-checkdocs", "pytest-flake8", "pytest-isort", "pytest-mypy",
    "pytest-pycodestyle", "pytest-pylint", "pytest-random-order", "pytest-randomly", "pytest-ruff", "pyupgrade",
    "releases", "reno", "ruff", "sphinx", "sphinx-rtd-theme", "towncrier", "tox", "tox-uv", "twine", "ty", "uv",
    "vulture", "yapf", "zest-releaser",
})  # fmt: skip
"""Linters, builders of docs and packages, and what shuffles tests: no suite needs one, and they are large."""
LEGACY_BUILD = ("setuptools>=64,<80", "wheel")
"""For a setup.py without pyproject.toml: 64 has editable installs by PEP 660; from 80 on `develop` calls pip, which has
no network, and from 82 on there is no pkg_resources, which old files import."""
_FAMILIES = ("sphinx-", "sphinxcontrib-", "mkdocs-", "flake8-", "types-")


@dataclass(frozen=True)
class Declared:
    """Requirements for a box, of which each is a string of PEP 508; the repository's own name is in none."""

    name: str
    """The distribution's, in canonical form; empty: it could not be told without running something."""
    build: tuple[str, ...]
    runtime: tuple[str, ...]
    tests: tuple[str, ...]
    backend: tuple[str, ...] = ()
    """The build backend, and folders of the repository's to find it in."""
    left_out: tuple[str, ...] = ()
    """What was asked for and is no use for tests."""

    @property
    def buildable(self) -> bool:
        """Whether there is anything to build."""
        return bool(self.build)


def declared(files: Files, target: Target, extra: Iterable[str] = ()) -> Declared:
    """Read it all; `extra` are requirements of the user's, which count as the runtime's."""
    reader = _Reader(files, target)
    build = reader.build()
    return Declared(
        name=canonicalize_name(reader.name) if reader.name else "",
        build=tuple(build),
        runtime=tuple(reader.plain([*reader.runtime(), *extra])),
        tests=tuple(reader.plain(reader.tests(), tools=False)),
        backend=reader.backend() if build else (),
        left_out=tuple(dict.fromkeys(reader.dropped)),
    )


class _Reader:
    def __init__(self, files: Files, target: Target) -> None:
        self._files, self._target = files, target
        self.dropped: list[str] = []
        self.project = _toml(self.read("pyproject.toml"))
        table: Mapping[str, Any] = _table(self.project, "project")
        poetry = _table(self.project, "tool", "poetry")
        info = Parser().parsestr(self.read("PKG-INFO") or "", headersonly=True)
        self._info: list[str] = [str(value) for value in info.get_all("Requires-Dist") or []]
        self._cfg = legacy.setup_cfg(self.read("setup.cfg") or "")
        self._setup = legacy.setup_py(self.read("setup.py") or "")
        names = (
            table.get("name"),
            poetry.get("name"),
            self._cfg.get("name"),
            info.get("Name"),
            self._setup.get("name"),
        )
        self.name = next((name for name in names if isinstance(name, str) and name), "")
        self._table, self._poetry = table, poetry
        self._extras: dict[str, list[str]] = {}
        for text in self._info:
            if match := _EXTRA.search(text):
                self._extras.setdefault(match[1], []).append(text)
        self._extras.update({**_lists(self._setup.get("extras_require")), **_lists(self._cfg.get("extras_require"))})
        self._extras.update(_lists(table.get("optional-dependencies")))
        self._extras.update(_lists(_table(self.project, "tool", "flit", "metadata").get("requires-extra")))

    def read(self, path: str) -> str | None:
        file = self._files.get(path)
        return file.text if file is not None and file.link is None else None

    def build(self) -> list[str]:
        system = _table(self.project, "build-system")
        if system:
            asked = [item for item in system.get("requires", []) if isinstance(item, str)]
            return [*self.plain(asked), *(() if "build-backend" in system else LEGACY_BUILD), *self._setup_requires()]
        if "setup.py" in self._files or "setup.cfg" in self._files or "project" in self.project:
            return [*LEGACY_BUILD, *self._setup_requires()]
        return []

    def backend(self) -> tuple[str, ...]:
        system = _table(self.project, "build-system")
        name = system.get("build-backend")
        if not isinstance(name, str):
            return ("setuptools.build_meta:__legacy__",)
        return (name, *_strings(system.get("backend-path")))

    def _setup_requires(self) -> list[str]:
        return self.plain([*_strings(self._cfg.get("setup_requires")), *_strings(self._setup.get("setup_requires"))])

    def runtime(self) -> list[str]:
        found = _strings(self._table.get("dependencies"))
        found += _strings(_table(self.project, "tool", "flit", "metadata").get("requires"))
        found += _poetry(self._poetry.get("dependencies"))
        if not found:
            found = _strings(self._cfg.get("install_requires")) + _strings(self._setup.get("install_requires"))
        if not found:
            found = [text for text in self._info if not _EXTRA.search(text)]
        return found

    def tests(self) -> list[str]:
        found = [text for name, listed in self._extras.items() if _is_of_tests(name) for text in listed]
        found += _strings(self._cfg.get("tests_require")) + _strings(self._setup.get("tests_require"))
        for name in _table(self.project, "dependency-groups"):
            found += self._group(name, frozenset()) if _is_of_tests(name) else []
        for name, group in _table(self.project, "tool", "poetry", "group").items():
            found += _poetry(group.get("dependencies")) if _is_of_tests(name) and isinstance(group, dict) else []
        found += _poetry(self._poetry.get("dev-dependencies"))
        for name, environment in _table(self.project, "tool", "hatch", "envs").items():
            if isinstance(environment, dict) and (_is_of_tests(name) or name == "default"):
                found += _strings(environment.get("dependencies")) + _strings(environment.get("extra-dependencies"))
        found += _strings(_table(self.project, "tool", "pdm", "dev-dependencies").get("test"))
        for path in FILES:
            found += legacy.requirements_file(path, self.read)
        return found + legacy.tox_deps(self.read("tox.ini") or "")

    def _group(self, name: str, seen: frozenset[str]) -> list[str]:
        found: list[str] = []
        for item in _table(self.project, "dependency-groups").get(name, []) if name not in seen else []:
            if isinstance(item, str):
                found.append(item)
            elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
                found += self._group(item["include-group"], seen | {name})
        return found

    def plain(self, texts: Iterable[str], *, tools: bool = True, seen: frozenset[str] = frozenset()) -> list[str]:
        """Those that count in the box, each once: extras of the repository itself are put in their place, and
        `tools` left out where they are not wanted."""
        found: list[str] = []
        for text in texts:
            requirement = parse(text)
            if requirement is None:
                self.dropped.append(text)
                continue
            if not self._target.wants(requirement, self._extras if "extra" in str(requirement.marker or "") else ()):
                continue
            name = canonicalize_name(requirement.name)
            if self.name and name == canonicalize_name(self.name):
                wanted = [extra for extra in sorted(requirement.extras) if extra in self._extras and extra not in seen]
                for extra in wanted:
                    found += self.plain(self._extras[extra], tools=tools, seen=seen | {extra})
            elif not tools and (name in TOOLS or name.startswith(_FAMILIES)):
                self.dropped.append(text)
            else:
                found.append(_without_marker(requirement))
        return list(dict.fromkeys(found))


_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def _is_of_tests(name: str) -> bool:
    return GROUPS.fullmatch(name.lower().replace("_", "-")) is not None


def _without_marker(requirement: Requirement) -> str:
    """The marker was evaluated for the box; the host's pip would evaluate it for the host."""
    bare = Requirement(str(requirement))
    bare.marker = None
    return str(bare)


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        raise SetUpFailed("build", f"pyproject.toml: {error}") from error


def _table(document: Mapping[str, Any], *path: str) -> dict[str, Any]:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return dict(value) if isinstance(value, Mapping) else {}


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return legacy.lines(value)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _lists(value: Any) -> dict[str, list[str]]:
    return {str(key): _strings(item) for key, item in value.items()} if isinstance(value, Mapping) else {}


def _poetry(value: Any) -> list[str]:
    """Poetry's tables as PEP 508: ``^1.2`` and ``~1.2`` as ranges; paths, git and what has a choice left out."""
    found: list[str] = []
    for name, asked in value.items() if isinstance(value, Mapping) else ():
        if name == "python":
            continue
        table = asked if isinstance(asked, dict) else {"version": asked}
        version = table.get("version")
        if not isinstance(version, str) or table.get("optional"):
            continue
        extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
        marker = f"; {table['markers']}" if table.get("markers") else ""
        found.append(f"{name}{extras}{_range(version)}{marker}")
    return found


def _range(version: str) -> str:
    made = []
    for part in (piece.strip() for piece in version.split(",")):
        if part in ("", "*"):
            continue
        if part[0] == "^":
            numbers = [int(n) for n in re.findall(r"\d+", part.split("-")[0])] or [0]
            at = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
            made.append(f">={part[1:]},<{'.'.join(map(str, [*numbers[:at], numbers[at] + 1]))}")
        elif part[0] == "~" and part[1:2] != "=":
            made.append(f"~={part[1:]}" if part.count(".") > 0 else f"=={part[1:]}.*")
        else:
            made.append(part if part[0] in "<>=!~" else f"=={part}")
    return ",".join(made)
