"""An sdist, found on the package index and downloaded, with nothing of the package being run."""

from __future__ import annotations

import hashlib
import logging
import ssl
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from unearth import PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.errors import HashMismatchError, UnpackError
from unearth.evaluator import Package as Found
from unearth.fetchers import PyPIClient
from unearth.link import Link

from datafactory.whole import whole
from generators.swe.sources.address import Package
from generators.swe.sources.archive import ENDINGS
from generators.swe.sources.fault import SourceError
from generators.swe.sources.settings import PipSettings, pip_settings
from generators.swe.sources.tree import LIMIT

logging.getLogger("unearth").addHandler(logging.NullHandler())  # it warns of what is an error of ours, or none

_ABSENT = (404, 410)
"""How an index says that it does not have a package (PEP 503)."""
_TRIES = 3
_SHOWN = 5


def bring(package: Package, cache: Path) -> tuple[Path, str]:
    """The archive of an sdist in `cache`, and its version. A version that was brought before needs no network; the
    newest is asked for every time. Raises SourceError."""
    if package.version and (kept := _kept(package.name, package.version, cache)):
        return kept, package.version
    retrying = Retrying(
        stop=stop_after_attempt(_TRIES),
        wait=wait_exponential(multiplier=0.5),
        retry=retry_if_exception(lambda error: isinstance(error, SourceError) and not error.final),
        reraise=True,
    )
    return retrying(_bring, package, cache, pip_settings())


def _bring(package: Package, cache: Path, settings: PipSettings) -> tuple[Path, str]:
    with _client(settings) as client:
        session: Any = client  # unearth's own client is not, to the letter, what its types ask for
        indexes, links = _places(settings)
        finder = PackageFinder(session, index_urls=indexes, find_links=links, ignore_compatibility=True)
        with _network("index", package.name):
            every = [found for found in finder.find_all_packages(package.name, allow_yanked=True) if found.version]
        found = _chosen(package, every)
        version = str(Version(found.version or ""))
        if kept := _kept(package.name, version, cache):
            return kept, version
        return _downloaded(finder, found.link, _shelf(package.name, version, cache)), version


class _Client(PyPIClient):
    """Unearth takes an index that is down for one that lacks the package; this one tells them apart."""

    def get(self, url: Any, **options: Any) -> httpx2.Response:
        answer = super().get(url, **options)
        if answer.status_code >= 400 and answer.status_code not in _ABSENT:
            broken = answer.status_code >= 500 or answer.status_code == 429
            raise SourceError("index", f"{url} answers {answer.status_code} {answer.reason_phrase}", final=not broken)
        return answer


def _client(settings: PipSettings) -> _Client:
    verify: ssl.SSLContext | bool = True
    try:
        if settings.cert:
            verify = ssl.create_default_context(cafile=settings.cert)
    except OSError as error:
        raise SourceError("settings", f"pip's certificates {settings.cert}: {error}") from error
    indexes = [url for url in (settings.index_url, *settings.extra_index_url) if url]
    client = _Client(
        trusted_hosts=settings.trusted_host,
        verify=verify,
        cert=settings.client_cert or None,
        timeout=settings.timeout,
        follow_redirects=True,
        proxy=settings.proxy or None,
    )
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=indexes)
    return client


def _places(settings: PipSettings) -> tuple[Sequence[str], Sequence[str]]:
    """Indexes and links to look at; the public index, unless another is set, is the one that unearth knows."""
    if not settings.no_index:
        default = settings.index_url or PackageFinder().sources[0]["url"]
        return (default, *settings.extra_index_url), settings.find_links
    if not settings.find_links:
        raise SourceError("settings", "pip is told to use no index (no-index) and no links (find-links)")
    return (), settings.find_links


def _chosen(package: Package, every: Sequence[Found]) -> Found:
    """The sdist that is meant, or an error that says what there is instead."""
    if not every:
        raise SourceError("index", f"no package {package.name!r} is on the package index; is it spelt right?")
    sdists = [found for found in every if not found.link.is_vcs and found.link.filename.endswith(ENDINGS)]
    versions = sorted({Version(found.version or "") for found in sdists})
    there = ", ".join(str(version) for version in versions[-_SHOWN:])
    if package.version:
        wanted = Version(package.version)
        if meant := [found for found in sdists if Version(found.version or "") == wanted]:
            return max(meant, key=_liked)
        if any(Version(found.version or "") == wanted for found in every):
            way = f"versions with one: {there}" if there else "name its git repository instead"
            raise SourceError("index", f"{package.name} {package.version} has wheels only, no sdist; {way}")
        near = there or ", ".join(sorted({found.version or "" for found in every})[-_SHOWN:])
        raise SourceError("index", f"{package.name} has no version {package.version}; the newest are {near}")
    if not sdists:
        raise SourceError("index", f"{package.name} has wheels only, no sdist; name its git repository instead")
    fit = [found for found in sdists if not found.link.is_yanked and _runs_here(found.link)]
    final = [found for found in fit if not Version(found.version or "").is_prerelease] or fit
    if not final:
        raise SourceError(
            "index", f"no sdist of {package.name} says that it runs on this Python; name a version: {there}"
        )
    return max(final, key=lambda found: (Version(found.version or ""), _liked(found)))


def _liked(found: Found) -> int:
    return -next(place for place, ending in enumerate(ENDINGS) if found.link.filename.endswith(ending))


def _runs_here(link: Link) -> bool:
    try:
        return SpecifierSet(link.requires_python or "").contains(".".join(map(str, sys.version_info[:3])))
    except InvalidSpecifier:
        return False


def _downloaded(finder: PackageFinder, link: Link, shelf: Path) -> Path:
    """The archive, checked against every hash that the index gives, whole or not there at all."""

    def watch(link: Link, completed: int, total: int | None) -> None:
        if max(completed, total or 0) > LIMIT:
            raise SourceError("limits", f"{link.filename} is larger than {LIMIT >> 20} MiB")

    with tempfile.TemporaryDirectory(prefix="sdist-") as scratch, _network("download", link.filename):
        try:
            came = finder.download(link, scratch, download_reporter=watch)
        except HashMismatchError as error:
            said = f"{link.filename} is not what the index says it is, so it was not taken ({error})"
            raise SourceError("download", said.replace("\n", " ")) from error
        except UnpackError as error:
            raise SourceError("download", f"{link.filename}: {error}", final=False) from error
        data = came.read_bytes()
    path = shelf / hashlib.sha256(data).hexdigest() / link.filename
    with whole(path) as draft:
        draft.write_bytes(data)
    return path


def _shelf(name: str, version: str, cache: Path) -> Path:
    return cache / "sdists" / canonicalize_name(name) / canonicalize_version(version)


def _kept(name: str, version: str, cache: Path) -> Path | None:
    """An archive that was brought before and still is what its folder says; a broken one is thrown away."""
    for path in sorted(_shelf(name, version, cache).glob("*/*")):
        if not path.name.startswith("."):
            if hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name:
                return path
            path.unlink()
    return None


@contextmanager
def _network(step: Any, what: str) -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        said = f"{what}: the server cannot be reached, or broke off ({type(error).__name__}: {error})"
        raise SourceError(step, said, final=False) from error
    except (OSError, ValueError) as error:
        raise SourceError(step, f"{what}: {error}") from error
