"""One commit of a repository elsewhere, brought into a bare repository of the cache."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from datafactory.turns import turn
from generators.swe.sources.address import Address
from generators.swe.sources.fault import SourceError
from generators.swe.sources.git import GitFailed, git

_SECONDS = 1800.0
"""For one transfer."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,39}")
_NO_SINGLE_COMMITS = ("unadvertised object", "does not support shallow", "filtering not recognized")
"""What git says of servers older than protocol 2, and of those that only hand out files."""
_HELPER = '!f() { test "$1" != get || printf "username=%s\\npassword=%s\\n" "$SOURCE_USER" "$SOURCE_PASSWORD"; }; f'
"""A credential helper (gitcredentials(7)) that answers from the environment."""
_NO_SUCH = ("not our ref", "couldn't find remote ref", "no such remote ref", "nonexistent object")
_UNREACHED = ("could not resolve", "unable to access", "connection", "timed out", "early eof", "hung up", "unreachable")


def name_of(url: str) -> str:
    """`owner__name` of a forge's address, the folder's name of a `file:` one."""
    parts = [part for part in urlsplit(url).path.split("/") if part and not part.startswith("~")]
    parts[-1] = parts[-1].removesuffix(".git") or parts[-1]
    if url.startswith("file:"):
        return parts[-2] if parts[-1] == ".git" and len(parts) > 1 else parts[-1]
    return "__".join(parts)


def bring(address: Address, cache: Path, depth: int = 1) -> tuple[Path, str]:
    """A bare repository in `cache` that holds the commit's tree, and the full commit. `depth`: of more than 1, it also
    holds what came before, up to so many commits away.

    A commit that was brought before is not asked for again; a tag or a branch is asked for its commit every time.
    Raises SourceError.
    """
    own = hashlib.sha256(address.url.encode()).hexdigest()[:12]
    more = f"-history-{depth}" if depth > 1 else ""  # one that was fetched deeper would show more than was asked for
    folder = cache / "git" / f"{name_of(address.url)}-{own}{more}.git"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with turn(folder.with_suffix(".lock")):  # two runs must not write one repository at the same time
            git(folder, "init", "--bare", "--quiet", "--template=")
            commit = address.revision if _COMMIT.fullmatch(address.revision) else _resolved(address, folder)
            if not _holds(folder, commit):
                _fetch(address, folder, commit, depth)
                git(folder, "update-ref", _mark(commit), commit)
        return folder, git(folder, "rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()
    except GitFailed as error:
        raise _explained(address, str(error)) from error


def _mark(commit: str) -> str:
    """The ref that says that all of a commit's tree is here; written after the transfer."""
    return f"refs/whole/{commit}"


def _holds(folder: Path, commit: str) -> bool:
    try:
        git(folder, "rev-parse", "--verify", "--quiet", _mark(commit))
    except GitFailed:
        return False
    return True


def _resolved(address: Address, folder: Path) -> str:
    """The commit of a tag, else a branch, else (none named) the default branch."""
    name = address.revision
    wanted = [f"refs/tags/{name}^{{}}", f"refs/tags/{name}", f"refs/heads/{name}"] if name else ["HEAD"]
    said = _ask(address, folder, "ls-remote", "--", address.url, *wanted).decode()
    found = {ref: commit for commit, _, ref in (line.partition("\t") for line in said.splitlines())}
    for ref in wanted:
        if ref in found:
            return found[ref]
    if not name:
        raise SourceError("git", f"{address.url} has no default branch; name a commit: {address.url}@…")
    if _ABBREVIATED.fullmatch(name):
        raise SourceError("git", f"{address.url}: {name} is no tag and no branch; a commit has all of its 40 digits")
    raise SourceError("git", f"{address.url} has no tag and no branch {name!r}; is it spelt right?")


def _fetch(address: Address, folder: Path, commit: str, depth: int = 1) -> None:
    """The one commit, or all so near to it; from a server that gives no single ones everything, in a repository of its
    own, whose objects are then shared (a shallow repository would stay cut off where it was)."""
    alone = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    try:
        _ask(address, folder, *alone, "--depth", str(depth), "--", address.url, commit)
    except GitFailed as error:
        if not any(said in str(error) for said in _NO_SINGLE_COMMITS):
            raise
        whole = folder.with_name(f"{folder.stem}-whole.git")
        whole.mkdir(exist_ok=True)
        git(whole, "init", "--bare", "--quiet", "--template=")
        _ask(address, whole, *alone, "--", address.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        shared = folder / "objects" / "info" / "alternates"
        shared.parent.mkdir(parents=True, exist_ok=True)
        shared.write_text(f"{(whole / 'objects').resolve()}\n")


def _ask(address: Address, folder: Path, *arguments: str) -> bytes:
    try:
        return git(folder, *arguments, remote=True, env=secrets(address), seconds=_SECONDS)
    except GitFailed as error:
        raise GitFailed(_without(str(error), address.user)) from None


def secrets(address: Address) -> dict[str, str]:
    """Variables through which git learns user and password: arguments could be read by every user of the machine."""
    if not address.user:
        return {}
    user, _, password = address.user.partition(":")
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": "",  # those set elsewhere are not asked before ours
        "GIT_CONFIG_KEY_1": "credential.helper",
        "GIT_CONFIG_VALUE_1": _HELPER,
        "SOURCE_USER": unquote(user),
        "SOURCE_PASSWORD": unquote(password),
    }


def _without(text: str, secret: str) -> str:
    for part in (secret, *secret.split(":", 1)):
        text = text.replace(part, "***") if len(part) > 3 else text  # shorter ones would blot out words
    return text


def _explained(address: Address, said: str) -> SourceError:
    low = said.lower()
    what = f"{address.url}{'@' if address.revision else ''}{address.revision}"
    end = said.splitlines()[-1] if said else "no reason given"
    if any(words in low for words in _NO_SUCH) or "unknown revision" in low or "needed a single revision" in low:
        return SourceError("git", f"{what}: the repository has no such commit ({end})")
    if "authentication" in low or "could not read username" in low or "permission denied" in low:
        return SourceError("git", f"{what}: the server wants to know who asks; set up git's credential helper ({end})")
    if any(words in low for words in _UNREACHED):
        return SourceError("git", f"{what}: the server cannot be reached, or broke off ({end})", final=False)
    return SourceError("git", f"{what}: no repository is there, or git cannot read it ({end})")
