"""Our tasks go to Harbor folders and come back equal."""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from datafactory.formats.harbor import read_task, task_folders, write_task, write_tasks
from datafactory.types import Check, Draft, File, Source, Step, Task, files

PATHS = st.lists(st.sampled_from(["a", "b c", "ü", ".dot", "x.py", "tests", "files"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
CONTENT = st.builds(File, data=st.binary(max_size=40), mode=st.sampled_from([0o644, 0o755, 0o600, 0o4711, 0]))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def tree(made: dict[str, File]) -> dict[str, File]:
    """Without files that would have to be folders too."""
    return {path: file for path, file in made.items() if not any(other.startswith(f"{path}/") for other in made)}


FILES = st.dictionaries(PATHS, CONTENT | st.just(File(link="/etc/passwd")), max_size=4).map(tree)
STEPS = st.lists(st.builds(Step, thought=TEXT, command=TEXT), max_size=3).map(tuple)


def proven(draft: Draft, id: str = "terminal_skills-00007") -> Task:
    return Task(**dict(draft), id=id, digest=draft.content_digest())


def draft(**changes: object) -> Draft:
    made: dict[str, object] = {
        "prompt": "Count the words of /app/in.txt into /app/out.txt.",
        "files": files({"/app/in.txt": "a b c", "/app/run.sh": "#!/bin/sh\n", "/app/link": File(link="/app/in.txt")}),
        "checks": (
            Check(name="first", argv=("python3", "/tests/c.py"), files=files({"/tests/c.py": "pass"}), weight=3.0),
            Check(name="second", argv=("bash", "-c", "test -f /app/out.txt"), timeout=1.5, reward_file=None),
        ),
        "artifacts": ("/app/", "/srv/x"),
        "solution": (Step(thought="Count.\nCarefully.", command="cd /app"), Step(command="wc -w <in.txt >out.txt")),
        "skills": ("counting",),
        "domain": "data_processing",
        "difficulty": "hard",
        "source": Source(generator="terminal_skills", license="Apache-2.0", facts={"depth": 3, "parts": ["é"]}),
    }
    return Draft.model_validate(made | changes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=TEXT, placed=FILES, brought=FILES, steps=STEPS, weight=st.floats(0.001, 1e6), proof=st.booleans())
def test_whatever_a_task_holds_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    prompt: str,
    placed: dict[str, File],
    brought: dict[str, File],
    steps: tuple[Step, ...],
    weight: float,
    proof: bool,
) -> None:
    checks = (Check(name=prompt, argv=("sh", prompt), files=brought, weight=weight, reward_file="/x/reward.json"),)
    made = draft(prompt=prompt, files=placed, checks=checks, solution=steps)
    task = proven(made) if proof else made
    again = read_task(write_task(task, tmp_path_factory.mktemp("harbor") / "task"))
    assert type(again) is type(task) and again == task


def test_the_folder_is_laid_out_as_harbor_wants_it(tmp_path: Path) -> None:
    folder = write_task(proven(draft()), tmp_path / "t", images={"base": "datafactory/base:1"}, org="my org")
    config = tomllib.loads((folder / "task.toml").read_text())
    assert config["schema_version"] == "1.4"
    assert config["task"]["name"] == "my-org/terminal_skills-00007"
    assert config["environment"]["network_mode"] == "no-network"
    assert config["verifier"]["timeout_sec"] == 91.5
    assert (folder / "environment/Dockerfile").read_text() == ("FROM datafactory/base:1\nWORKDIR /app\nCOPY files/ /\n")
    assert (folder / "instruction.md").read_text() == draft().prompt
    assert os.access(folder / "solution/solve.sh", os.X_OK) and os.access(
        folder / "environment/files/app/run.sh", os.X_OK
    )


def test_the_verifier_needs_no_install_and_no_network(tmp_path: Path) -> None:
    folder = write_task(draft(), tmp_path / "t")
    said = (folder / "tests/test.sh").read_text() + (folder / "tests/run_checks.py").read_text()
    assert not [word for word in ("pip", "apt", "curl", "uv ", "http", "wget") if word in said]


def test_a_folder_that_somebody_changed_is_a_draft_again(tmp_path: Path) -> None:
    folder = write_task(proven(draft()), tmp_path / "t")
    (folder / "instruction.md").write_text("Count the letters instead.")
    again = read_task(folder)
    assert type(again) is Draft and again.prompt == "Count the letters instead."


def test_a_changed_script_replaces_the_steps(tmp_path: Path) -> None:
    folder = write_task(proven(draft()), tmp_path / "t")
    (folder / "solution/solve.sh").write_text("#!/bin/bash\ntrue\n")
    assert [step.command for step in read_task(folder).solution] == ["#!/bin/bash\ntrue\n"]


def test_many_tasks_go_into_folders_named_by_their_ids(tmp_path: Path) -> None:
    tasks = [proven(draft(prompt=f"Task {n}"), id=f"seeds-{n:05d}") for n in range(3)]
    folders = write_tasks(tasks, tmp_path / "out")
    assert [folder.name for folder in folders] == ["seeds-00000", "seeds-00001", "seeds-00002"]
    assert [read_task(folder) for folder in task_folders(tmp_path / "out")] == tasks


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": "base\nRUN evil"}, "cannot stand in a Dockerfile"),
        ({"workdir": "/app\nRUN evil"}, "cannot stand in a Dockerfile"),
        ({"files": files({"/app/a": "x", "/app/a/b": "y"})}, "which is a file"),
        ({"files": {"/app/l": File(link="/etc"), "/app/l/passwd": File(data=b"x")}}, "which is a link"),
        ({"files": files({"/app//a": "x"})}, "not a plain absolute path"),
        ({"files": files({"/app/./a": "x"})}, "not a plain absolute path"),
        ({"files": files({"/app/a\0b": "x"})}, "not a plain path"),
        ({"files": files({"/" + "x" * 300: "x"})}, "File name too long"),
        ({"source": Source(generator="g", facts={"half": "\ud800"})}, "no UTF-8"),
    ],
)
def test_a_task_that_no_folder_can_hold_is_refused_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        write_task(draft(**changes), tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine").touch()
    with pytest.raises(DataError, match="is there already"):
        write_task(draft(), tmp_path / "t")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is there already"):
        write_task(draft(), tmp_path / "link")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"format": 2}', '{"format": 1}', '{"format": 1, "layout": "ours", "draft": {}, "links": 3}'],
)
def test_a_torn_record_of_ours_is_an_error_not_another_task(tmp_path: Path, text: str) -> None:
    folder = write_task(proven(draft()), tmp_path / "t")
    (folder / "datafactory.json").write_text(text)
    with pytest.raises(DataError, match=r"datafactory\.json"):
        read_task(folder)


