"""Sdists: found, checked, kept and unpacked, with nothing of them being run."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generators.swe.sources import Repository, SourceError, fetch
from generators.swe.sources.archive import unpacked
from generators.swe.sources.settings import PipSettings, pip_settings
from generators.swe.sources.tree import settled
from tests.generators.swe.sources.made import index, link, sdist, targz, zipped

Pip = Callable[..., None]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    """Tells pip where packages are, and nothing of this machine's own settings."""

    def told(**options: str) -> None:
        for name in ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "CERT", "PROXY", "TRUSTED_HOST"):
            monkeypatch.delenv(f"PIP_{name}", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("RAN", str(tmp_path / "ran"))
        for name, value in options.items():
            monkeypatch.setenv(f"PIP_{name.upper()}", value)

    return told


@contextmanager
def served(folder: Path, status: int = 0) -> Iterator[str]:
    """A folder over http on loopback (or nothing but a status); its address, with a password in it."""

    class Answer(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status) if status else super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answer, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://reader:sesame@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(repository: str, cache: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(Repository(at=repository), cache)
    return caught.value


def test_a_pinned_sdist_is_unpacked_without_its_set_up_being_run(pip: Pip, tmp_path: Path) -> None:
    pip(index_url=index(tmp_path, "apples", {"apples-1.0.tar.gz": sdist("apples", "1.0")}))
    found = fetch(Repository(at="apples==1.0"), tmp_path / "cache")
    assert (found.name, found.version, found.commit, found.license) == ("apples", "1.0", "", "MIT")
    assert list(found.files) == ["LICENSE", "PKG-INFO", "apples.py", "run.sh", "setup.py"]
    assert (found.files["run.sh"].mode, found.files["apples.py"].mode) == (0o755, 0o644)
    assert found.notes == ()
    assert not (tmp_path / "ran").exists()


def test_a_pinned_version_needs_its_index_once_and_a_torn_archive_is_brought_again(pip: Pip, tmp_path: Path) -> None:
    pip(index_url=index(tmp_path / "a", "apples", {"apples-1.0.tar.gz": sdist("apples", "1.0")}))
    cache = tmp_path / "cache"
    first = fetch(Repository(at="apples==1.0"), cache)
    (tmp_path / "a").rename(tmp_path / "away")
    assert fetch(Repository(at="apples==1.0.0"), cache).digest == first.digest
    (kept,) = (path for path in cache.rglob("*.tar.gz"))
    kept.write_bytes(kept.read_bytes()[:-20])
    assert "no package" in str(refused("apples==1.0", cache))
    (tmp_path / "away").rename(tmp_path / "a")
    assert fetch(Repository(at="apples==1.0"), cache).digest == first.digest


def test_without_a_version_the_newest_that_runs_here_is_taken_and_named(pip: Pip, tmp_path: Path) -> None:
    first = index(
        tmp_path / "a", "apples", {f"apples-{v}.tar.gz": sdist("apples", v) for v in ("1.9", "1.10", "2.0a1")}
    )
    later = {"apples-3.0.tar.gz": sdist("apples", "3.0")}
    second = index(tmp_path / "b", "apples", later, attributes='data-requires-python="&gt;=9.9"')
    third = index(
        tmp_path / "c", "apples", {"apples-2.5.tar.gz": sdist("apples", "2.5")}, attributes='data-yanked="broken"'
    )
    pip(index_url=first, extra_index_url=f"{second} {third}")
    assert fetch(Repository(at="apples"), tmp_path / "cache").version == "1.10"


def test_links_to_a_folder_of_archives_serve_too(pip: Pip, tmp_path: Path) -> None:
    (tmp_path / "apples-1.0.zip").write_bytes(zipped({"apples-1.0/a.py": b"", "apples-1.0/b": b""}))
    pip(no_index="1", find_links=f"{tmp_path} /nowhere")
    assert list(fetch(Repository(at="apples"), tmp_path / "cache").files) == ["a.py", "b"]


def test_an_archive_that_is_not_what_the_index_says_is_refused(pip: Pip, tmp_path: Path) -> None:
    pip(index_url=index(tmp_path, "apples", {"apples-1.0.tar.gz": sdist("apples", "1.0")}, lie=True))
    error = refused("apples==1.0", tmp_path / "cache")
    assert (error.step, error.final) == ("download", True)
    assert "not what the index says" in str(error)
    assert list((tmp_path / "cache").rglob("*.tar.gz")) == []


def test_what_is_missing_is_told_apart(pip: Pip, tmp_path: Path) -> None:
    both = {"apples-1.0.tar.gz": sdist("apples", "1.0"), "apples-2.0-py3-none-any.whl": b""}
    pip(index_url=index(tmp_path, "apples", both))
    assert "has wheels only, no sdist; versions with one: 1.0" in str(refused("apples==2.0", tmp_path))
    assert "no version 3.0; the newest are 1.0" in str(refused("apples==3.0", tmp_path))
    assert "no package 'pears'" in str(refused("pears", tmp_path))
    pip(no_index="yes")
    assert "no-index" in str(refused("apples", tmp_path))


def test_an_index_over_http_serves_and_its_password_is_never_told(pip: Pip, tmp_path: Path) -> None:
    index(tmp_path, "apples", {"apples-1.0.tar.gz": sdist("apples", "1.0")})
    with served(tmp_path) as address:
        pip(index_url=f"{address}/simple")
        assert fetch(Repository(at="apples"), tmp_path / "cache").version == "1.0"
    pip(index_url=f"{address}/simple")
    gone = refused("apples==2", tmp_path / "cache")
    assert (gone.step, gone.final) == ("index", False), "a server that is down may come back"
    with served(tmp_path, status=403) as address:
        pip(index_url=f"{address}/simple")
        forbidden = refused("apples==2", tmp_path / "cache")
    assert (forbidden.final, "answers 403" in str(forbidden)) == (True, True)
    assert "sesame" not in f"{gone}{forbidden}"
    assert not any(b"sesame" in path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_the_settings_of_pips_files_and_environment_are_merged_as_pip_does(
    monkeypatch: pytest.MonkeyPatch, pip: Pip, tmp_path: Path
) -> None:
    pip(cert="/c.pem", timeout="7")
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://a/s\ncert = /x\n[install]\nextra-index-url = b\n  c\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    wanted = PipSettings(index_url="https://a/s", extra_index_url=("b", "c"), cert="/c.pem", timeout=7.0)
    assert pip_settings() == wanted


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "a-1/../../x", "a-1/sub/../x", "a-1//x", "../x"])
def test_an_archive_with_a_name_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    for file, data in {
        "a-1.tar.gz": targz({"a-1/ok": b"", name: b"x"}),
        "a-1.zip": zipped({"a-1/ok": b"", name: b"x"}),
    }.items():
        (tmp_path / file).write_bytes(data)
        with pytest.raises(SourceError, match="unpack"):
            settled(unpacked(tmp_path / file))


