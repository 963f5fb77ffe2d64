"""The teacher vllm_offline without an engine: its recipe, and how it reads what an engine gives back."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from datafactory.registry import build
from datafactory.teachers.vllm.offline import VLLMOfflineTeacher
from datafactory.teachers.vllm.offline_answers import logprobs, part
from datafactory.types import Logprobs

TAGS = ("<think>", "</think>")


def test_it_is_found_by_name_and_its_knobs_of_speed_move_no_digest() -> None:
    plain = {"use": "vllm_offline", "model": "m", "max_tokens": 9}
    quick = {**plain, "tensor_parallel": 4, "gpu_memory": 0.5, "tuning": {"max_num_seqs": 9}, "price": {"gpu_hour": 2}}
    made = [build("teacher", keys, (), []) for keys in (plain, quick)]
    assert made[0] is not None
    assert made[1] is not None
    assert made[0].describe() == made[1].describe()
    other = build("teacher", {**plain, "engine": {"reasoning_parser": "qwen3"}}, (), [])
    assert other is not None
    assert other.describe() != made[0].describe()


def test_without_vllm_the_plan_says_so_with_both_ways_out() -> None:
    said = list(VLLMOfflineTeacher(model="m").problems())
    if importlib.util.find_spec("vllm") is None:
        assert len(said) == 1
        assert "datafactory[vllm]" in said[0]
        assert "teacher vllm," in said[0]
    else:
        assert said == []


def test_a_folder_that_is_not_there_is_told_at_plan_time(tmp_path: Path) -> None:
    assert f"there is no folder {tmp_path}/gone" in list(VLLMOfflineTeacher(model=f"{tmp_path}/gone").problems())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"engine": {"tensor_parallel_size": 2}}, "say it with the key 'tensor_parallel'"),
        ({"engine": {"seed": 1}, "tuning": {"seed": 2}}, "both have seed"),
        ({"top_logprobs": 2}, "needs logprobs"),
    ],
)
def test_fields_that_disagree_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        VLLMOfflineTeacher.model_validate({"model": "m", **fields})


def test_lineage_holds_only_what_was_set() -> None:
    spec = VLLMOfflineTeacher(model="m", temperature=0.0, stop=("END",), logprobs=True, extra={"min_p": 0.1})
    assert spec.sampling() == {"temperature": 0.0, "stop": ["END"], "logprobs": 0, "min_p": 0.1}


@pytest.mark.parametrize(
    ("text", "opened", "thoughts", "answer"),
    [
        ("plain", False, None, "plain"),
        ("<think>\nhm\n</think>\n\nyes", False, "hm", "yes"),
        ("\n<think></think>yes", False, None, "yes"),
        ("hm\n</think>\n\n  yes\n", True, "hm", "  yes\n"),
        ("<think>twice</think>yes", True, "twice", "yes"),
        ("cut in the mid", True, "cut in the mid", ""),
        ("<think>cut", False, "cut", ""),
        ("a </think> of the answer's own", False, None, "a </think> of the answer's own"),
        ("hm</think>a </think> b", True, "hm", "a </think> b"),
        ("", True, None, ""),
        ("", False, None, ""),
    ],
)
def test_thoughts_are_parted_from_the_answer(text: str, opened: bool, thoughts: str | None, answer: str) -> None:
    assert part(text, opened=opened, tags=TAGS) == (thoughts, answer)


@dataclass
class Told:
    """What vLLM says of one token at one place."""

    logprob: float
    rank: int | None


class Letters:
    """A tokenizer whose tokens are letters."""

    def decode(self, ids: list[int], **_: bool) -> str:
        return "".join(chr(97 + number) for number in ids)


def test_log_probs_of_nothing_can_be_filed_and_read_again() -> None:
    places = [{0: Told(-math.inf, 3), 1: Told(-0.5, 1), 2: Told(math.nan, 2)}, {1: Told(math.nan, 1)}]
    made = logprobs([0, 1], places, Letters(), top=2)
    assert made.chosen == (-9999.0, -9999.0)
    assert made.top == ({"b": -0.5, "c": -9999.0}, {"b": -9999.0})
    assert Logprobs.model_validate_json(made.model_dump_json()) == made
