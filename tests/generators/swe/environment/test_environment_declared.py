"""What a repository needs is read without running it: every place where people write it."""

from __future__ import annotations

import pytest

from datafactory.types import files
from generators.swe.environment.declared import LEGACY_BUILD, Declared, declared
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.target import Target

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.10.4",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.10.4",
    "python_version": "3.10",
    "sys_platform": "linux",
}
TARGET = Target(MARKERS, (2, 36))


def read(contents: dict[str, str], *extra: str) -> Declared:
    return declared(files(contents), TARGET, extra)


def test_pyproject_tells_build_runtime_and_tests_and_markers_are_the_boxs() -> None:
    found = read(
        {
            "pyproject.toml": """
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "Tiny.Thing"
            dependencies = ["attrs>=20", "tomli; python_version < '3.11'", "pywin32; sys_platform == 'win32'"]
            [project.optional-dependencies]
            test = ["pytest-asyncio", "tiny-thing[fast]", "ruff"]
            fast = ["orjson"]
            docs = ["sphinx"]
            [dependency-groups]
            dev = ["hypothesis", {include-group = "more"}]
            more = ["freezegun"]
            """
        },
        "extra-of-mine",
    )
    assert found.name == "tiny-thing"
    assert (found.build, found.backend) == (("hatchling",), ("hatchling.build",))
    assert found.runtime == ("attrs>=20", "tomli", "extra-of-mine")
    assert found.tests == ("pytest-asyncio", "orjson", "hypothesis", "freezegun")
    assert found.left_out == ("ruff",)


def test_a_repository_is_never_asked_of_the_index_itself() -> None:
    found = read(
        {"pyproject.toml": "[project]\nname='a'\n[project.optional-dependencies]\ntest=['A[dev]']\ndev=['a', 'b']"}
    )
    assert found.tests == ("b",)


def test_setup_cfg_and_literals_of_setup_py_tell_it_too() -> None:
    cfg = "[metadata]\nname = tiny\n[options]\ninstall_requires =\n  six\n[options.extras_require]\ntesting =\n  mock\n"
    assert read({"setup.cfg": cfg, "setup.py": "import setuptools; setuptools.setup()"}).runtime == ("six",)
    found = read({"setup.py": "needs = ['six>1']\nsetup(name='tiny', install_requires=needs, tests_require=['mock'])"})
    assert (found.name, found.build, found.runtime, found.tests) == ("tiny", LEGACY_BUILD, ("six>1",), ("mock",))


def test_setup_py_that_is_computed_or_broken_is_left_to_the_build() -> None:
    assert read({"setup.py": "setup(install_requires=open('r.txt').read())"}).runtime == ()
    assert read({"setup.py": "setup(install_requires=["}).build == LEGACY_BUILD


def test_metadata_of_an_sdist_fills_in() -> None:
    info = (
        "Name: tiny\nRequires-Dist: six\nRequires-Dist: mock; extra == 'test'\nRequires-Dist: furo; extra == 'docs'\n\n"
    )
    found = read({"setup.py": "setup()", "PKG-INFO": info})
    assert (found.name, found.runtime) == ("tiny", ("six",))
    assert read({"setup.py": "setup()", "PKG-INFO": info}).tests == ("mock",)


def test_requirements_files_are_followed_and_options_left_out() -> None:
    found = read(
        {
            "requirements/test.txt": "-r base.txt\n-e .\n--index-url https://x\nmock==1 \\\n  --hash=sha256:00\n# no\n",
            "requirements/base.txt": "six # why\n-r test.txt\n./local\n",
            "tox.ini": "[testenv]\ndeps =\n  py310: trio\n  {toxinidir}/x\n  -rrequirements/test.txt\n",
        }
    )
    assert found.tests == ("mock==1", "six", "trio")
    assert not found.buildable
    assert "./local" in found.left_out


def test_poetrys_tables_become_ranges() -> None:
    text = (
        "[tool.poetry]\nname='tiny'\n[tool.poetry.dependencies]\npython='^3.8'\na='^1.2.3'\nb='^0.2'\nc='~1.4'\nd='*'\n"
        "e={version='>=2,<3',extras=['x']}\nf={git='https://x'}\n[tool.poetry.group.test.dependencies]\nmock='1.0'\n"
    )
    found = read({"pyproject.toml": text})
    assert found.runtime == ("a<2,>=1.2.3", "b<0.3,>=0.2", "c~=1.4", "d", "e[x]<3,>=2")
    assert found.tests == ("mock==1.0",)


def test_a_broken_pyproject_is_a_failed_build() -> None:
    with pytest.raises(SetUpFailed, match="pyproject") as failed:
        read({"pyproject.toml": "[project\n"})
    assert failed.value.step == "build"
    assert failed.value.final


def test_a_target_takes_wheels_of_its_glibc_and_older() -> None:
    tags = TARGET.platforms()
    assert tags[0] == "manylinux_2_36_x86_64"
    assert {"manylinux_2_5_x86_64", "manylinux1_x86_64", "manylinux2014_x86_64", "linux_x86_64"} < set(tags)
    arm = Target({**MARKERS, "platform_machine": "aarch64"}, (2, 28)).platforms()
    assert "manylinux_2_28_aarch64" in arm
    assert not {"manylinux_2_5_aarch64", "manylinux_2_36_aarch64", "manylinux1_aarch64"} & set(arm)
