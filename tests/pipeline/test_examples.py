"""The example pipelines are good files, whatever engines this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.pipeline import load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))

GOING_ON = {"pivots": ["pivot"]}
"""Examples that go on from the shelves of the run that the file names, and their stages after `verify`."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_good_file_named_for_its_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What would be joined need not be installed here; loading a file asks nobody.
    monkeypatch.setenv("DATAFACTORY_VLLM_URL", "http://127.0.0.1:9/v1")
    pipeline = load(path)
    names = [planned.name for planned in pipeline.stages]
    assert names[:3] == ["synthesize", "rollout", "verify"]
    assert names[3:] == GOING_ON.get(path.stem, ["select", "arrange"])
    # `swe-hero.yaml` and `swe-zero.yaml` are one run's two halves: they share its tasks. Some go on from another's run.
    own = pipeline.name if path.stem not in GOING_ON else path.stem
    assert f"{path.stem}-".startswith(f"{own}-")
    if path.stem in GOING_ON:
        begun = load(path.with_name(f"{pipeline.name}.yaml"))
        assert [planned.folder for planned in pipeline.stages[:3]] == [planned.folder for planned in begun.stages[:3]]


def test_there_are_examples_for_parts_of_our_own_a_server_and_vllm() -> None:
    assert {path.stem for path in EXAMPLES} >= {"quickstart", "terminal", "vllm"}