def judged(folder: Path, logs: Path) -> tuple[int, str | None]:
    """Exit status and reward of an exported folder's own test script."""
    done = subprocess.run(["python3", folder / "tests/run_checks.py", logs], capture_output=True, timeout=60)
    reward = logs / "reward.txt"
    return done.returncode, reward.read_text().strip() if reward.exists() else None


@pytest.mark.parametrize(
    ("programs", "status", "reward"),
    [
        (["exit 0", "exit 0"], 0, "1.0"),
        (["exit 0", "exit 1"], 0, "0.750000"),
        (["exit 1", "exit 0"], 0, "0.250000"),
        (["exit 1", "exit 1"], 0, "0.000000"),
        (["exit 0", "exit 2"], 2, None),
        (["exit 0", "kill -9 $$"], 2, None),
        (["exit 0", "python3 -c 'assert 0'"], 0, "0.750000"),
        (["exit 0", "python3 -c '{}[1]'"], 2, None),
        (["exit 0", "python3 -c 'open(\"/no/such/file\")'"], 0, "0.750000"),
        (["exit 0", "sleep 30"], 0, "0.750000"),
    ],
)
def test_the_exported_verifier_weighs_checks_and_gives_no_reward_for_a_broken_one(
    tmp_path: Path, programs: list[str], status: int, reward: str | None
) -> None:
    checks = [
        Check(name=f"c{n}", argv=("bash", str(tmp_path / f"c{n}.sh")), files=files({str(tmp_path / f"c{n}.sh"): text}),
              weight=weight, timeout=5.0)
        for n, (text, weight) in enumerate(zip(programs, (3.0, 1.0), strict=True))
    ]  # fmt: skip
    folder = write_task(draft(checks=tuple(checks), workdir=str(tmp_path)), tmp_path / "t")
    assert judged(folder, tmp_path / "logs") == (status, reward)


