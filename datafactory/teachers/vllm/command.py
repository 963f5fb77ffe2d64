"""The command line and the environment of one `vllm serve`, from the teacher's recipe."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.local import CORES
from datafactory.teachers.vllm import families
from datafactory.teachers.vllm.gpus import VISIBLE
from datafactory.teachers.vllm.program import Program

if TYPE_CHECKING:
    from datafactory.teachers.vllm.teacher import VLLMTeacher

FIELDS = {
    "revision": "revision",
    "max-model-len": "max_model_len",
    "dtype": "dtype",
    "quantization": "quantization",
    "chat-template": "chat_template",
    "tool-call-parser": "tool_parser",
    "reasoning-parser": "reasoning_parser",
    "tensor-parallel-size": "tensor_parallel",
    "data-parallel-size": "data_parallel",
    "pipeline-parallel-size": "pipeline_parallel",
    "gpu-memory-utilization": "gpu_memory",
    "api-server-count": "api_servers",
}
"""Flags, and the field of ours that sets each."""
OURS = ("model", "served-model-name", "host", "port", "uds", "api-key", "headless", "root-path", "config")
"""Flags that the factory needs for itself."""
_CORES = 4
"""Cores for each API server process; more processes than that take turns."""
_MOST = 8
"""API server processes at most."""
_MAX_LOGPROBS = 20
"""What vLLM gives without being told otherwise."""
_FACTORYS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "VLLM_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL")
"""Variables that are the factory's, and would lead vLLM to the wrong packages, or ask for a key on the loopback."""


def flag(name: str) -> str:
    """A flag as vLLM writes it: `max_num_seqs`, `--max-num-seqs` and `max-num-seqs` are one."""
    return name.lstrip("-").replace("_", "-")


def flags(spec: VLLMTeacher, *, cpu: bool) -> dict[str, Any]:
    """Every flag but the port, ours first; `flags` and `tuning` have the last word. `cpu`: for a processors' build."""
    tools = tool_parser(spec)
    reasoning = families.family(spec.model).reasoning if spec.reasoning_parser == "auto" else spec.reasoning_parser
    said: dict[str, Any] = {
        "served-model-name": spec.model,
        "host": "127.0.0.1",
        "enable-prefix-caching": True,
        "enable-prompt-tokens-details": True,
        "disable-uvicorn-access-log": True,
        "enable-auto-tool-choice": True if tools else None,
        "tool-call-parser": tools or None,
        "reasoning-parser": reasoning or None,
        # On processors, 0.32 dies of a seeded request whose prompt it takes in by parts: it winds the request's random
        # generator back, and a processor's cannot be.
        "enable-chunked-prefill": False if cpu else None,
        "max-logprobs": spec.top_logprobs if spec.top_logprobs > _MAX_LOGPROBS else None,
    }
    said |= {name: getattr(spec, field) for name, field in FIELDS.items() if not field.endswith("_parser")}
    for name in ("tensor-parallel-size", "data-parallel-size", "pipeline-parallel-size"):
        said[name] = said[name] if said[name] > 1 else None
    if spec.chat_template is not None:
        said["chat-template"] = str(Path(spec.chat_template).expanduser())
    if spec.api_servers is None and not cpu:  # there, the engine needs the cores
        said["api-server-count"] = api_servers(spec)
    return said | {flag(name): value for name, value in (spec.flags | spec.tuning).items()}


def tool_parser(spec: VLLMTeacher) -> str:
    """What reads tool calls; empty: nothing does."""
    return families.family(spec.model).tools if spec.tool_parser == "auto" else spec.tool_parser


def api_servers(spec: VLLMTeacher) -> int | None:
    """API server processes by this machine's cores: they parse, render and tokenize, and one is soon too slow for a
    GPU. None: vLLM's own default, one for each data-parallel engine."""
    cores = CORES // max(1, spec.replicas)
    count = min(_MOST, cores // _CORES)
    return count if count > spec.data_parallel else None


def argv(spec: VLLMTeacher, program: Program, port: int) -> list[str]:
    """The command line of a server at `port` of the loopback."""
    made = [str(program.path), "serve", _place(spec.model), "--port", str(port)]
    for name, value in flags(spec, cpu=program.cpu).items():
        made += _said(name, value)
    return made


def _place(model: str) -> str:
    """A folder by its whole path, so that the log tells which; a name as it is."""
    folder = Path(model).expanduser()
    return str(folder.absolute()) if folder.is_dir() else model


def _said(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, list | tuple):
        return [f"--{name}", *map(str, value)]
    return [f"--{name}", json.dumps(value) if isinstance(value, dict) else str(value)]


def environment(program: Path, devices: str | None, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the server sees: all of ours but what is the factory's own, its virtual environment's programs first.

    `devices`: what CUDA_VISIBLE_DEVICES says; None: as it is here."""
    made = {name: value for name, value in given.items() if name not in _FACTORYS}
    made["PATH"] = os.pathsep.join([str(program.parent), *filter(None, [given.get("PATH", os.defpath)])])
    if devices is not None:
        made[VISIBLE] = devices
    return made
