"""Jobs for other schedulers: crontab, systemd timers, Kubernetes CronJobs, Hugging Face Jobs.

Each only wakes `datafactory schedule run --once`: which slots there are, and that each runs once, stays in the book.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from datafactory.errors import ConfigError
from datafactory.scheduling.job import Job

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Place:
    """Where the jobs are kept."""

    folder: Path
    """From which the command is called: paths in pipelines are seen from there."""
    jobs: Path
    book: Path
    runs: Path
    program: str = "datafactory"
    image: str = ""
    """Of Kubernetes and Hugging Face Jobs: an image in which the factory is installed."""
    volume: str = ""
    """Of Kubernetes: a PersistentVolumeClaim; of Hugging Face Jobs: a bucket, `org/name`. It becomes `folder`."""

    def command(self, job: Job) -> list[str]:
        """What is woken."""
        where = ["--jobs", str(self.jobs), "--book", str(self.book), "--runs", str(self.runs)]
        return [self.program, "schedule", "run", "--once", "--only", job.name, *where]


def crontab(jobs: Sequence[Job], place: Place) -> str:
    """Lines for `crontab -e`."""
    lines = []
    for job in jobs:
        # cron reads a bare % as the end of the line.
        command = f"cd {shlex.quote(str(place.folder))} && {shlex.join(place.command(job))}".replace("%", r"\%")
        lines.append(f"# {job.name}, from {job.path}")
        if job.file.timezone != "UTC":
            lines.append("# CRON_TZ is read by cronie; Debian's cron goes by the machine's time zone.")
        lines += [f"CRON_TZ={job.file.timezone}", f"{job.file.cron} {command}"]
    return "\n".join(lines) + "\n"


def systemd(jobs: Sequence[Job], place: Place) -> str:
    """A service and a timer for each job, parted by lines that name their files."""
    parts = []
    for job in jobs:
        unit = f"datafactory-{job.name}"
        when = "\n".join(f"OnCalendar={each} {job.file.timezone}" for each in calendar(job.file.cron, job.path))
        # systemd expands % in every line, and $ in commands.
        command = shlex.join(place.command(job)).replace("%", "%%").replace("$", "$$")
        parts.append(
            f"# /etc/systemd/system/{unit}.service\n[Unit]\nDescription=datafactory job {job.name}\n\n[Service]\n"
            f"Type=oneshot\nWorkingDirectory={str(place.folder).replace('%', '%%')}\nExecStart={command}\n"
        )
        parts.append(
            f"# /etc/systemd/system/{unit}.timer\n[Unit]\nDescription=datafactory job {job.name}\n\n[Timer]\n"
            f"{when}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
        )
    return "\n".join(parts)


def kubernetes(jobs: Sequence[Job], place: Place) -> str:
    """A CronJob for each. Raises ConfigError without an image and a volume."""
    _asked(place, "kubernetes")
    return yaml.safe_dump_all([_cron_job(job, place) for job in jobs], sort_keys=False)


def hf_jobs(jobs: Sequence[Job], place: Place) -> str:
    """Commands of the Hugging Face command line. Raises ConfigError, also for a time zone: that scheduler has none."""
    _asked(place, "hf-jobs")
    lines = []
    for job in jobs:
        if job.file.timezone != "UTC":
            said = "Hugging Face Jobs go by UTC; write cron and timezone in UTC, or export to another scheduler"
            raise ConfigError(f"{job.path}: timezone: {said}")
        inside = f"cd {shlex.quote(str(place.folder))} && {shlex.join(place.command(job))}"
        words = ["hf", "jobs", "scheduled", "run", "--name", f"datafactory-{job.name}", "--no-concurrency"]
        words += ["--secrets", "HF_TOKEN", "--volume", f"hf://buckets/{place.volume}:{place.folder}"]
        lines.append(shlex.join([*words, job.file.cron, place.image, "bash", "-c", inside]))
    return "\n".join(lines) + "\n"


FORMS: dict[str, Callable[[Sequence[Job], Place], str]] = {
    "crontab": crontab,
    "systemd": systemd,
    "kubernetes": kubernetes,
    "hf-jobs": hf_jobs,
}


def calendar(cron: str, path: Path) -> list[str]:
    """The OnCalendar expressions of a cron line. Where it names both a day of the month and a weekday there are two:
    cron means either of them. Raises ConfigError for what systemd cannot say."""
    fields = cron.split()
    if len(fields) != 5 or re.search(r"[#LlWw?]", re.sub(r"(?i)jul|wed", "", cron)):
        raise ConfigError(f"{path}: cron: {cron!r} has no counterpart in systemd; export to crontab")
    minute, hour, day, month, weekday = fields
    time = f"{_times(hour, 0)}:{_times(minute, 0)}:00"
    months = _times(_numbered(month, _MONTHS, 1), 1)
    weekdays = "" if weekday.startswith("*") else f"{_weekdays(weekday)} "
    if weekdays and not day.startswith("*"):
        return [f"*-{months}-{_times(day, 1)} {time}", f"{weekdays}*-{months}-* {time}"]
    return [f"{weekdays}*-{months}-{_times(day, 1)} {time}"]


def _times(field: str, first: int) -> str:
    """A field of numbers, as systemd writes it."""
    made = []
    for part in field.split(","):
        span, _, step = part.partition("/")
        begin = "*" if span == "*" and not step else str(first) if span == "*" else span.replace("-", "..")
        made.append(f"{begin}/{step}" if step else begin)
    return ",".join(made)


def _weekdays(field: str) -> str:
    days = []
    for part in _numbered(field, [day.lower() for day in _DAYS[:7]], 0).split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        days += [_DAYS[day] for day in range(int(begin), int(end or begin) + 1, int(step or 1))]
    return ",".join(dict.fromkeys(days))


def _numbered(field: str, names: Sequence[str], first: int) -> str:
    """Names as numbers."""
    return re.sub(r"[A-Za-z]+", lambda found: str(names.index(found[0][:3].lower()) + first), field)


def _asked(place: Place, form: str) -> None:
    for name, value in (("--image", place.image), ("--volume", place.volume)):
        if not value:
            raise ConfigError(f"{form} needs {name}: see datafactory schedule export --help")


def _cron_job(job: Job, place: Place) -> dict[str, object]:
    name = re.sub(r"[^a-z0-9-]+", "-", f"datafactory-{job.name}".lower()).strip("-")[:52]
    container = {
        "name": "datafactory",
        "image": place.image,
        "workingDir": str(place.folder),
        "command": place.command(job),
        "volumeMounts": [{"name": "factory", "mountPath": str(place.folder)}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "factory", "persistentVolumeClaim": {"claimName": place.volume}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {
            "schedule": job.file.cron,
            "timeZone": job.file.timezone,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        },
    }
