"""Tiny repositories to set up, and wheels made by hand to resolve."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from datafactory.types import files
from generators.swe.sources import Checkout, Repository

PYPROJECT = '[build-system]\nrequires = ["setuptools>=64"]\nbuild-backend = "setuptools.build_meta"\n'
PROJECT = PYPROJECT + '[project]\nname = "tiny"\nversion = "1.0"\n'
SETUP = "from setuptools import setup\nsetup(name='tiny', version='1.0', packages=['tiny'])\n"
C_SETUP = (
    "from setuptools import Extension, setup\n"
    "setup(name='tiny', version='1.0', packages=['tiny'], ext_modules=[Extension('tiny._fast', ['tiny/_fast.c'])])\n"
)
C_SOURCE = """#include <Python.h>
static PyObject *six(PyObject *self, PyObject *none) { return PyLong_FromLong(6); }
static PyMethodDef methods[] = {{"six", six, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", 0, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""
CORE = "def double(x):\n    return 2 * x\n"


def checkout(contents: dict[str, str], **asked: tuple[str, ...]) -> Checkout:
    """A repository of these files, as `fetch` would give it."""
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()
    return Checkout(Repository(at="./tiny", **asked), "tiny", "1.0", "", "MIT", files(contents), digest)


def wheel(folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> Path:
    """A wheel of nothing but metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    said = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {text}" for text in requires)]
    with zipfile.ZipFile(path, "w") as archive:
        home = f"{name}-{version}.dist-info"
        archive.writestr(f"{home}/METADATA", "\n".join(["Metadata-Version: 2.1", *said, "", ""]))
        archive.writestr(f"{home}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{home}/RECORD", "")
    return path
