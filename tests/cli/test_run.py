"""`datafactory run` as people see it: a live table on a terminal, plain lines in a pipe, JSON for scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]

STAGES = '''
"""Two small stages that need no box: they wait, reject every tenth item, and lose as many as asked."""
import asyncio
from typing import ClassVar

from pydantic import Field

from datafactory.errors import SandboxError
from datafactory.stages.stage import Stage
from datafactory.types import Check, Message, Reject, Source, Task, Trajectory


class Make(Stage):
    """Makes tasks."""

    reads: ClassVar = None
    writes: ClassVar = Task
    use_name: ClassVar = "make"
    count: int = 30
    """How many."""
    lost: int = 0
    """How many are lost."""
    wait: float = Field(default=0.01, exclude=True)
    """Seconds for each."""

    def expected(self, before):
        """The count."""
        return self.count

    async def run(self, source, run):
        """Make them."""
        run.progress.total = self.count

        async def work(key, number):
            await asyncio.sleep(self.wait)
            if number < self.lost:
                raise SandboxError("no room")
            if number % 10 == 9:
                return Reject(reason="tenth")
            check = Check(name="c", argv=("true",))
            return Task(id=key, digest="d", prompt="p", checks=(check,), source=Source(generator="make"))

        await run.each(((f"t-{n:05d}", n) for n in range(self.count)), work, at_once=4)


class Attempt(Stage):
    """Attempts tasks."""

    reads: ClassVar = Task
    writes: ClassVar = Trajectory
    use_name: ClassVar = "attempt"

    async def run(self, source, run):
        """Attempt them as they come."""

        async def items():
            async for task in source.follow():
                yield f"{task.id}/0", task

        async def work(key, task):
            said = (Message(role="user", content="p"), Message(role="assistant", content="a"))
            return Trajectory(task_id=task.id, attempt=0, teacher="t", agent="a", messages=said, stop="submitted")

        await run.each(items(), work, at_once=4)
'''


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pipeline file of the two stages."""

    def write(**fields: Any) -> Path:
        (tmp_path / "mystages.py").write_text(STAGES)
        make = {"use": "mystages:Make", **fields}
        path = tmp_path / "mine.yaml"
        path.write_text(json.dumps({"name": "mine", "stages": [make, {"use": "mystages:Attempt"}]}))
        return path

    return write


def test_in_a_pipe_each_stage_says_how_it_ended(call: Call, pipeline: Call) -> None:
    done = call("run", pipeline())
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    assert any(re.fullmatch(r"make: complete, 27 kept, 3 rejected, 0 lost, took 0:\d\d", line) for line in lines), lines
    assert any(line.startswith("attempt: complete, 27 kept, 0 rejected") for line in lines)
    assert done.stdout.startswith("done: 27 records")


def test_a_run_that_is_done_says_so_and_does_nothing(call: Call, pipeline: Call) -> None:
    path = pipeline()
    call("run", path)
    again = call("run", path)
    assert again.returncode == 0
    assert "make: complete before, 27 records" in again.stderr


def test_lost_items_are_told_apart_and_set_the_exit_code(call: Call, pipeline: Call) -> None:
    done = call("run", pipeline(lost=2))
    assert done.returncode == 3
    assert "make: short (the infrastructure lost items), 25 kept, 3 rejected, 2 lost" in done.stderr
    assert "attempt: held (a stage before it is not complete), 25 kept" in done.stderr


def test_json_goes_alone_to_standard_output(call: Call, pipeline: Call) -> None:
    done = call("run", pipeline(), "--json")
    assert done.stderr == ""
    made = json.loads(done.stdout)
    assert made["complete"]
    assert made["stages"][0]["rejected"] == {"tenth": 3}


def test_a_terminal_gets_all_stages_side_by_side_within_its_width(on_terminal: Call, pipeline: Call) -> None:
    for columns in (80, 60, 120):
        code, said = on_terminal("run", pipeline(count=columns), columns=columns)
        assert code == 0
        plain = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", said)
        table = [line for line in re.split("[\r\n]+", plain) if re.match("(stage|make|attempt) ", line)]
        assert len(table) >= 3
        assert max(len(line) for line in table) <= columns
        assert not any("…" in line for line in table), "a cell was cut"


def test_the_cursor_is_never_left_hidden(on_terminal: Call, pipeline: Call) -> None:
    _, said = on_terminal("run", pipeline())
    assert said.count("\x1b[?25l") <= said.count("\x1b[?25h")
    first_row = said.index("make")
    assert said.index("\x1b[?25h") < first_row, "a run that is killed would leave a terminal without its cursor"


def test_no_color_takes_colour_from_the_table(on_terminal: Call, pipeline: Call) -> None:
    _, said = on_terminal("run", pipeline(), NO_COLOR="1")
    assert "make" in said
    assert re.findall("\x1b\\[(?:\\d+;)*(?:3|4|9|10)[0-7](?:;\\d+)*m", said) == []
    (_, coloured) = on_terminal("run", pipeline(count=20))
    assert re.findall("\x1b\\[(?:\\d+;)*3[0-7]m", coloured), "the same table has colour otherwise"


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(on_terminal: Call, call: Call, pipeline: Call) -> None:
    path = pipeline(wait=0.2)
    code, said = on_terminal("run", path, keys=[("left", "\x03")])
    assert code == 130
    assert "stopping" in said
    assert "Go on with:" in said
    assert said.rindex("\x1b[?25h") > said.rindex("attempt ")
    shelf = next((path.parent / "runs" / "mine").glob("1-make-*")) / "records.jsonl"
    before = shelf.read_text().count("\n")
    assert 0 < before < 27
    done = call("run", path)
    assert done.returncode == 0, done.stderr
    assert shelf.read_text().count("\n") == 27


def test_a_dumb_terminal_gets_plain_lines(on_terminal: Call, pipeline: Call) -> None:
    _, said = on_terminal("run", pipeline(), TERM="dumb")
    assert "\x1b" not in said
    assert "make: complete, 27 kept" in said


def test_a_plan_says_what_is_done_and_what_is_left(call: Call, pipeline: Call) -> None:
    path = pipeline()
    new = json.loads(call("plan", path, "--json").stdout)
    assert [(row["state"], row["done"], row["expected"]) for row in new["stages"]] == [("new", 0, 30), ("new", 0, 30)]
    call("run", path)
    said = call("plan", path).stdout
    assert said.count("nothing: it is done") == 2
    assert max(map(len, said.splitlines())) <= 80
