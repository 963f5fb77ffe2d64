"""Other schedulers are told when to wake the factory, in their own words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from datafactory.errors import ConfigError
from datafactory.scheduling.exporting import Place, calendar, crontab, hf_jobs, kubernetes, systemd
from tests.scheduling.conftest import Write

HERE = Place(Path("/data factory"), Path("jobs"), Path("jobs/.book"), Path("runs 100%"))
AWAKE = "datafactory schedule run --once --only nightly --jobs jobs --book jobs/.book --runs 'runs 100%'"


@pytest.mark.parametrize(
    ("cron", "expressions"),
    [
        ("0 3 * * *", ["*-*-* 3:0:00"]),
        ("*/15 8-18 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 8..18:0/15:00"]),
        ("30 4 1,15 * *", ["*-*-1,15 4:30:00"]),
        ("0 0 * jan-mar sun", ["Sun *-1..3-* 0:0:00"]),
        ("0 12 */2 * *", ["*-*-1/2 12:0:00"]),
        ("0 0 13 * 5", ["*-*-13 0:0:00", "Fri *-*-* 0:0:00"]),
        ("5 0 * 8 7", ["Sun *-8-* 0:5:00"]),
        ("0 6 * jul wed", ["Wed *-7-* 6:0:00"]),
    ],
)
def test_a_cron_line_becomes_calendar_expressions(cron: str, expressions: list[str]) -> None:
    # Each was held against `systemd-analyze calendar`.
    assert calendar(cron, Path("nightly.yaml")) == expressions


@pytest.mark.parametrize("cron", ["0 0 L * *", "0 0 * * MON#2"])
def test_what_systemd_cannot_say_is_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"nightly\.yaml: cron: .* export to crontab"):
        calendar(cron, Path("nightly.yaml"))


def test_crontab_lines_escape_what_cron_would_read(job: Write) -> None:
    text = crontab([job(timezone="Europe/Berlin")], HERE)
    assert "CRON_TZ=Europe/Berlin\n" in text
    escaped = AWAKE.replace("%", r"\%")
    assert text.endswith(f"\n0 3 * * * cd '/data factory' && {escaped}\n")


def test_systemd_units_wake_it_and_make_up_for_missed_times(job: Write) -> None:
    text = systemd([job()], HERE)
    assert "# /etc/systemd/system/datafactory-nightly.service" in text
    assert f"\nExecStart={AWAKE.replace('%', '%%')}\n" in text
    assert "\nOnCalendar=*-*-* 3:0:00 UTC\nPersistent=true\n" in text


def test_a_cron_job_of_kubernetes_forbids_a_second_at_a_time(job: Write) -> None:
    there = Place(Path("/factory"), Path("jobs"), Path("book"), Path("runs"), image="ours/factory:1", volume="factory")
    made = list(yaml.safe_load_all(kubernetes([job(timezone="Asia/Tokyo"), job("two")], there)))
    assert [each["metadata"]["name"] for each in made] == ["datafactory-nightly", "datafactory-two"]
    spec = made[0]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Asia/Tokyo", "Forbid")
    container = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][:6] == ["datafactory", "schedule", "run", "--once", "--only", "nightly"]
    with pytest.raises(ConfigError, match="kubernetes needs --image"):
        kubernetes([job()], HERE)


def test_hugging_face_jobs_go_by_utc(job: Write) -> None:
    there = Place(Path("/factory"), Path("jobs"), Path("book"), Path("runs"), image="ours/factory:1", volume="us/data")
    line = hf_jobs([job()], there)
    assert line.startswith("hf jobs scheduled run --name datafactory-nightly --no-concurrency ")
    assert "--volume hf://buckets/us/data:/factory '0 3 * * *' ours/factory:1 bash -c 'cd /factory && " in line
    with pytest.raises(ConfigError, match=r"nightly\.yaml: timezone: Hugging Face Jobs go by UTC"):
        hf_jobs([job(timezone="Europe/Berlin")], there)
