"""Where tasks come from: one repository, as a pipeline file names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator

from datafactory.spec import Spec
from generators.swe.sources.address import Address, Package, Place, parse
from generators.swe.sources.benchmarks import excluded_benchmark


class Repository(Spec):
    """A Python repository. In a pipeline file a bare string stands for one whose other fields are as they come.

    What stands before the @ of an http address is a secret: it is used by `fetch`, and is in no field, dump or text.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    at: str
    """A package (`toolz==1.1.0`; without a version: the newest), an address (`https://host/owner/name@commit`, or a
    tag or a branch), a path to a git repository with `@commit`, or a folder as it lies there."""
    tests: tuple[str, ...] = ()
    """Arguments of pytest, instead of the tests that are found."""
    requirements: tuple[str, ...] = ()
    """What else to install, as pip writes it."""
    allow_benchmarks: bool = False
    """Take a repository of SWE-bench Verified too; what comes of it must not train what is measured there."""
    _secret: str = PrivateAttr(default="")

    @model_validator(mode="wrap")
    @classmethod
    def _from_text(cls, value: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return make(value)
        keys = {"at": value} if isinstance(value, str) else value
        if not isinstance(keys, Mapping) or not isinstance(keys.get("at"), str):
            return make(keys)
        named = parse(keys["at"])
        if not isinstance(named, Address):
            return make({**keys, "at": keys["at"].strip()})
        made = make({**keys, "at": f"{named.url}@{named.revision}" if named.revision else named.url})
        made._secret = named.user
        return made

    @property
    def named(self) -> Package | Address | Place:
        """The words taken apart, the secret put back."""
        named = parse(self.at)
        return Address(named.url, named.revision, self._secret) if isinstance(named, Address) else named

    def problems(self) -> Iterable[str]:
        """A repository of the benchmark, a folder that is not there."""
        named = self.named
        name = named.name if isinstance(named, Package) else named.url if isinstance(named, Address) else ""
        if isinstance(named, Place):
            folder = Path(named.path).expanduser()
            name = folder.resolve().name
            if not folder.is_dir():
                yield f"at: there is no folder {named.path}"
        if (benchmark := excluded_benchmark(name)) and not self.allow_benchmarks:
            yield f"at: {refusal(name, benchmark)}"

    def inputs(self) -> Iterable[Path]:
        """The files of a folder that is taken as it lies there; nothing that is pinned or elsewhere."""
        from generators.swe.sources.folder import listed

        named = self.named
        if not isinstance(named, Place) or named.revision:
            return
        folder = Path(named.path).expanduser().resolve()
        yield from (folder / path for path in listed(folder)[0] if not (folder / path).is_symlink())


def refusal(name: str, benchmark: str) -> str:
    """Why a repository of the benchmark is not taken, and how it would be."""
    return (
        f"{name} is {benchmark} of SWE-bench Verified: tasks made from it would train on the test; "
        "allow_benchmarks: true takes it all the same"
    )
