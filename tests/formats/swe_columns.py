"""The columns of public SWE rows, and checks that a row has them and no others."""

from __future__ import annotations

from typing import Any

SWE_BENCH = {
    **dict.fromkeys(
        (
            "repo",
            "instance_id",
            "base_commit",
            "patch",
            "test_patch",
            "problem_statement",
            "hints_text",
            "created_at",
            "version",
            "FAIL_TO_PASS",
            "PASS_TO_PASS",
            "environment_setup_commit",
        ),
        str,
    )
}
"""princeton-nlp/SWE-bench."""
SWE_SMITH = {
    **dict.fromkeys(
        ("instance_id", "repo", "patch", "created_at", "image_name", "base_commit", "problem_statement"), str
    ),
    "FAIL_TO_PASS": list,
    "PASS_TO_PASS": list,
}
"""SWE-bench/SWE-smith."""
OPENHANDS = {
    **dict.fromkeys(("trajectory_id", "instance_id", "repo", "license", "dataset", "model_patch"), str),
    "trajectory": list,
}
"""nvidia/SWE-Zero-openhands-trajectories."""
OUTCOME = {"resolved": int, "tools": list, "exit_status": str}
"""nebius/SWE-rebench-openhands-trajectories and nvidia/Open-SWE-Traces."""
PREDICTION = dict.fromkeys(("instance_id", "model_name_or_path", "model_patch"), str)


def wrong(row: dict[str, Any], columns: dict[str, type]) -> list[str]:
    """What does not fit: columns that are missing, too many, or of another type."""
    return [
        name
        for name in sorted(row.keys() | columns.keys())
        if name not in row or name not in columns or type(row[name]) is not columns[name]
    ]
