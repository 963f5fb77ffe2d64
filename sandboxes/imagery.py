"""Builds the images that boxes are opened from: `base`, and one for each of the nine domains on top of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datafactory.errors import ConfigError, Missing, SandboxError
from datafactory.types import DOMAINS

if TYPE_CHECKING:
    from docker import DockerClient

How = Literal["auto", "registry", "bootstrap"]

NAMES = ("base", *DOMAINS)
"""The logical names that we have a Dockerfile for: what `Draft.image` may say."""

FOLDER = Path(__file__).parent / "images"
REPOSITORY = "datafactory"
UPSTREAM = "debian:bookworm-slim"
"""What `base` is built from where a registry can be pulled from."""
STAND_IN = f"{REPOSITORY}/bookworm:latest"
"""What takes its place elsewhere: the same distribution's minimal system, made by debootstrap."""

_LEFT_OUT = ("dev/*", "proc/*", "sys/*", "var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "etc/resolv.conf")
_LEFT_OUT_DOCS = ("usr/share/doc/*", "usr/share/locale/*", "usr/share/man/*", "usr/share/info/*")
_NO_DOCS = "".join(f"path-exclude /{pattern}\n" for pattern in _LEFT_OUT_DOCS)
_BUILD_SETTINGS = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def command_for(name: str) -> str:
    """The command that builds `name`, to print where it is missing."""
    return f"datafactory images build {name}"


def reference(name: str) -> str:
    """Where the engine keeps logical image `name`: ``datafactory/<name>:<digest of its chain of Dockerfiles>``."""
    digest = hashlib.sha256()
    for part in _chain(name):
        digest.update((FOLDER / part / "Dockerfile").read_bytes() + b"\0")
    return f"{REPOSITORY}/{name}:{digest.hexdigest()[:12]}"


def missing_images(names: Iterable[str] = NAMES, *, client: DockerClient | None = None) -> list[str]:
    """Those of `names` that this engine does not hold, or holds from an older Dockerfile."""
    engine = client or connect()
    return [name for name in names if image_id(engine, reference(name)) is None]


def build_images(
    names: Iterable[str] = NAMES,
    *,
    how: How = "auto",
    force: bool = False,
    say: Callable[[str], None] = print,
    client: DockerClient | None = None,
) -> dict[str, str]:
    """Build what is missing of `names`, `base` first; returns the engine's id of each.

    `how`: "registry" starts from debian:bookworm-slim; "bootstrap" makes that system with debootstrap (needs root);
    "auto" takes what the engine already has, then debootstrap where root has it installed, then a registry.
    Packages come from Debian's mirror either way. `force` builds again what is there. Progress goes to `say`, a line at
    a time.
    Raises ConfigError (no such image), Missing (engine, debootstrap or root), SandboxError (a build that failed).
    """
    wanted = list(dict.fromkeys(part for name in names for part in _chain(name)))
    engine = client or connect()
    built: dict[str, str] = {}
    for name in wanted:
        there = image_id(engine, reference(name))
        if there is not None and not force:
            say(f"{name}: already built ({reference(name)})")
            built[name] = there
            continue
        source = _foundation(engine, how, say) if name == "base" else reference("base")
        built[name] = _build(engine, name, source, say)
    return built


def image_id(engine: DockerClient, named: str) -> str | None:
    """The engine's id (``sha256:…``) of what it knows as `named`; None: it knows nothing of that name."""
    from docker.errors import APIError, ImageNotFound

    try:
        api: Any = engine.api
        return str(api.inspect_image(named)["Id"])
    except ImageNotFound:
        return None
    except APIError as error:
        if error.status_code in (400, 404):
            return None
        raise


def connect(timeout: int = 60) -> DockerClient:
    """A client of the engine that `DOCKER_HOST` names, the local one by default. Raises Missing."""
    import docker
    from docker.errors import DockerException

    try:
        return docker.from_env(timeout=timeout, max_pool_size=64)
    except DockerException as error:
        raise Missing(
            f"no Docker engine answers ({os.environ.get('DOCKER_HOST') or 'the local socket'}: {error}); "
            "install one (Debian: apt-get install docker.io) and start it, or set DOCKER_HOST"
        ) from error


def _chain(name: str) -> tuple[str, ...]:
    if name not in NAMES:
        raise ConfigError(f"no image {name!r}; there are: {', '.join(NAMES)}")
    return ("base",) if name == "base" else ("base", name)


def _foundation(engine: DockerClient, how: How, say: Callable[[str], None]) -> str:
    from docker.errors import APIError

    if how == "auto":
        for known in (UPSTREAM, STAND_IN):
            if image_id(engine, known) is not None:
                return known
    if how == "bootstrap" or (how == "auto" and _debootstrap() and os.geteuid() == 0):
        _bootstrap(engine, say)
        return STAND_IN
    say(f"base: pulling {UPSTREAM}")
    try:
        engine.images.pull(UPSTREAM)
    except (APIError, OSError) as error:
        raise SandboxError(
            f"pulling {UPSTREAM}: {error}; without a registry, as root with debootstrap installed: "
            f"{command_for('base')} --how bootstrap"
        ) from error
    return UPSTREAM


def _debootstrap() -> str | None:
    return shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _bootstrap(engine: DockerClient, say: Callable[[str], None]) -> None:
    program = _debootstrap()
    if program is None:
        raise Missing("debootstrap, which makes the base image without a registry: apt-get install debootstrap")
    if os.geteuid() != 0:
        raise Missing(f"debootstrap needs root: sudo {command_for('base')} --how bootstrap")
    with tempfile.TemporaryDirectory(prefix="datafactory-bootstrap-") as folder:
        root = Path(folder) / "root"
        say("base: debootstrap of Debian bookworm (about half a minute)")
        made = subprocess.run(
            [program, "--variant=minbase", "bookworm", str(root)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            tail = "\n".join((made.stdout + made.stderr).splitlines()[-5:])
            raise SandboxError(f"debootstrap failed ({made.returncode}): {tail}")
        _furnish(root)
        archive = Path(folder) / "root.tar"
        leave_out = [f"--exclude=./{pattern}" for pattern in (*_LEFT_OUT, *_LEFT_OUT_DOCS)]
        subprocess.run(["tar", "-C", str(root), *leave_out, "-cf", str(archive), "."], check=True)
        repository, tag = STAND_IN.split(":")
        with archive.open("rb") as stream:
            # Chunks, not the file: given a file, the SDK announces a chunked body and sends a plain one.
            chunks = iter(lambda: stream.read(1 << 20), b"")
            engine.api.import_image_from_stream(chunks, repository=repository, tag=tag)


def _furnish(root: Path) -> None:
    """What the official slim image also has: security updates, no documentation, no start of services."""
    sources = root / "etc/apt/sources.list"
    mirror = sources.read_text().split()[1].rstrip("/")
    sources.write_text(
        f"deb {mirror} bookworm main\ndeb {mirror} bookworm-updates main\n"
        f"deb {mirror}-security bookworm-security main\n"
    )
    (root / "etc/dpkg/dpkg.cfg.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/no-docs").write_text(f"force-unsafe-io\n{_NO_DOCS}")
    start_policy = root / "usr/sbin/policy-rc.d"
    start_policy.write_text("#!/bin/sh\nexit 101\n")
    start_policy.chmod(0o755)


def _build(engine: DockerClient, name: str, source: str, say: Callable[[str], None]) -> str:
    from docker.errors import APIError

    say(f"{name}: building on {source}")
    settings = {key: os.environ[key] for key in _BUILD_SETTINGS if key in os.environ}
    tail: list[str] = []
    try:
        # The host's network, since a bridge needs address translation, which small machines and CI often lack.
        lines: Iterator[dict[str, Any]] = engine.api.build(
            path=str(FOLDER / name),
            tag=reference(name),
            buildargs={"BASE": source, **settings},
            labels={"datafactory.image": name},
            network_mode="host",
            rm=True,
            forcerm=True,
            decode=True,
            timeout=1800,
        )
        for line in lines:
            if "error" in line:
                raise SandboxError(f"building image {name}: {line['error']}\n" + "\n".join(tail[-8:]))
            text = str(line.get("stream", "")).strip()
            if text:
                tail.append(text)
            if text.startswith("Step "):
                say(f"{name}: {text.splitlines()[0][:100]}")
    except APIError as error:
        raise SandboxError(f"building image {name}: {error}") from error
    engine.api.tag(reference(name), f"{REPOSITORY}/{name}", "latest")
    made = image_id(engine, reference(name))
    if made is None:
        raise SandboxError(f"building image {name}: the engine says it is built, and does not have it")
    say(f"{name}: built {reference(name)}")
    return made
