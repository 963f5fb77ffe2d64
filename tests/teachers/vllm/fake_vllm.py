"""A stand-in for the vllm program: it serves what `vllm serve` serves, as far as our teacher looks, and dies when told.

Started as `fake_vllm.py serve MODEL --port N ...`. What it does is set by variables: FAKE_SLOW (seconds until it is
ready), FAKE_DIES (a word to end with before it is ready), FAKE_TAKEN (a file: while it is missing, the port is said to
be taken), FAKE_CHILD (a file for the numbers of its process and of a child's that ignores SIGTERM), FAKE_ANSWER
(seconds that an answer takes), FAKE_ROOM (calls that it works on at a time). Each answer is a JSON object of what it
saw: its process, its arguments and its GPUs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ARGUMENTS = sys.argv[1:]
MODEL = ARGUMENTS[ARGUMENTS.index("--served-model-name") + 1]
LOCK = threading.Lock()
ROOM = threading.Semaphore(int(os.environ.get("FAKE_ROOM", "1000")))
COUNTS = {"running": 0, "waiting": 0, "most": 0, "calls": 0}


def metrics() -> str:
    """Two engines' rows, as a data-parallel server has them, and names that only look alike."""
    label = f'model_name="{MODEL}"'
    return (
        "# HELP vllm:num_requests_running Number\n"
        f'vllm:num_requests_running{{engine="0",{label}}} {COUNTS["running"]}.0\n'
        f'vllm:num_requests_running{{engine="1",{label}}} 0.0\n'
        f'vllm:num_requests_waiting{{engine="0",{label}}} {COUNTS["waiting"]}.0\n'
        f'vllm:num_requests_waiting_by_reason{{engine="0",{label},reason="capacity"}} 99.0\n'
        f'vllm:kv_cache_usage_perc{{engine="0",{label}}} 0.25\n'
        f'vllm:kv_cache_usage_perc{{engine="1",{label}}} 0.5\n'
        f'vllm:prefix_cache_queries_total{{engine="0",{label}}} {100 * COUNTS["calls"]}.0\n'
        f'vllm:prefix_cache_queries_created{{engine="0",{label}}} 1.7e+09\n'
        f'vllm:prefix_cache_hits_total{{engine="0",{label}}} {80 * COUNTS["calls"]}.0\n'
        f'vllm:num_preemptions_total{{engine="0",{label}}} 0.0\n'
    )


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """What it saw, as the text of an answer; a call that says `die` ends the process instead."""
    if body["messages"][-1]["content"] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    with LOCK:
        COUNTS["waiting"] += 1
    with ROOM:
        with LOCK:
            COUNTS["waiting"] -= 1
            COUNTS["running"] += 1
            COUNTS["calls"] += 1
            COUNTS["most"] = max(COUNTS["most"], COUNTS["running"] + COUNTS["waiting"])
        time.sleep(float(os.environ.get("FAKE_ANSWER", "0")))
        with LOCK:
            COUNTS["running"] -= 1
    said = {
        "pid": os.getpid(),
        "argv": ARGUMENTS,
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "environment": sorted(os.environ),
        "most": COUNTS["most"],
    }
    message = {"role": "assistant", "content": json.dumps(said)}
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 80}}
    return {"model": MODEL, "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


class Handler(BaseHTTPRequestHandler):
    """The four pages."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        listed = {"data": [{"id": MODEL, "max_model_len": 1024}]}
        pages = {"/health": b"", "/v1/models": json.dumps(listed).encode(), "/metrics": metrics().encode()}
        self.say(pages.get(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.say(json.dumps(answer(body)).encode())

    def say(self, page: bytes | None) -> None:
        self.send_response(200 if page is not None else 404)
        self.send_header("Content-Length", str(len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 1024
    daemon_threads = True


def main() -> None:
    """Be a server."""
    child = os.environ.get("FAKE_CHILD")
    if child:
        stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
        started = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)
        Path(child).write_text(f"{started.pid} {os.getpid()}", encoding="utf-8")
    print("INFO starting", flush=True)
    if word := os.environ.get("FAKE_DIES"):
        print(f"(APIServer pid=1) ERROR 01-01 00:00:00 [core.py:1] ValueError: {word}", flush=True)
        print("RuntimeError: Engine core initialization failed. See root cause above.", flush=True)
        sys.exit(1)
    if (once := os.environ.get("FAKE_TAKEN")) and not Path(once).exists():
        Path(once).touch()
        raise OSError(98, "Address already in use")
    time.sleep(float(os.environ.get("FAKE_SLOW", "0")))
    port = int(ARGUMENTS[ARGUMENTS.index("--port") + 1])
    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
