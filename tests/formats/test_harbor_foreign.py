"""Harbor folders that others made become drafts, and go back without a loss; hostile ones are refused."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from datafactory.errors import DataError
from datafactory.formats import harbor_folder
from datafactory.formats.harbor import read_task, write_task
from datafactory.formats.harbor_folder import read_tree
from datafactory.protocols import Slot
from datafactory.types import Draft, Reject, Task
from generators.harbor_tasks import HarborTasks

FOREIGN = Path(__file__).parents[1] / "data" / "harbor"


def copied(folder: Path, name: str) -> Path:
    """One of the folders under `tests/data/harbor`, to be changed."""
    return Path(shutil.copytree(FOREIGN / name, folder / name, symlinks=True))


@pytest.mark.parametrize("name", sorted(path.name for path in FOREIGN.iterdir()))
def test_a_foreign_folder_goes_through_a_draft_without_a_loss(tmp_path: Path, name: str) -> None:
    source = copied(tmp_path, name)
    (source / "environment" / "empty").mkdir(parents=True, exist_ok=True)
    written = write_task(read_task(source), tmp_path / "again")
    assert read_tree(written) == read_tree(source)
    assert tomllib.loads((written / "task.toml").read_text()) == tomllib.loads((source / "task.toml").read_text())


@pytest.mark.parametrize("name", sorted(path.name for path in FOREIGN.iterdir()))
def test_a_foreign_task_that_proved_sound_comes_back_equal(tmp_path: Path, name: str) -> None:
    draft = read_task(FOREIGN / name)
    source = draft.source.but(generator="harbor_tasks", facts={**draft.source.facts, "imported": True})
    task = Task(**{**dict(draft), "source": source, "id": "harbor_tasks-00001", "digest": draft.content_digest()})
    written = write_task(task, tmp_path / "again")
    assert read_task(written) == task
    assert read_tree(FOREIGN / name).items() <= read_tree(written).items()


def test_a_foreign_task_with_another_prompt_is_still_lossless(tmp_path: Path) -> None:
    draft = read_task(FOREIGN / "plain").but(prompt="Something else.")
    assert read_task(write_task(draft, tmp_path / "t")) == draft


def test_a_foreign_draft_with_other_files_goes_into_our_layout_whole(tmp_path: Path) -> None:
    draft = read_task(FOREIGN / "plain").but(image="other:1")
    assert read_task(write_task(draft, tmp_path / "t")) == draft


def test_what_a_draft_has_a_place_for_is_read() -> None:
    draft = read_task(FOREIGN / "plain")
    assert draft.prompt == "Sort `/app/words.txt` into `/app/sorted.txt`.\n"
    assert (draft.image, draft.workdir) == ("debian:bookworm-slim", "/app")
    assert draft.files["/app/words.txt"].text == "pear\napple\n"
    (check,) = draft.checks
    assert check.argv == ("bash", "/tests/test.sh") and check.timeout == 45.0
    assert check.reward_file == "/logs/verifier/reward.txt"
    assert set(check.files) == {"/tests/test.sh", "/tests/lib/expect.py"}
    assert (draft.domain, draft.difficulty, draft.skills) == ("file_operations", "easy", ("sort", "coreutils"))
    assert draft.source.item == "someone/sort-words" and draft.source.license == "CC0-1.0"


@pytest.mark.parametrize(
    ("dockerfile", "unbuilt"),
    [
        ("FROM a:1\nRUN true", ["RUN true"]),
        ("FROM a:1\n# RUN no\nLABEL x=y\nCMD bash", []),
        (
            "FROM a:1\nRUN apt-get update && \\\n    apt-get install -y x",
            ["RUN apt-get update && apt-get install -y x"],
        ),
        ("FROM a:1 AS one\nFROM b:1", ["FROM a:1 AS one"]),
        ("ARG V\nFROM a:$V", ["ARG V", "FROM a:$V"]),
        ("FROM a:1\nCOPY --chown=x data/words.txt /app/", ["COPY --chown=x data/words.txt /app/"]),
        ("FROM a:1\nCOPY data/*.txt /app/", ["COPY data/*.txt /app/"]),
        ("FROM a:1\nCOPY absent /app/", ["COPY absent /app/"]),
        ("FROM a:1\nCOPY <<E /app/x\nRUN no\nE\nUSER me", ["COPY <<E /app/x\nRUN no\nE", "USER me"]),
        ('FROM a:1\nWORKDIR /app\nCOPY ["data/words.txt", "."]', []),
    ],
)
async def test_what_would_need_a_build_is_named_and_rejected(
    tmp_path: Path, dockerfile: str, unbuilt: list[str]
) -> None:
    (copied(tmp_path, "plain") / "environment/Dockerfile").write_text(dockerfile)
    made = await HarborTasks(path=tmp_path).make(Slot(0, 0, 0))
    assert (made.reason if isinstance(made, Reject) else None) == ("needs_build" if unbuilt else None)
    assert read_task(tmp_path / "plain").source.facts["harbor"]["unbuilt"] == unbuilt


async def test_the_generator_takes_each_folder_once_and_says_why_not() -> None:
    generator = HarborTasks(path=FOREIGN)
    made = [await generator.make(Slot(index, 0, 0)) for index in range(generator.count)]
    assert [m.reason if isinstance(m, Reject) else "" for m in made] == ["", "needs_build", "multi_step"]
    assert isinstance(made[0], Draft) and made[0].source.generator == "harbor_tasks"


async def test_an_image_that_already_has_everything_can_be_named() -> None:
    made = await HarborTasks(path=FOREIGN / "services", image="mine:1").make(Slot(0, 0, 0))
    assert isinstance(made, Draft) and made.image == "mine:1"


def link(target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "tests/stolen").symlink_to(target)


def fill(folder: Path) -> None:
    with (folder / "tests/huge").open("wb") as file:
        file.truncate(harbor_folder.LARGEST_FILE + 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (link("/etc/passwd"), "tests/stolen is a link out of the folder"),
        (link("../../../../etc/passwd"), "tests/stolen is a link out of the folder"),
        (link("stolen"), "tests/stolen is a link out of the folder"),
        (lambda folder: os.mkfifo(folder / "tests/pipe"), "tests/pipe is neither file, folder nor link"),
        (fill, "tests/huge has 67,108,865 bytes"),
        (lambda folder: (folder / "task.toml").write_text("= broken"), "task.toml: "),
        (lambda folder: (folder / "task.toml").unlink(), "no task.toml"),
        (lambda folder: (folder / "instruction.md").unlink(), "no instruction.md"),
        (lambda folder: (folder / "instruction.md").write_bytes(b""), "plain: makes no task: prompt: String should"),
        (lambda folder: (folder / "instruction.md").write_bytes(b"\xff"), "no UTF-8"),
        (lambda folder: (folder / "tests/test.sh").unlink(), r"no tests/test.sh"),
        (lambda folder: (folder / "task.toml").write_text("[verifier]\ntimeout_sec = 'soon'"), "makes no task"),
        (lambda folder: (folder / "task.toml").write_text("steps = 3"), "makes no task"),
        (lambda folder: (folder / "task.toml").write_text("[environment]\nworkdir = 'app'"), "makes no task"),
        (lambda folder: Path(os.fsdecode(bytes(folder) + b"/tests/\xff")).touch(), "no UTF-8"),
    ],
)
def test_a_hostile_or_broken_folder_is_one_clear_error(
    tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = copied(tmp_path, "plain")
    change(folder)
    with pytest.raises(DataError, match=said):
        read_task(folder)


@pytest.mark.parametrize("path", ["../evil", "/evil", "environment/../../evil", "tests/../../evil"])
def test_a_draft_from_elsewhere_cannot_write_outside_its_folder(tmp_path: Path, path: str) -> None:
    draft = read_task(FOREIGN / "plain")
    facts = draft.source.facts["harbor"]
    hostile = draft.source.but(facts={"harbor": {**facts, "files": {**facts["files"], path: "x"}}})
    with pytest.raises(DataError, match="not a plain path"):
        write_task(draft.but(source=hostile), tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_more_tasks_than_folders_is_said_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"4 tasks wanted, but .* holds 3"):
        HarborTasks(path=FOREIGN, count=4)
    with pytest.raises(ValueError, match="neither a Harbor task"):
        HarborTasks(path=tmp_path)
