"""Jobs' files say what is wrong with them, and are read again when they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.errors import ConfigError
from datafactory.scheduling import JobFolder, load_jobs
from tests.scheduling.conftest import PIPELINE, Write


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"cron": "daily"}, "cron: 'daily' is no cron line"),
        ({"timezone": "Mars/Olympus"}, "timezone: 'Mars/Olympus' is no time zone"),
        ({"bar": {}}, "bar: unknown key; did you mean 'bars'?"),
        ({"bars": {"soundness": 70}}, "bars.soundness: "),
        ({"pipeline": "../gone.yaml"}, "pipeline: "),
        ({"webhook": "$NO_SUCH_HOOK"}, "webhook: the environment has no NO_SUCH_HOOK"),
        ({"catch_up": "some"}, "catch_up: "),
    ],
)
def test_a_mistake_is_named_with_file_and_line(job: Write, keys: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=r"nightly\.yaml:\d+: ") as caught:
        job(**keys)
    assert said in str(caught.value)


def test_every_mistake_of_every_job_is_told_at_once(job: Write, tmp_path: Path) -> None:
    job("good")
    for name in ("one", "two"):
        (tmp_path / "jobs" / f"{name}.yaml").write_text("pipeline: ../powers.yaml\ncron: never\n")
    with pytest.raises(ConfigError) as caught:
        load_jobs(tmp_path / "jobs")
    assert [said.split(":")[0][-8:] for said in caught.value.problems] == ["one.yaml", "two.yaml"]


def test_a_pipeline_that_makes_no_dataset_cannot_be_published(job: Write, tmp_path: Path) -> None:
    lines = PIPELINE.splitlines(keepends=True)
    (tmp_path / "powers.yaml").write_text("".join(lines[:-2]))
    with pytest.raises(ConfigError, match="publish: the pipeline makes no dataset"):
        job(publish="./releases")


def test_a_folder_is_read_again_when_a_file_in_it_changes(job: Write, tmp_path: Path) -> None:
    job()
    jobs = JobFolder(tmp_path / "jobs")
    first = jobs()
    assert jobs()[0] is first[0]
    job("weekly", cron="0 3 * * 1")
    assert [each.name for each in jobs()] == ["nightly", "weekly"]
    (tmp_path / "powers.yaml").write_text("stages: []\n")
    with pytest.raises(ConfigError):
        jobs()
