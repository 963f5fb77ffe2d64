"""The teacher benchmark: what the factory gets out of vLLM, as a share of what vLLM yields by itself.

    python benchmarks/teachers.py --shape 0.6b --out teachers.json

Needs a GPU, and vLLM both in this Python and as a program (`DATAFACTORY_VLLM`). Weights are dummies: figures are of
systems speed alone. Three processes, one after the other: vLLM by itself, the factory with the engine in its own
process, the factory with a server that it owns and, on that server, a bare client at fixed concurrencies. Each warms
up with the bulk work that it is measured on afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from teacher_model import SHAPES, write_model

HERE = Path(__file__).parent
PARTS = ("raw", "offline", "served")


def arms(part: str, sweep: list[int]) -> list[str]:
    """What one process goes through, in order."""
    if part == "raw":
        return ["all", "all again", "batches", "lockstep"]
    if part == "offline":
        return ["offline single", "offline single again", "offline agents"]
    # The factory's agents come before and after the sweep: what warms up meanwhile must favour neither.
    return [
        "served single",
        "served single again",
        "served agents",
        *(f"sweep {at_once}" for at_once in sweep),
        "served agents again",
    ]


def run(part: str, model: Path, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The rows of one process, as they come."""
    script = HERE / ("teacher_raw.py" if part == "raw" else "teacher_factory.py")
    chosen = [arm for arm in arms(part, asked.sweep) if not asked.only or arm in asked.only]
    command = [sys.executable, str(script), "--model", str(model), "--arms", *chosen]
    command += ["--single", asked.single, "--agents", asked.agents]
    command += ["--engine", asked.engine] if part == "raw" else ["--teacher", getattr(asked, part)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith('{"arm"'):
            yield json.loads(line)
    if process.wait():
        print(f"{part} ended with {process.returncode}; what it measured is below", file=sys.stderr)


def report(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A table, with the two shares that count."""
    raw = max((row["tokens_per_s"] for row in rows if row["arm"].startswith("raw all")), default=None)
    tuned = max((row["tokens_per_s"] for row in rows if row["arm"].startswith("sweep")), default=None)
    yield "| arm | output tokens | s | tokens/s | prefix hits | of raw `generate` | of the best of the sweep |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        bulk = any(word in row["arm"] for word in ("single", "all", "batches"))
        hits = f"{row['cached']:.0%}" if row.get("cached") else ""
        of_raw = f"{row['tokens_per_s'] / raw:.2f}" if raw and bulk else ""
        of_tuned = f"{row['tokens_per_s'] / tuned:.2f}" if tuned and not bulk else ""
        yield (
            f"| {row['arm']} | {row['tokens']:,} | {row['seconds']:.1f} | {row['tokens_per_s']:,.0f} "
            f"| {hits} | {of_raw} | {of_tuned} |"
        )


def arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="0.6b")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--only", nargs="+", default=[], metavar="ARM", help="some of the arms")
    parser.add_argument("--model", type=Path, help="where the model's folder is made; the same one compiles once")
    parser.add_argument("--sweep", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--single", default="{}", help="JSON: fields of teacher_traffic.Single")
    parser.add_argument("--agents", default="{}", help="JSON: fields of teacher_traffic.Agents")
    parser.add_argument("--engine", default="{}", help="JSON: arguments of vLLM's LLM")
    parser.add_argument("--offline", default="{}", help="JSON: fields of the teacher vllm_offline")
    parser.add_argument("--served", default="{}", help="JSON: fields of the teacher vllm")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON; what is there already stays")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, write the JSON after each arm."""
    asked = arguments()
    rows: list[dict[str, Any]] = []
    if asked.out and asked.out.exists():
        rows = [row for row in json.loads(asked.out.read_text())["rows"] if row["part"] not in asked.parts]
    with tempfile.TemporaryDirectory(prefix="teacher-") as folder:
        model = write_model(asked.model or Path(folder) / f"qwen3-{asked.shape}", asked.shape)
        for part in asked.parts:
            began = time.monotonic()
            for row in run(part, model, asked):
                rows.append({"part": part, **row})
                print(f"{time.monotonic() - began:6.0f} s  {json.dumps(row)}", file=sys.stderr, flush=True)
                if asked.out:
                    asked.out.write_text(json.dumps({"shape": asked.shape, "rows": rows}, indent=2) + "\n")
    print("\n".join(report(rows)))


if __name__ == "__main__":
    main()
