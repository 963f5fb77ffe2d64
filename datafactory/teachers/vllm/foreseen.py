"""What would stop a teacher on vLLM, as far as can be told before anything is started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from datafactory.teachers.vllm import gpus, program

if TYPE_CHECKING:
    from datafactory.teachers.vllm.teacher import VLLMTeacher


def problems(spec: VLLMTeacher) -> Iterator[str]:
    """One clear line for each; nothing of what a joined server needs can be known."""
    if spec.addresses():
        return
    yield from _files(spec)
    found = program.find(spec.program)
    if found is None:
        where = f" ({spec.program} is none)" if spec.program else ""
        yield f"no vllm program was found{where}: {program.GET}; or join a server with base_url"
        return
    needed = spec.replicas * spec.gpus_each
    if found.cpu and needed == 1:
        return
    devices = gpus.visible()
    # None may be another maker's: vLLM itself will say.
    if devices and needed > len(devices):
        kinds = "replicas x tensor_parallel x data_parallel x pipeline_parallel"
        yield f"{needed} GPUs are needed ({kinds}), and {len(devices)} can be used here ({gpus.VISIBLE} counts)"


def _files(spec: VLLMTeacher) -> Iterator[str]:
    folder = Path(spec.model).expanduser()
    if folder.is_dir() and not (folder / "config.json").is_file() and not (folder / "params.json").is_file():
        yield f"the folder {spec.model} holds no model: it has no config.json"
    elif spec.model.startswith(("/", "./", "../", "~")) and not folder.exists():
        yield f"there is no folder {spec.model}"
    template = spec.chat_template
    if template is not None and "{" not in template and not Path(template).expanduser().is_file():
        yield f"chat_template: there is no file {template}"