@pytest.mark.parametrize(
    "files",
    [
        {"a/l": link("b"), "a/b/f": b"", "a/l/x": b"evil"},
        {"a/l": link("../.."), "a/l/x": b"evil"},
        {"a/f": b"", "a/f/x": b"evil"},
        {"a/f": b"", "a/pipe": link("", tarfile.FIFOTYPE)},
        {"a/f": b"", "a/disk": link("", tarfile.BLKTYPE)},
    ],
)
def test_an_archive_that_writes_through_links_or_holds_devices_is_refused(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "a.tar.gz").write_bytes(targz(files))
    with pytest.raises(SourceError, match="unpack"):
        settled(unpacked(tmp_path / "a.tar.gz"))


def test_links_inside_are_kept_and_links_that_lead_out_are_named(tmp_path: Path) -> None:
    hard = link("a/f", tarfile.LNKTYPE)
    held = {"a/f": b"f", "a/in": link("f"), "a/hard": hard, "a/z/f": b"", "a/x/y/up": link("../../z")}
    held |= {"a/out": link("/etc/passwd"), "a/top": link("../f"), "a/x/y/sly": link("up/../../f")}
    (tmp_path / "a.tar.gz").write_bytes(targz(held))
    files, notes = settled(unpacked(tmp_path / "a.tar.gz"))
    assert sorted(files) == ["f", "hard", "in", "x/y/up", "z/f"]
    assert (files["in"].link, files["hard"].data) == ("f", b"f")
    for told in ("out -> /etc/passwd", "top -> ../f", "x/y/sly -> up/../../f"):
        assert any(told in note for note in notes), told


def test_modes_and_links_of_a_zip_are_kept(tmp_path: Path) -> None:
    data = zipped({"a/run": b"x", "a/l": b"run"}, {"a/run": 0o100755, "a/l": 0o120777})
    (tmp_path / "a.zip").write_bytes(data)
    files = unpacked(tmp_path / "a.zip")
    assert (files["run"].mode, files["l"].link) == (0o755, "run")


def test_a_torn_archive_and_a_bomb_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(sdist("a", "1")[:-30])
    (tmp_path / "b.zip").write_bytes(zipped({"a/f": b"x"})[:-5])
    for name in ("a.tar.gz", "b.zip"):
        with pytest.raises(SourceError, match=f"unpack: {name}"):
            unpacked(tmp_path / name)
    bomb = tarfile.TarInfo("a/data/big/one.bin")
    bomb.size = 600 << 20
    (tmp_path / "c.tar").write_bytes(bomb.tobuf())
    with pytest.raises(SourceError, match=r"limits: .*512 MiB.*a/data \(600 MiB\)"):
        unpacked(tmp_path / "c.tar")


@pytest.mark.slow
def test_toolz_comes_from_the_package_index(tmp_path: Path) -> None:
    found = fetch(Repository(at="toolz==1.1.0"), tmp_path)
    assert (found.name, found.version, found.license) == ("toolz", "1.1.0", "BSD-3-Clause")
    assert found.files["toolz/tests/test_dicttoolz.py"].data