ATTEMPTS = ["raise ValueError('mine')", "{}['key']", "def broken(:", "import no_such_module", "import nothing.here"]


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("program", ["import sys; sys.path.insert(0, '.'); import solve", "import subprocess, sys; "
    "sys.exit(subprocess.run([sys.executable, 'solve.py']).returncode)"])  # fmt: skip
def test_an_exception_of_the_attempt_is_a_failure_in_harbor_as_it_is_here(
    tmp_path: Path, attempt: str, program: str
) -> None:
    (tmp_path / "solve.py").write_text(attempt + "\n")
    place = str(tmp_path / "checks" / "check.py")
    check = Check(name="c", argv=("python3", place), files=files({place: program}))
    folder = write_task(draft(checks=(check,), workdir=str(tmp_path)), tmp_path / "t")
    assert judged(folder, tmp_path / "logs") == (0, "0.000000")


@pytest.mark.parametrize("left", ["1e999", "1" + "0" * 400, "[" * 5000, '{"a": [1]}'])
def test_a_reward_that_is_no_number_breaks_a_check_and_not_the_verifier(tmp_path: Path, left: str) -> None:
    (tmp_path / "left").write_text(left)
    check = Check(name="c", argv=("cp", "left", "reward"), reward_file=str(tmp_path / "reward"))
    folder = write_task(draft(checks=(check,), workdir=str(tmp_path)), tmp_path / "t")
    assert judged(folder, tmp_path / "logs") == (2, None)


@pytest.mark.parametrize("attack", ["mkdir -p checks/c.sh/x", "touch checks", "ln -s /nowhere checks", "true"])
def test_what_an_attempt_puts_in_the_way_of_a_check_costs_it_the_reward(tmp_path: Path, attack: str) -> None:
    work = tmp_path / "app"
    work.mkdir()
    subprocess.run(["bash", "-c", attack], cwd=work, check=True)
    place = str(work / "checks" / "c.sh")
    check = Check(name="c", argv=("sh", place), files=files({place: "test -f out.txt\n"}))
    folder = write_task(draft(checks=(check,), workdir=str(work)), tmp_path / "t")
    assert judged(folder, tmp_path / "logs") == (0, "0.000000")


def test_a_workdir_that_is_gone_and_what_an_attempt_leaves_running_cost_no_reward(tmp_path: Path) -> None:
    check = Check(name="c", argv=("bash", "-c", "setsid sleep 30 & exit 1"), timeout=5.0)
    folder = write_task(draft(checks=(check,), workdir=str(tmp_path / "gone")), tmp_path / "t")
    began = time.monotonic()
    assert judged(folder, tmp_path / "logs") == (0, "0.000000")
    assert time.monotonic() - began < 4


def test_the_exported_verifier_reads_a_score_that_a_check_leaves_in_a_file(tmp_path: Path) -> None:
    left = tmp_path / "deep" / "reward.json"
    check = Check(name="c", argv=("bash", "-c", f"echo '{{\"reward\": 0.25}}' > {left}"), reward_file=str(left))
    folder = write_task(draft(checks=(check,), workdir=str(tmp_path)), tmp_path / "t")
    assert judged(folder, tmp_path / "logs") == (0, "0.250000")
    assert json.loads((tmp_path / "logs/checks.json").read_text())[0]["outcome"] == "failed"
