"""GPUs of this machine, and their split among replicas."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What this process may use, as CUDA_VISIBLE_DEVICES names them (numbers or UUIDs), or else all by number.
    Empty: none, or none that NVIDIA's tools know of."""
    said = environment.get(VISIBLE)
    if said is not None:
        named = [name.strip() for name in said.split(",")]
        # CUDA stops reading at the first name that is none, such as -1.
        stop = next((at for at, name in enumerate(named) if not name or name.startswith("-")), len(named))
        return named[:stop]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0
    return [str(number) for number in range(count)]


def share(devices: Sequence[str], *, replica: int, each: int) -> str | None:
    """What CUDA_VISIBLE_DEVICES says to replica number `replica` of `each` GPUs; None: there are too few to split."""
    mine = devices[replica * each : (replica + 1) * each]
    return ",".join(mine) if len(mine) == each else None
