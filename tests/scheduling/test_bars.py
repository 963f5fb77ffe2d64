"""Bars are held against what `show --json` says of a run."""

from __future__ import annotations

from typing import Any

from datafactory.scheduling.bars import Bars, measured

SHOWN: dict[str, Any] = {
    "funnel": {"made": 200, "sound": 150, "tried": 300, "solved": 120, "kept": 90},
    "judged": 300,
    "rows": 90,
    "stages": [
        {"stage": "rollout", "state": "complete", "records": 300, "rejected": {"near_duplicate": 7}},
        {
            "stage": "select",
            "state": "complete",
            "records": 90,
            "rejected": {"solved": 90, "near_duplicate": 12, "duplicate": 6, "decontaminate": 2},
        },
    ],
}
FACTS = {"rows": 90, "soundness": 0.75, "kept": 0.3, "solved": 0.4, "duplicates": 0.09, "contamination": 0.01}


def test_facts_are_shares_of_what_came_to_each_step() -> None:
    assert measured(SHOWN) == FACTS


def test_a_run_that_reaches_every_bar_misses_none() -> None:
    bars = Bars(rows=90, soundness=0.75, kept=0.3, solved_min=0.4, solved_max=0.4, duplicates=0.09, contamination=0.01)
    assert bars.missed(FACTS) == []
    assert Bars().missed(FACTS) == []


def test_each_bar_that_is_missed_says_by_how_much() -> None:
    bars = Bars(rows=91, soundness=0.8, kept=0.5, solved_min=0.5, solved_max=0.3, duplicates=0.05, contamination=0)
    assert bars.missed(FACTS) == [
        "rows: 90 is under the bar of 91",
        "soundness: 0.75 is under the bar of 0.8",
        "kept: 0.3 is under the bar of 0.5",
        "solved: 0.4 is under the bar of 0.5",
        "solved: 0.4 is over the bar of 0.3",
        "duplicates: 0.09 is over the bar of 0.05",
        "contamination: 0.01 is over the bar of 0",
    ]


def test_a_figure_that_a_run_lacks_reaches_no_bar() -> None:
    without = {**SHOWN, "stages": SHOWN["stages"][:1], "judged": 0}
    assert Bars(duplicates=0.5, solved_min=0.1).missed(measured(without)) == [
        "solved: the run has no such figure, and the bar is 0.1",
        "duplicates: the run has no such figure, and the bar is 0.5",
    ]
