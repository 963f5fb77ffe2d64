"""Commands that fetch the package under repair, or look for an installed copy of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters.swe.looking.lines import Command

HOSTS = (
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "sr.ht",
    "sourceforge.net",
    "googlesource.com",
    "launchpad.net",
    "pypi.org",
    "pypi.io",
    "pypi.python.org",
    "pythonhosted.org",
    "anaconda.org",
    "conda.io",
    "web.archive.org",
    "softwareheritage.org",
)
"""Where source lies: forges, package indexes, archives."""
AT_HOST = re.compile(rf"(?:^|://)(?:[^/\s@]*@)?(?:[\w-]+\.)*(?:{'|'.join(map(re.escape, HOSTS))})(?=[/:]|$)")
FETCHERS = {"curl", "wget", "aria2c", "http", "https", "xh", "lynx", "w3m", "links", "git-lfs"}
FORGES = {"gh", "hub", "glab"}
"""Programs that ask a forge."""
PIP = re.compile(r"pip\d*(?:\.\d+)?")
PYTHON = re.compile(r"(?:i?python|pypy)\d*(?:\.\d+)?")
CACHE = re.compile(r"(?:^|/)\.cache/(?:pip|uv|pypoetry)(?:/|$)")
ABROAD = re.compile(r"(?:/|/(?:usr|opt|root|home|var|lib|srv|mnt)(?:/.*)?|~.*|\$HOME.*|\$\{HOME\}.*)")
"""Where a search begins that is not about the repository."""
COPIES = re.compile(
    r"\.(?:patch|diff|orig|rej|whl|bundle|pack|sw[\w?*]|egg)$|^direct_url\.json$|\.tar(?:\.\w+)?$|\.tgz$|\.zip$|^git$|^\.git$"
)
"""Names of files that could hold the fixed code."""

LEFT = re.compile(r"\.(?:orig|rej|bak|old|pyc|sw[\w?*])$|~$")
"""Names of files that an editor, a merge or Python leaves; to show them is to look for what was there before."""
_SCRATCH = re.compile(r"/(?:run|tmp|var/tmp|dev/shm|root|home|srv|mnt|media)/?")
_SHOWING = {"cat", "xxd", "strings", "od", "hexdump", "head", "tail", "less", "grep"}
_BESIDES = re.compile(r"/testbed(?:/.*)?|\./?\*?")
_PRODUCTS = re.compile(r"(?:.*/)?(?:build|dist|\.tox|\.nox|htmlcov|_modules|\.hypothesis|\.pytest_cache)(?:/.*)?")
_VALUED = {"-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-t", "--target", "-i", "--index-url"}
_VALUED |= {"--extra-index-url", "-f", "--find-links", "--prefix", "--root", "--python", "-d", "--dest", "--cache-dir"}
_FETCHING = ("urlopen", "urlretrieve", "urllib", "requests", "httpx", "aiohttp", "http.client", "urllib3")
_FOUND = ("-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename", "-regex", "-iregex")


def names_of(repo: str) -> frozenset[str]:
    """What the package of a repository (`toolz`, `owner__name`, `owner/name`) may be called, in small letters, its
    words joined by a dash; empty: no repository is named."""
    name = re.sub(r"[-_.]+", "-", re.split(r"__|/", repo.lower())[-1])
    return frozenset({name, name.removeprefix("python-").removesuffix("-python")}) - {""}


def downloads(command: Command, names: frozenset[str]) -> bool:
    """Whether a package manager is asked for the package, or for where it can be had."""
    words = list(command.words)
    if command.program == "uv" and words[1:2] == ["pip"]:
        words = words[1:]
    elif PYTHON.fullmatch(command.program) and words[1:3] == ["-m", "pip"]:
        words = words[2:]
    elif command.program in ("conda", "mamba", "poetry", "pdm", "uv", "easy_install", "pipx", "apt-get", "apt"):
        return any(_requires(word, names) for word in words[1:])
    elif not PIP.fullmatch(command.program):
        return False
    rest = [word for word in words[1:] if not word.startswith("-")]
    if rest[:1] in (["download"], ["index"], ["wheel"]):
        return rest[0] != "wheel" or any(_requires(word, names) for word in rest[1:])
    return rest[:1] in (["install"], ["uninstall"]) and any(
        "://" in word or _requires(word, names) for word in _requirements(words)
    )


def asks_web(command: Command) -> bool:
    """Whether a forge or a package index is asked."""
    if command.program in FORGES:
        return bool(command.arguments) and command.arguments[0] not in ("--version", "--help", "help", "version")
    return command.program in FETCHERS and any(AT_HOST.search(word) for word in command.arguments)


def code_asks_web(code: str) -> bool:
    """Whether a piece of Python asks a forge or a package index."""
    return any(word in code for word in _FETCHING) and any(host in code for host in HOSTS)


def seeks_copy(command: Command, names: frozenset[str]) -> bool:
    """Whether another copy of the package, or of a fix, is looked for outside of the repository."""
    if command.program in ("locate", "mlocate", "plocate"):
        return any(_mentions(word, names) for word in command.arguments)
    if PIP.fullmatch(command.program) and command.arguments[:1] == ("cache",):
        return True
    roots = list(_roots(command))
    if command.program in ("fd", "fdfind"):
        return any(map(ABROAD.fullmatch, roots[1:])) and _mentions(roots[0], names)
    if command.program in ("grep", "egrep", "fgrep", "rg") and any(
        re.match(r"-\w*[rR]|--recursive", word) for word in command.arguments
    ):
        return "/" in command.arguments
    if command.program != "find":
        return False
    pairs = list(zip(command.arguments, command.arguments[1:], strict=False))
    wanted = [word.lower() for flag, word in pairs if flag in _FOUND]
    if _shows(command) and any(map(LEFT.search, wanted)):
        return True
    if _shows(command) and any(map(_PRODUCTS.fullmatch, (*roots, *(word.strip("*") for word in wanted)))):
        return True
    besides = any(flag in ("-not", "!") for flag, _ in pairs) and any(map(_BESIDES.fullmatch, wanted))
    return any(ABROAD.fullmatch(root) for root in roots) and any(
        _mentions(word, names) or COPIES.search(word) or (besides and word.endswith(".py")) for word in wanted
    )


def shows_scratch(command: Command) -> bool:
    """Whether all that lies in folders for scratch, or in homes, is shown."""
    return command.program == "find" and _shows(command) and any(map(_SCRATCH.fullmatch, _roots(command)))


def _shows(command: Command) -> bool:
    """Whether `find` has files shown."""
    following = zip(command.arguments, command.arguments[1:], strict=False)
    return any(flag in ("-exec", "-execdir") and word in _SHOWING for flag, word in following)


def code_seeks_copy(code: str, names: frozenset[str]) -> bool:
    """Whether a piece of Python looks into the folder of installed packages for the package."""
    looks = "site-packages" in code or "getsitepackages" in code
    listed = "importlib.metadata" in code and "files(" in code
    return (looks or listed) and _mentions(code, names)


def in_copy(path: str, names: frozenset[str]) -> bool:
    """Whether a path is in an installed copy of the package, or a cache of packages."""
    if CACHE.search(path):
        return True
    found = re.search(r"(?:site|dist)-packages/([\w-]+)(?:[/*.]|$)", path)
    return found is not None and found[1].lower().replace("_", "-") in names


def _roots(command: Command) -> Iterator[str]:
    for word in command.arguments:
        if word.startswith("-") or word in ("(", "!"):
            return
        yield word


def _requirements(words: list[str]) -> Iterator[str]:
    skip = False
    for word in words[1:]:
        if not skip and not word.startswith("-"):
            yield word
        skip = word in _VALUED


def _requires(word: str, names: frozenset[str]) -> bool:
    name = re.split(r"[\[<>=!~@; ]", word, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name.lower()) in names


def _mentions(text: str, names: frozenset[str]) -> bool:
    said = text.lower().replace("_", "-")
    return any(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", said) for name in names)
