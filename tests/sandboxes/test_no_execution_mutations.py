"""Broken and spliced lines: whatever of them the policy lets pass is run for real, and must execute nothing."""

from __future__ import annotations

import random

import pytest

from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionSandbox, refusal
from tests.sandboxes.no_execution_attempts import BY_PROGRAMS, BY_SHELL
from tests.sandboxes.no_execution_honest import HONEST
from tests.sandboxes.no_execution_repository import CANARY, repository

ATTEMPTS = (*BY_PROGRAMS, *BY_SHELL)
PAYLOADS = ("python3 evil.py", "./evil.sh", ". ./evil.sh", "sh evil.sh")
OPENINGS = ("; ", "\n", " | ", " && ", " $(", "`", " <(", "\nEOF\n", " # ", "'", '"')
ENDINGS = ("", ")", "`", "'", '"', "\n", "\nEOF")
PIECES = (
    *"'\"\\`$(){}[]<>|&;#\n\t =!*?~^-",
    *(
        "$(",
        "<<EOF\n",
        "\nEOF\n",
        "<<'EOF'\n",
        "${",
        "))",
        "((",
        "[[ ",
        " ]]",
        "&&",
        "||",
        ";;",
        " in ",
        " do ",
        " done",
    ),
    *("$'", "\\\n", " \\\n", "<(", "2>&1", "<<-E\n", "\nE\n", "''", '""', "{}", "a=", "-e ", "x[", "@P}", "\n\n"),
)


def mutation(chance: random.Random) -> str:
    """A line with something in it that would execute, if it were seen in the wrong way."""
    if chance.random() < 0.35:
        line = chance.choice(ATTEMPTS)
    else:
        host = chance.choice(HONEST)
        at = chance.choice((len(host), chance.randrange(len(host) + 1)))
        inserted = chance.choice(OPENINGS) + chance.choice(PAYLOADS) + chance.choice(ENDINGS)
        line = host[:at] + inserted + host[at:]
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(line) + 1)
        if chance.random() < 0.7:
            line = line[:at] + chance.choice(PIECES) + line[at:]
        else:
            line = line[:at] + line[at + chance.randrange(1, 4) :]
    return line


def passing(seed: int, count: int) -> list[str]:
    """So many mutations that the policy lets pass, and that still hold what would execute. Plain writing of the canary
    is none."""
    chance, found = random.Random(seed), list[str]()
    while len(found) < count:
        line = mutation(chance)
        if "evil" in line and f"> {CANARY}" not in line and refusal(line) is None:
            found.append(line)
    return found


@pytest.mark.slow
@pytest.mark.namespace
@pytest.mark.parametrize("seed", range(4))
async def test_what_passes_of_mutated_lines_executes_nothing(seed: int) -> None:
    async with (
        NoExecutionSandbox(inside=NamespaceSandbox(disk="256m")).start() as host,
        host.open("base", repository()) as box,
    ):
        for line in passing(seed, 150):
            await box.inside.exec('command_not_found_handle() { echo "$1" >> /tmp/ran; }; cd /app || cd /')
            await box.exec(line, timeout=2)
            assert await box.read(CANARY) is None, line
            ran = await box.read("/tmp/ran") or b""
            # Programs that are allowed, and are not installed.
            assert set(ran.split()) <= {b"rg", b"tree", b"jq", b"file", b"xxd", b"column", b"strings"}, (line, ran)
