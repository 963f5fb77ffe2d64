"""Whole runs against a server that counts: replayed for nothing, capped cleanly, asked anew on demand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from datafactory.calls import ASIDE, CALLS, spending
from datafactory.cli.planning import plan
from datafactory.errors import ConfigError
from datafactory.pipeline import Execution, load, set_aside
from datafactory.storage import rows

USAGE = {"prompt_tokens": 10, "completion_tokens": 5}


class Bench:
    """A pipeline file of questions, its run's folder, and the server that answers."""

    def __init__(self, folder: Path, served: Any) -> None:
        self.folder = folder / "runs" / "quiz"
        self.file = folder / "quiz.yaml"
        self.served = served
        self.write()

    def write(self, *, budget: str = "", ask: str = "", teacher: str = "") -> None:
        self.file.write_text(
            f"name: quiz\n{budget}\n"
            f"teacher: {{use: openai, model: served-model, base_url: '{self.served.url}'{teacher}}}\n"
            f"stages:\n  - {{use: 'quiz:Ask', count: 6, turns: 3, at_once: 4{ask}}}\n  - 'quiz:Mark'\n"
        )

    async def run(self) -> Execution:
        execution = Execution(load(self.file), self.folder)
        await execution.run()
        return execution

    def made(self) -> dict[str, Any]:
        (path,) = self.folder.glob("1-*/records.jsonl")
        return {row["id"]: row["said"] for row in rows(path)}

    @property
    def calls(self) -> int:
        return len(self.served.bodies)


@pytest.fixture
async def bench(tmp_path: Path, server: Any, quiz: ModuleType) -> AsyncIterator[Bench]:
    async with server.serving(lambda n: server.completion(f"answer {n}", usage=USAGE)) as served:
        yield Bench(tmp_path, served)


def states(execution: Execution) -> list[str]:
    return [station.state for station in execution.stations]


async def test_a_finished_run_that_is_repeated_makes_no_call_and_the_same_rows(bench: Bench) -> None:
    assert (await bench.run()).complete
    first = bench.made()
    assert (bench.calls, len(first)) == (18, 6)
    set_aside(load(bench.file), bench.folder, load(bench.file).stages[0].name)
    again = await bench.run()
    assert again.complete
    assert bench.calls == 18
    assert bench.made() == first
    assert again.account is not None
    assert (again.account.found, again.account.spent.calls) == (18, 18)


async def test_a_replay_needs_no_server(bench: Bench) -> None:
    await bench.run()
    first = bench.made()
    set_aside(load(bench.file), bench.folder, load(bench.file).stages[0].name)
    bench.served.url = "http://127.0.0.1:9/v1"
    bench.write()
    assert (await bench.run()).complete
    assert bench.made() == first


async def test_a_stage_that_asks_more_pays_for_the_difference_alone(bench: Bench) -> None:
    await bench.run()
    first = bench.made()
    bench.file.write_text(bench.file.read_text().replace("turns: 3", "turns: 5"))
    assert (await bench.run()).complete
    assert bench.calls == 18 + 6 * 2
    made = {row["id"]: row["said"] for path in bench.folder.glob("1-*/records.jsonl") for row in rows(path)}
    longer = [said for said in made.values() if len(said) == 5]
    assert sorted(said[:3] for said in longer) == sorted(first.values())


async def test_a_teacher_of_another_recipe_is_asked_and_a_knob_of_speed_is_none(bench: Bench) -> None:
    await bench.run()
    bench.write(teacher=", temperature: 0.5")
    await bench.run()
    assert bench.calls == 36
    bench.write(teacher=", temperature: 0.5, at_once: 3, price: {prompt: 1.0}")
    set_aside(load(bench.file), bench.folder, load(bench.file).stages[0].name)
    await bench.run()
    assert bench.calls == 36


@pytest.mark.parametrize("cap", [1, 2, 7, 11])
async def test_a_cap_on_calls_is_met_exactly_and_everything_paid_for_is_kept(bench: Bench, cap: int) -> None:
    bench.write(budget=f"budget: {{calls: {cap}}}")
    capped = await bench.run()
    assert states(capped) == ["capped", "held"]
    assert capped.capped == f"budget.calls is spent: {cap} of {cap}"
    assert (bench.calls, spending(bench.folder / CALLS).total.calls) == (cap, cap)
    assert not list(bench.folder.glob("*/manifest.json"))
    assert capped.stations[0].shelf.lost == set()
    assert capped.stations[0].run.progress.unpaid == 6 - capped.stations[0].shelf.kept
    assert capped.stations[1].shelf.kept == capped.stations[0].shelf.kept


async def test_a_run_at_its_cap_stops_again_at_once_and_goes_on_when_it_is_raised(bench: Bench) -> None:
    bench.write(budget="budget: {tokens: 100}")
    first = await bench.run()
    sent = bench.calls
    assert 7 <= sent <= 7 + 3
    for _ in range(2):
        again = await bench.run()
        assert states(again) == ["capped", "held"]
        assert again.capped == f"budget.tokens is spent: {15 * sent} of 100"
        assert bench.calls == sent
    bench.write(budget="budget: {tokens: 100000}")
    done = await bench.run()
    assert done.complete
    assert bench.calls == 18
    assert [len(said) for said in bench.made().values()] == [3] * 6
    assert first.pipeline.stages[0].digest == done.pipeline.stages[0].digest


