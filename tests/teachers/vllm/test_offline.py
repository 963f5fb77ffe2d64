"""The teacher vllm_offline on a real engine and a small model, in a process that has vllm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datafactory.teachers.vllm import program

pytestmark = pytest.mark.vllm
SCRIPT = Path(__file__).with_name("offline_program.py")
ROOT = Path(__file__).parents[3]
START = 180.0
"""Seconds until an engine is up on a busy machine."""

Said = dict[str, Any]
Begin = Callable[[str], subprocess.Popen[str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small model."""
    folder = tmp_path_factory.mktemp("model")
    subprocess.run(_command("make", folder), env=_environment(folder), check=True, timeout=START)
    return folder


@pytest.fixture(scope="module")
def said(model: Path) -> Said:
    """All that the script says of one engine's life."""
    done = subprocess.run(
        _command("answers", model), env=_environment(model), capture_output=True, text=True, timeout=3 * START
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: Said = {"stderr": done.stderr}
    for line in done.stdout.splitlines():
        told |= json.loads(line)
    return told


@pytest.fixture
def begin(model: Path) -> Iterator[Begin]:
    """Starts the script, which opens a chat and waits."""
    started: list[subprocess.Popen[str]] = []

    def run(what: str) -> subprocess.Popen[str]:
        script = subprocess.Popen(
            _command(what, model), env=_environment(model), stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(script)
        return script

    yield run
    for script in started:
        script.kill()
        script.wait()


def _command(what: str, model: Path) -> list[str]:
    found = program.find()
    assert found is not None
    return [str(found.path.parent / "python"), str(SCRIPT), what, str(model)]


def _environment(model: Path) -> dict[str, str]:
    temporary = model / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "PYTHONPATH": str(ROOT), "VLLM_CPU_KVCACHE_SPACE": "1", "TMPDIR": str(temporary)}


def _next(script: subprocess.Popen[str], name: str) -> Any:
    assert script.stdout is not None
    for line in script.stdout:
        found: Said = json.loads(line)
        if name in found:
            return found[name]
    raise AssertionError(f"the script ended without saying {name}")


def _gone(pid: int, within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_an_answer_carries_its_text_usage_model_and_end(said: Said, model: Path) -> None:
    text = said["text"]
    assert text["message"]["content"]
    assert text["finish"] == "length"
    assert text["usage"] == {
        "prompt_tokens": len("user: one\nassistant: "),
        "completion_tokens": 24,
        "cached_tokens": 0,
    }
    assert text["model"] == str(model)
    assert text["message"]["logprobs"] is None


def test_an_answer_says_how_long_the_engine_took(said: Said) -> None:
    assert 0 < said["text"]["seconds"] < 60


def test_one_seed_gives_one_answer_and_each_episode_its_own(said: Said) -> None:
    assert said["again"]["message"] == said["text"]["message"]
    assert said["other"]["message"] != said["text"]["message"]


def test_seeded_requests_are_answered_where_the_engine_has_not_room_for_all_their_prompts_at_once(said: Said) -> None:
    assert len(said["crowd"]) == 26
    assert all(reply["usage"]["completion_tokens"] for reply in said["crowd"])


def test_a_prefix_that_was_seen_before_is_counted_as_cached(said: Said) -> None:
    first, second = (reply["usage"] for reply in said["prefix"])
    assert first["cached_tokens"] == 0
    assert 100 < second["cached_tokens"] < second["prompt_tokens"]


def test_a_conversation_that_fills_the_context_is_an_empty_answer_and_no_error(said: Said) -> None:
    assert said["overflow"]["finish"] == "context"
    assert said["overflow"]["message"]["content"] == ""
    assert said["overflow"]["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0}


def test_an_answer_that_the_context_cuts_is_told_from_one_that_reached_its_limit(said: Said) -> None:
    full = said["full"]
    assert full["finish"] == "context"
    assert full["usage"]["prompt_tokens"] + full["usage"]["completion_tokens"] == 512
    assert said["text"]["finish"] == "length"


def test_a_schema_binds_the_answer(said: Said) -> None:
    ended = [reply for reply in said["schema"] if reply["finish"] == "stop"]
    assert len(ended) >= 4, "a random model writes much white space, but not always 200 tokens of it"
    for reply in ended:
        made = json.loads(reply["message"]["content"])
        assert set(made) == {"n", "yes"}
        assert 0 <= made["n"] <= 99
        assert isinstance(made["yes"], bool)
        assert reply["stopped_by"] == ""


def test_a_stop_text_ends_an_answer_and_is_named(said: Said) -> None:
    whole, stopped = said["text"]["message"]["content"], said["stopped"]
    assert stopped["finish"] == "stop"
    assert stopped["stopped_by"] == whole.rstrip()[-1]
    assert whole.startswith(stopped["message"]["content"])
    assert stopped["stopped_by"] not in stopped["message"]["content"]


def test_log_probs_come_with_ids_and_the_likeliest_tokens(said: Said) -> None:
    found = said["logprobs"]["message"]["logprobs"]
    assert len(found["tokens"]) == len(found["ids"]) == len(found["chosen"]) == len(found["top"]) == 8
    assert all(value < 0 for value in found["chosen"])
    for token, chosen, top in zip(found["tokens"], found["chosen"], found["top"], strict=True):
        assert 1 <= len(top) <= 3
        assert list(top.values()) == sorted(top.values(), reverse=True)
        assert chosen <= max(top.values())
        if token != "�" and token in top:
            assert top[token] == chosen


def test_thoughts_that_the_prompt_opens_are_parted_from_the_answer(said: Said) -> None:
    ended = [reply["message"] for reply in said["thinking"] if reply["message"]["content"]]
    assert ended, "200 random bytes hold an e more often than not"
    assert all("e" not in (message["reasoning_content"] or "") for message in ended)
    cut = [reply["message"] for reply in said["thinking"] if not reply["message"]["content"]]
    assert all(message["reasoning_content"] for message in cut)


def test_mistakes_of_the_user_end_a_run_and_refused_calls_do_not(said: Said) -> None:
    assert said["tools"][0] == "ConfigError"
    assert "use the teacher vllm" in said["tools"][1]
    assert said["schema_refused"][0] == "TeacherError"
    assert "min_pp" in said["extra"]


def test_what_cannot_be_opened_ends_the_run_and_says_why(said: Said) -> None:
    assert said["no_model"][0] == "ConfigError"
    assert "gone" in said["no_model"][1]
    assert said["no_argument"] == [
        "ConfigError",
        "vLLM's engine has no argument 'enforce_eagre'; did you mean 'enforce_eager'?",
    ]
    assert said["too_long"][0] == "ConfigError"
    assert "5120" in said["too_long"][1]
    kind, why = said["no_weights"]
    assert kind == "RunError"
    assert "Cannot find any model weights" in why
    assert "weights" in Path(why.rpartition("its log: ")[2].rstrip(")")).read_text()


def test_an_engine_that_is_killed_fails_what_was_in_flight_and_comes_back(said: Said) -> None:
    waves = said["waves"]
    assert waves["failed"] == ["TeacherError"]
    assert "died" in waves["said"]
    assert waves["answered"] + waves["again"] == 400
    assert waves["lengths"][-1] == 24
    assert waves["new_core"]


def test_a_clean_end_leaves_no_process_no_file_and_no_complaint(said: Said, model: Path) -> None:
    assert len(said["core"]) == 1
    assert said["left"] == []
    assert _gone(said["core"][0])
    assert not Path(said["log"]).exists()
    assert [path for path in (model / "tmp").glob("datafactory-vllm-*") if path.is_dir()] == []
    assert "Traceback" not in said["stderr"]
    assert said["gpus"] == 0


def test_a_factory_that_is_killed_leaves_no_engine_core(begin: Begin) -> None:
    script = begin("hold")
    (core,) = _next(script, "begun")
    script.kill()
    assert _gone(core)


def test_an_interruption_while_the_engine_starts_ends_both(begin: Begin) -> None:
    script = begin("hold")
    (core,) = _next(script, "begun")
    os.killpg(script.pid, signal.SIGINT)
    assert _next(script, "left") == []
    assert _gone(core)
    script.wait(timeout=30)
