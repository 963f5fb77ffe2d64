"""Judging: what a check's exit status, traceback, report or reward file comes to, with real programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from datafactory.checks import LOG, judge
from datafactory.types import Check, files

if TYPE_CHECKING:
    from tests.checks.conftest import OpenBox


def shell(line: str, name: str = "c", weight: float = 1.0, **more: object) -> Check:
    return Check.model_validate({"name": name, "argv": ("bash", "-c", line), "weight": weight, **more})


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("exit 0", "passed"),
        ("exit 1", "failed"),
        ("exit 2", "crashed"),
        ("exit 127", "crashed"),
        ("no-such-program", "crashed"),
        ("kill -SEGV $$", "crashed"),
        ("echo Traceback; exit 1", "failed"),
        ("echo 'ValueError: nothing to do with us' >&2; exit 1", "failed"),
        ("sleep 5", "timeout"),
    ],
)
async def test_an_exit_status_decides(box: OpenBox, line: str, outcome: str) -> None:
    verdict = await judge(box, [shell(line, timeout=0.5)])
    assert verdict.checks[0].outcome == outcome
    assert verdict.reward == (1.0 if outcome == "passed" else 0.0)


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("assert 1 == 1", "passed"),
        ("assert 1 == 2, 'wrong sum'", "failed"),
        ("open('missing.txt')", "failed"),
        ("import os; os.listdir('missing')", "failed"),
        ("import sys; sys.exit(1)", "failed"),
        ("import sys; sys.exit('wrong answer')", "failed"),
        ("import sys; sys.exit(3)", "crashed"),
        ("1 / 0", "crashed"),
        ("undefined", "crashed"),
        ("import no_such_module", "crashed"),
        ("def broken(:", "crashed"),
        ("print('x')\n  print('y')", "crashed"),
        ("import sys; print('SyntaxError: seen in the attempt', file=sys.stderr); assert False", "failed"),
        ("class Odd(Exception): pass\nraise Odd('x')", "failed"),
        ("class OddError(Exception): pass\nraise OddError('x')", "crashed"),
        ("try:\n  1 / 0\nexcept ZeroDivisionError:\n  assert False, 'cannot divide'", "failed"),
        ("try:\n  assert False\nexcept AssertionError:\n  {}['key']", "crashed"),
        ("import traceback\ntry:\n  1 / 0\nexcept ZeroDivisionError:\n  traceback.print_exc()", "passed"),
    ],
)
async def test_a_bare_traceback_is_a_crash_unless_it_speaks_of_the_attempt(
    box: OpenBox, program: str, outcome: str
) -> None:
    check = Check(name="c", argv=(sys.executable, "-c", program))
    assert (await judge(box, [check])).checks[0].outcome == outcome


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("def answer(): return 42", "passed"),
        ("def answer(): return 41", "failed"),
        ("def answer(): return {}['key']", "failed"),
        ("import json\ndef answer(): return json.loads('{')", "failed"),
        ("def answer(: return 42", "failed"),
        ("def other(): return 42", "crashed"),
    ],
)
async def test_an_exception_of_the_attempts_own_program_is_no_crash_of_the_check(
    box: OpenBox, attempt: str, outcome: str
) -> None:
    (box.folder / "solve.py").write_text(attempt + "\n")
    place = str(box.folder / "tests" / "check.py")
    program = "import sys\nsys.path.insert(0, '.')\nimport solve\nassert solve.answer() == 42\n"
    check = Check(name="c", argv=(sys.executable, place), files=files({place: program}))
    assert (await judge(box, [check])).checks[0].outcome == outcome


@pytest.mark.parametrize("attempt", ["1 / 0", "def broken(:"])
async def test_a_check_in_bash_that_runs_the_attempts_program_does_not_crash_with_it(
    box: OpenBox, attempt: str
) -> None:
    (box.folder / "solve.py").write_text(attempt + "\n")
    assert (await judge(box, [shell(f"{sys.executable} solve.py | grep -q 42")])).checks[0].outcome == "failed"


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("def test_it(): assert 1 == 1", "passed"),
        ("def test_it(): assert 1 == 2", "failed"),
        ("def test_it(): assert open('missing.txt').read()", "failed"),
        ("import pytest\ndef test_it(): pytest.fail('no')", "failed"),
        ("import pytest\ndef test_it():\n  with pytest.raises(KeyError): pass", "failed"),
        ("def test_it(): {}['key']", "crashed"),
        ("def test_it(): 1 / 0", "crashed"),
        ("def test_a(): 1 / 0\ndef test_b(): assert False", "failed"),
        ("import no_such_module\ndef test_it(): pass", "crashed"),
        ("def broken(:", "crashed"),
        ("x = 1", "crashed"),
    ],
)
async def test_a_report_of_pytest_is_understood(box: OpenBox, test: str, outcome: str) -> None:
    place = str(box.folder / "test_it.py")
    python = ("env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable)
    argv = (*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", place)
    check = Check(name="c", argv=argv, files=files({place: test + "\n"}))
    result = (await judge(box, [check])).checks[0]
    assert result.outcome == outcome, result.log


@pytest.mark.parametrize(
    ("written", "outcome", "score"),
    [
        ("1", "passed", 1.0),
        ("1.0\n", "passed", 1.0),
        ("0.25", "failed", 0.25),
        ("0", "failed", 0.0),
        ('{"reward": 0.5}', "failed", 0.5),
        ('{"reward": 1, "speed": 0}', "passed", 1.0),
        ('{"a": 1, "b": 0}', "failed", 0.5),
        ("", "crashed", 0.0),
        ("yes", "crashed", 0.0),
        ("NaN", "crashed", 0.0),
        ("Infinity", "crashed", 0.0),
        ("2", "crashed", 0.0),
        ("-0.1", "crashed", 0.0),
        ("null", "crashed", 0.0),
        ("[1]", "crashed", 0.0),
        ("{}", "crashed", 0.0),
        ('{"reward": null}', "crashed", 0.0),
        ('{"a": "x"}', "crashed", 0.0),
        ('{"a": {"b": 1}}', "crashed", 0.0),
        ('{"a": 1e308, "b": 1e308, "c": 1e308}', "crashed", 0.0),
        ("1" + "0" * 400, "crashed", 0.0),
        ("[" * 5000, "crashed", 0.0),
    ],
)
async def test_a_reward_file_decides(box: OpenBox, written: str, outcome: str, score: float) -> None:
    reward, source = str(box.folder / "logs" / "reward.txt"), str(box.folder / "source")
    check = shell(f"cp {source} {reward}; exit 1", reward_file=reward, files=files({source: written}))
    result = (await judge(box, [check])).checks[0]
    assert (result.outcome, result.score) == (outcome, score), result.log


async def test_a_reward_that_was_left_by_another_is_not_believed(box: OpenBox) -> None:
    reward = box.folder / "reward.txt"
    reward.write_text("1")
    result = (await judge(box, [shell("true", reward_file=str(reward))])).checks[0]
    assert (result.outcome, result.score) == ("crashed", 0.0)
    assert "no reward in" in result.log


async def test_a_reward_in_bytes_that_are_no_text_is_a_crash(box: OpenBox) -> None:
    reward = str(box.folder / "reward.txt")
    check = shell(rf"printf '\xff\xfe1' > {reward}", reward_file=reward)
    assert (await judge(box, [check])).checks[0].outcome == "crashed"


async def test_a_reward_of_a_check_that_hung_does_not_count(box: OpenBox) -> None:
    reward = str(box.folder / "reward.txt")
    check = shell(f"echo 1 > {reward}; sleep 9", reward_file=reward, timeout=0.5)
    result = (await judge(box, [check])).checks[0]
    assert (result.outcome, result.score) == ("timeout", 0.0)


@pytest.mark.parametrize(
    ("parts", "reward"),
    [
        ([(True, 1.0), (True, 3.0)], 1.0),
        ([(True, 1.0), (False, 3.0)], 0.25),
        ([(True, 1.0), (False, 1.0), (False, 1.0)], 0.333333),
        ([(False, 5.0)], 0.0),
        ([(True, 1e9), (False, 1e-9)], 0.999999),
        ([(True, 0.1)] * 10, 1.0),
    ],
)
async def test_partial_credit_is_by_weight_and_one_only_where_all_pass(
    box: OpenBox, parts: list[tuple[bool, float]], reward: float
) -> None:
    checks = [shell("true" if ok else "false", f"c{n}", weight) for n, (ok, weight) in enumerate(parts)]
    verdict = await judge(box, checks)
    assert verdict.reward == reward
    assert verdict.solved == all(ok for ok, _ in parts)


async def test_a_check_that_crashes_counts_nothing_and_is_named(box: OpenBox) -> None:
    verdict = await judge(box, [shell("true", "good"), shell("exit 3", "broken")])
    assert (verdict.reward, verdict.crashed) == (0.5, ("broken",))


async def test_the_end_of_a_long_log_is_kept(box: OpenBox) -> None:
    result = (await judge(box, [shell("seq 100000; echo the reason; exit 1")])).checks[0]
    assert len(result.log) == LOG
    assert result.log.endswith("the reason\n")


async def test_a_check_runs_from_the_workdir_with_its_own_files(box: OpenBox, tmp_path: Path) -> None:
    (tmp_path / "made.txt").write_text("by the agent")
    tool = str(tmp_path / "tests" / "tool.sh")
    check = shell(f"{tool} && grep -q agent made.txt", files=files({tool: "#!/bin/bash\nexit 0\n"}))
    assert (await judge(box, [check])).solved