async def test_items_that_cost_nothing_are_finished_under_a_cap(bench: Bench) -> None:
    bench.write(budget="budget: {calls: 3}", ask=", even: true")
    capped = await bench.run()
    assert states(capped) == ["capped", "held"]
    assert {"q1", "q3", "q5"} <= set(bench.made())
    assert bench.calls == 3


async def test_a_run_whose_answers_are_all_on_disk_is_finished_at_its_cap(bench: Bench) -> None:
    await bench.run()
    set_aside(load(bench.file), bench.folder, load(bench.file).stages[0].name)
    bench.write(budget="budget: {calls: 18}")
    assert (await bench.run()).complete
    assert bench.calls == 18


async def test_asking_again_sets_the_answers_aside_and_deletes_none(bench: Bench) -> None:
    await bench.run()
    first = bench.made()
    stage = load(bench.file).stages[0].name
    moved = set_aside(load(bench.file), bench.folder, stage, calls=True)
    assert CALLS in [path.name for path in moved]
    assert not [name for name in ASIDE if (bench.folder / name).exists()]
    assert (await bench.run()).complete
    assert bench.calls == 36
    assert set(map(tuple, bench.made().values())).isdisjoint(map(tuple, first.values()))
    (kept,) = bench.folder.glob(f"before/*/{CALLS}")
    assert spending(kept).total.calls == 18
    assert spending(bench.folder / CALLS).total.calls == 18


async def test_a_teacher_of_ones_own_is_paid_for_and_its_gpus_are_counted(bench: Bench, quiz: ModuleType) -> None:
    text = bench.file.read_text().splitlines()
    text[2] = "teacher: {use: 'quiz:Parrot', gpus: 2, price: {prompt: 1.0, gpu_hour: 3.0}}"
    bench.file.write_text("\n".join(text))
    done = await bench.run()
    assert done.complete
    assert quiz.OPENED == ["polly", "polly closed"]
    total = spending(bench.folder / CALLS).total
    assert (total.calls, total.prompt_tokens) == (18, 180)
    assert total.gpu_seconds > 0
    assert total.dollars == pytest.approx(180 / 1e6 + total.gpu_hours * 3.0)
    assert json.loads((bench.folder / "run.json").read_text())["budget"] == {}


async def test_a_teacher_that_no_stage_asks_any_more_is_closed_before_those_to_come(
    bench: Bench, quiz: ModuleType
) -> None:
    text = bench.file.read_text().splitlines()
    text[2] = "teacher: 'quiz:Parrot'"
    bench.file.write_text("\n".join([*text, "  - 'quiz:Last'"]))
    assert (await bench.run()).complete
    assert quiz.OPENED == ["polly", "polly closed", "last"]


async def test_a_teacher_that_is_not_paid_is_not_counted_and_makes_no_ledger(bench: Bench) -> None:
    bench.write(budget="budget: {calls: 1, dollars: 0.01}")
    text = bench.file.read_text().splitlines()
    text[2] = "teacher: {use: scripted, replies: [a, b, c]}"
    bench.file.write_text("\n".join(text).replace("count: 6", "count: 1"))
    assert (await bench.run()).complete
    assert not (bench.folder / CALLS).exists()


def test_a_cap_on_dollars_wants_a_price(bench: Bench) -> None:
    bench.write(budget="budget: {dollars: 5}")
    with pytest.raises(ConfigError, match=r"quiz\.yaml:3: teacher: the teacher openai has no price"):
        load(bench.file)
    bench.write(budget="budget: {dollars: 5}", teacher=", price: {completion: 2.0}")
    assert load(bench.file).budget.dollars == 5


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("{cals: 5}", r"budget\.cals: unknown key; did you mean 'calls'\?"),
        ("{calls: 0}", r"budget\.calls: must be more than 0, not 0"),
        ("{calls: true}", r"budget\.calls: must be a number, not True"),
        ("{tokens: 1.5}", r"budget\.tokens: must be a whole number"),
        ("{dollars: lots}", r"budget\.dollars: must be a number"),
        ("5", r"budget: must be a mapping"),
    ],
)
def test_a_mistake_in_a_budget_is_found_before_anything_runs(bench: Bench, budget: str, said: str) -> None:
    bench.write(budget=f"budget: {budget}")
    with pytest.raises(ConfigError, match=said):
        load(bench.file)


async def test_the_plan_says_what_was_spent_and_what_may_be(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write(budget="budget: {calls: 7, tokens: 5000}")
    await bench.run()
    plan(bench.file, bench.folder.parent, as_json=False)
    said = capsys.readouterr().out
    assert "budget: at most 7 calls and 5,000 tokens\nspent so far: 7 calls, 105 tokens\n" in said
    plan(bench.file, bench.folder.parent, as_json=True)
    row = json.loads(capsys.readouterr().out)
    assert row["budget"] == {"calls": 7, "tokens": 5000}
    assert (row["spent"]["calls"], row["spent"]["completion_tokens"]) == (7, 35)
