"""The example pipelines are good files, whatever engines this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafactory.pipeline import load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_good_file_named_for_its_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What would be joined need not be installed here; loading a file asks nobody.
    monkeypatch.setenv("DATAFACTORY_VLLM_URL", "http://127.0.0.1:9/v1")
    pipeline = load(path)
    # `swe-hero.yaml` and `swe-zero.yaml` are one run's two halves: they share its tasks.
    assert f"{path.stem}-".startswith(f"{pipeline.name}-")
    assert [planned.name for planned in pipeline.stages] == ["synthesize", "rollout", "verify", "select", "arrange"]


def test_there_are_examples_for_parts_of_our_own_a_server_and_vllm() -> None:
    assert {path.stem for path in EXAMPLES} >= {"quickstart", "terminal", "vllm"}
