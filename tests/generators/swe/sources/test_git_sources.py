"""Git: one commit's tree comes, byte for byte, whatever the history, and nothing of the repository runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from generators.swe.sources import Repository, SourceError, fetch
from generators.swe.sources.address import Address, parse
from generators.swe.sources.folder import at_commit
from generators.swe.sources.remote import secrets
from tests.generators.swe.sources.made import MIT, commit, git, repository

TREE = {"pkg/__init__.py": "one = 1\n", "tests/test_it.py": "", "LICENSE": MIT}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def refused(at: str, cache: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        fetch(Repository(at=at), cache)
    return caught.value


def test_a_history_that_is_large_costs_nothing(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    repository(there, {**TREE, "huge.bin": os.urandom(20 << 20)})
    (there / "huge.bin").unlink()
    last = commit(there, {"pkg/two.py": "two = 2\n"})
    assert size(there / ".git") > 20 << 20
    for at in (f"{there.as_uri()}@{last}", f"{there}@{last}"):
        found = fetch(Repository(at=at), tmp_path / "cache")
        assert sorted(found.files) == ["LICENSE", "pkg/__init__.py", "pkg/two.py", "tests/test_it.py"]
        assert (found.name, found.commit, found.license) == ("apples", last, "MIT")
    assert size(tmp_path / "cache") < 100_000


def test_the_same_commit_has_the_same_digest_from_an_address_and_from_a_path(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    first = repository(there, TREE)
    (there / "run").write_bytes(b"\xff#!")
    (there / "run").chmod(0o755)
    (there / "link").symlink_to("run")
    second = commit(there, {})
    found = [fetch(Repository(at=f"{at}@{second}"), tmp_path) for at in (there.as_uri(), str(there))]
    assert found[0].digest == found[1].digest != fetch(Repository(at=f"{there}@{first}"), tmp_path).digest
    assert (found[0].files["run"].mode, found[0].files["link"].link) == (0o755, "run")


def test_tags_branches_and_no_name_at_all_are_resolved_and_recorded(tmp_path: Path) -> None:
    there = tmp_path / "apples.git"
    first = repository(there, TREE)
    git(there, "tag", "-a", "v1.2.0", "-m", "annotated")
    git(there, "checkout", "-q", "-b", "topic/x")
    second = commit(there, {"new.py": ""})
    git(there, "checkout", "-q", "main")
    for base in (there.as_uri(), str(there)):
        tagged = fetch(Repository(at=f"{base}@v1.2.0"), tmp_path)
        assert (tagged.name, tagged.commit, tagged.version) == ("apples", first, "1.2.0")
        assert fetch(Repository(at=f"{base}@topic/x"), tmp_path).commit == second
    assert fetch(Repository(at=there.as_uri()), tmp_path).commit == first
    assert fetch(Repository(at=f"{there}@{first[:8]}"), tmp_path).commit == first


def test_a_full_commit_is_asked_for_once(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    at = f"{there.as_uri()}@{repository(there, TREE)}"
    first = fetch(Repository(at=at), tmp_path / "cache")
    shutil.rmtree(there)
    assert fetch(Repository(at=at), tmp_path / "cache").digest == first.digest


def test_a_transfer_that_broke_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    last = repository(there, TREE)
    at = f"{there.as_uri()}@{last}"
    whole = fetch(Repository(at=at), tmp_path / "cache")
    (kept,) = (tmp_path / "cache" / "git").glob("*.git")
    git(kept, "update-ref", "-d", f"refs/whole/{last}")
    blob = git(kept, "rev-parse", f"{last}:pkg/__init__.py")
    (kept / "objects" / blob[:2] / blob[2:]).unlink()
    assert fetch(Repository(at=at), tmp_path / "cache").digest == whole.digest


def test_an_old_server_that_gives_no_single_commits_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "apples"
    repository(there, TREE)
    middle = commit(there, {"two.py": ""})
    last = commit(there, {"three.py": ""})
    (tmp_path / "gitconfig").write_text("[protocol]\n\tversion = 0\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert "three.py" in fetch(Repository(at=f"{there.as_uri()}@{last}"), tmp_path / "cache").files
    old = fetch(Repository(at=f"{there.as_uri()}@{middle}"), tmp_path / "cache")
    assert (old.commit, "two.py" in old.files, "three.py" in old.files) == (middle, True, False)
    assert "no such commit" in str(refused(f"{there.as_uri()}@{'0' * 39}1", tmp_path / "cache"))


def test_attributes_neither_drop_files_nor_change_them(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    rules = "tests export-ignore\nv.txt export-subst\n*.txt text eol=crlf\n"
    last = repository(there, {**TREE, ".gitattributes": rules, "v.txt": "$Format:%H$\n"})
    for at in (there.as_uri(), str(there)):
        found = fetch(Repository(at=f"{at}@{last}"), tmp_path)
        assert found.files["v.txt"].data == b"$Format:%H$\n"
        assert "tests/test_it.py" in found.files


def test_submodules_large_file_pointers_and_links_out_are_named(tmp_path: Path) -> None:
    repository(tmp_path / "inner", {"a": "a"})
    there = tmp_path / "apples"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    repository(there, {**TREE, "data/big.bin": pointer})
    (there / "passwords").symlink_to("/etc/passwd")
    git(there, "submodule", "--quiet", "add", (tmp_path / "inner").as_uri(), "vendor/inner")
    last = commit(there, {})
    for at in (f"{there.as_uri()}@{last}", f"{there}@{last}", str(there)):
        found = fetch(Repository(at=at), tmp_path)
        said = " | ".join(found.notes)
        for told in ("vendor/inner", "LFS pointers, not the content: data/big.bin", "passwords -> /etc/passwd"):
            assert told in said
        assert "passwords" not in found.files


def test_nothing_that_a_repository_configures_is_run(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    last = repository(there, {**TREE, ".gitattributes": "* filter=evil\n"})
    mark = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n")
    evil.chmod(0o755)
    hooks = ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc")
    for hook in hooks:
        shutil.copy(evil, there / ".git" / "hooks" / hook)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "core.sshCommand", "core.pager"):
        git(there, "config", key, str(evil))
    for key in ("uploadpack.packObjectsHook", "core.alternateRefsCommand", "core.editor", "diff.external"):
        git(there, "config", key, str(evil))
    for at in (f"{there.as_uri()}@{last}", f"{there}@{last}", str(there)):
        assert "pkg/__init__.py" in fetch(Repository(at=at), tmp_path / "cache").files
    assert not mark.exists()
    subprocess.run(["git", "-C", str(there), "ls-files", "-o"], check=True, capture_output=True)
    assert mark.exists(), "git as it is would have run it"


def test_a_partial_clone_cannot_make_git_go_and_fetch(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    repository(there, TREE)
    git(there, "config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", there.as_uri(), str(part))
    assert "partial clone" in str(refused(f"{part}@main", tmp_path / "cache"))


def test_what_is_wrong_with_an_address_is_told(tmp_path: Path) -> None:
    there = tmp_path / "apples"
    last = repository(there, TREE)
    cache = tmp_path / "cache"
    assert "no tag and no branch 'nothing'" in str(refused(f"{there.as_uri()}@nothing", cache))
    assert "all of its 40 digits" in str(refused(f"{there.as_uri()}@{last[:10]}", cache))
    assert "no such commit" in str(refused(f"{there.as_uri()}@{'0' * 39}1", cache))
    assert "no repository is there" in str(refused(f"{tmp_path.as_uri()}/pears", cache))
    assert "no commit, tag or branch 'nothing'" in str(refused(f"{there}@nothing", cache))
    (tmp_path / "plain").mkdir()
    assert "is no git repository" in str(refused(f"{tmp_path}/plain@main", cache))
    down = refused("https://reader:sesame-street@127.0.0.1:9/owner/name@v1", cache)
    assert (down.step, down.final) == ("git", False)
    assert "sesame" not in str(down)
    assert "reader" not in str(down)


def test_a_subfolder_at_a_commit_is_that_folder_alone(tmp_path: Path) -> None:
    there = tmp_path / "many"
    last = repository(there, {"apples/a.py": "", "pears/b.py": ""})
    assert list(at_commit(there / "apples", last)[1]) == ["a.py"]


def test_a_secret_reaches_git_by_the_environment_alone(tmp_path: Path) -> None:
    address = parse("https://reader:se%40same@host.example/owner/name")
    assert isinstance(address, Address)
    told = subprocess.run(
        ["git", "credential", "fill"],
        input="protocol=https\nhost=host.example\n\n",
        env={**os.environ, **secrets(address), "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "username=reader\npassword=se@same\n" in told.stdout
