"""What the oracle means to do on a task: look, act step by step, check, finish; with an honest slip now and then."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from shlex import quote
from typing import Any, Literal

from datafactory.teachers.oracle.words import goal, listed, say, sentence
from datafactory.types import Step, Task

Kind = Literal["look", "slip", "act", "error", "wait", "check", "think", "done"]


@dataclass(frozen=True, slots=True)
class Act:
    """One command."""

    command: str
    seconds: float = 0.1
    """How long to watch it."""
    limit: float | None = None
    """Seconds that it may take; None: as long as any command."""
    editor: Mapping[str, Any] | None = None
    """Arguments of the editor's call that does the same, where the dialect has one."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One turn."""

    kind: Kind
    analysis: str
    plan: str
    acts: tuple[Act, ...] = ()
    tries: int = 0
    """Of an act: how often it was tried before. Of a wait: how often it was waited."""
    report: str = ""
    """Of the end: what was done, for whoever asked for it; empty: the analysis says it."""


_TYPOS = {"head": "haed", "cat": "caat", "ls": "lss", "wc": "wcc"}
_ENDS_SHELL = re.compile(r"^\s*(?:set\s+-\w*[eu]|set\s+-o|exit\b|exec\b|trap\b)", re.MULTILINE)
_MOVES = re.compile(r"(?:^|[;&|(]\s*)(?:cd|pushd|popd)\b", re.MULTILINE)
_TARGET = re.compile(r"(?<![<>&\d])>>?\s*([\"']?)([\w/-][\w./-]*\.[A-Za-z]\w*)\1(?![\w(.])")
_PATH = re.compile(r"(?<![\w/.-])/[\w.-]+(?:/[\w.-]+)+")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1(.*)\n(?:.*\n)*?\s*\2$", re.MULTILINE)
_SLOW = re.compile(r"\b(?:pytest|unittest|make|gcc|g\+\+|cargo|rustc|go|pip3?|npm|curl|wget|apt-get|docker)\b")
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)\b")
_COMPUTES = re.compile(
    r"\b(?:python3?|node|java|perl|ruby|sqlite3|git|tar|zip|gzip|find|openssl|gpg|while|until|for|xargs)\b"
)
_QUICK = re.compile(r"\s*(?:ls|cd|pwd|echo|cat|head|tail|wc|mkdir|cp|mv|rm|touch|chmod|ln|printf|export|\w+=\S*$)\b")

SLOW = 15.0
"""Seconds for builds, installations and test suites."""


def plan(task: Task, seed: int, slip: float) -> list[Beat]:
    """The turns of an attempt in which all goes as it should. The same task and seed give the same plan."""
    rng = random.Random(f"{seed} {task.digest}")
    if _fragile(task):
        slip = 0.0
    beats = [_overview(task, rng)]
    inputs = _inputs(task)
    if inputs:
        chosen = sorted(rng.sample(inputs, min(len(inputs), rng.choice((1, 2, 2, 3)))))
        beats.append(
            Beat(
                "look",
                say(rng, "peek_analysis", files=listed([_near(task, path) for path in inputs])),
                say(rng, "peek_plan"),
                tuple(Act(_peek(task, path, rng)) for path in chosen),
            )
        )
        if rng.random() < slip:
            beats[-1:] = _slipped(task, beats[-1], rng)
    beats += _work(task, inputs, slip, rng)
    beats.append(_review(task, rng))
    beats += [
        Beat("done", say(rng, "done_analysis"), say(rng, "done_plan")),
        Beat("done", say(rng, "sure_analysis"), say(rng, "sure_plan")),
    ]
    return beats


def _fragile(task: Task) -> bool:
    """Whether the solution makes a shell that an error ends."""
    return any(_ENDS_SHELL.search(step.command) for step in task.solution)


def _overview(task: Task, rng: random.Random) -> Beat:
    command = rng.choice(
        ("ls -la", "pwd && ls -la", f"ls -la {quote(task.workdir)}", "ls -lah", "ls -laR | head -n 40")
    )
    return Beat(
        "look",
        say(rng, "look_analysis", first=goal(task.prompt), workdir=task.workdir),
        say(rng, "look_plan", workdir=task.workdir),
        (Act(command),),
    )


def _work(task: Task, inputs: list[str], slip: float, rng: random.Random) -> Iterator[Beat]:
    groups = list(_grouped(task.solution, rng))
    first = "first_analysis" if inputs else "empty_analysis"
    for number, steps in enumerate(groups):
        if number and inputs and rng.random() < slip:
            yield from _second_look(task, rng.choice(inputs), rng)
        left = "most" if number * 2 < len(groups) else "little"
        yield Beat(
            "act",
            say(rng, "act_analysis" if number else first, left=left, workdir=task.workdir),
            say(rng, "act_plan", thought=" ".join(sentence(step.thought) for step in steps)),
            tuple(Act(step.command.rstrip("\n"), seconds(step.command)) for step in steps),
        )


def _grouped(steps: tuple[Step, ...], rng: random.Random) -> Iterator[tuple[Step, ...]]:
    """One step a turn, now and then two short ones together."""
    position = 0
    while position < len(steps):
        pair = steps[position : position + 2]
        short = len(pair) == 2 and all("\n" not in step.command.strip() and len(step.command) < 160 for step in pair)
        taken = 2 if short and rng.random() < 0.3 else 1
        yield steps[position : position + taken]
        position += taken


def _slipped(task: Task, beat: Beat, rng: random.Random) -> list[Beat]:
    """The beat with its first command misspelled, and the correction. Only for commands that read."""
    right, wrong, command = _misspelled(task, beat.acts[0].command, rng)
    return [
        replace(beat, kind="slip", acts=(Act(command),)),
        Beat("look", say(rng, "fix_analysis", wrong=wrong, right=right), say(rng, "fix_plan"), beat.acts),
    ]


def _second_look(task: Task, path: str, rng: random.Random) -> list[Beat]:
    """Looks at an input once more, with a typo."""
    name = _near(task, path)
    analysis, planned = say(rng, "slip_analysis", name=name), say(rng, "slip_plan", name=name)
    return _slipped(task, Beat("look", analysis, planned, (Act(f"head -n 3 {quote(path)}"),)), rng)


def _misspelled(task: Task, command: str, rng: random.Random) -> tuple[str, str, str]:
    """What was meant, what was typed, and the command with it: a file that is not there, or a program that is not."""
    program, _, rest = command.partition(" ")
    words = [word for word in rest.split() if "." in word and word.isascii() and re.fullmatch(r"[\w./-]+", word)]
    if words and rng.random() < 0.6:
        right = rng.choice(words)
        stem = PurePosixPath(right).stem
        if len(stem) > 3:
            at = rng.randrange(1, len(stem) - 1)
            head, _, tail = right.rpartition(stem)
            wrong = f"{head}{stem[:at]}{stem[at + 1 :]}{tail}"
            if not {wrong, f"{task.workdir}/{wrong}"} & set(task.files):
                return right, wrong, f"{program} " + " ".join(wrong if word == right else word for word in rest.split())
    return program, _TYPOS[program], f"{_TYPOS[program]} {rest}"


def _inputs(task: Task) -> list[str]:
    return sorted(path for path, file in task.files.items() if file.link is None and file.data)


def _near(task: Task, path: str) -> str:
    """The path as typed from the workdir."""
    return path.removeprefix(f"{task.workdir.rstrip('/')}/")


def _peek(task: Task, path: str, rng: random.Random) -> str:
    """A command that reads a little of an input."""
    data, name = task.files[path].data, quote(_near(task, path))
    if b"\0" in data[:4096]:
        return f"ls -l {name}"
    if max(map(len, data[:8192].split(b"\n"))) > 400:
        return f"head -c {rng.choice((300, 400, 600))} {name}"
    if len(data) < 500:
        return f"cat {name}"
    return rng.choice((f"head -n {rng.choice((3, 5, 8, 10))} {name}", f"wc -l {name} && head -n 5 {name}"))


def _review(task: Task, rng: random.Random) -> Beat:
    """Reads back what the solution made."""
    # In a shell that errors end, nothing is read by a name that may be wrong.
    made = _outputs(task) if not _fragile(task) else []
    here = not any(_MOVES.search(step.command) for step in task.solution)
    names = [quote(_near(task, path) if here else path) for path in made[:3]]
    analysis = say(rng, "check_analysis", files=listed([_near(task, path) for path in made]))
    if not names:
        return Beat("check", analysis, say(rng, "check_plan"), (Act(f"ls -la {quote(task.workdir)}"),))
    acts = [Act(f"ls -l {' '.join(names)}")]
    acts += [Act(f"head -n {rng.choice((5, 10, 20))} {name}") for name in names if _readable(name)][:2]
    return Beat("check", analysis, say(rng, "check_plan"), tuple(acts))


def _outputs(task: Task) -> list[str]:
    """Files that the solution writes, as far as its text and the task's show them."""
    script = "\n".join(step.command for step in task.solution)
    root = PurePosixPath(task.workdir)
    named = [path.rstrip(".") for path in _PATH.findall(task.prompt)]
    named = [path for path in named if "." in path.rsplit("/", 1)[-1] and path.rsplit("/", 1)[-1] in script]
    exact = [path for path in task.artifacts if not path.endswith("/")]
    if not exact and not named and not _MOVES.search(script):
        exact = [str(root / target) for _, target in _TARGET.findall(script) if not target.startswith(("/dev", "/tmp"))]
    return [path for path in dict.fromkeys([*exact, *named]) if path not in task.files]


def _readable(name: str) -> bool:
    return not re.search(
        r"\.(?:gz|tgz|zip|tar|xz|bz2|db|sqlite3?|png|jpe?g|pdf|bin|so|o|pyc|parquet|npy|enc|gpg)'?$", name
    )


def seconds(command: str) -> float:
    """How long to watch a command, from 0.1 s for what ends at once to 15 s for builds.

    In Harbor's Terminus 2 a wait is always spent in full, so it teaches to be short; a prompt that is not back by
    then is waited for (`mind`).
    """
    typed = _HEREDOC.sub(r"\3", command)
    if naps := _SLEEP.findall(typed):
        return min(60.0, max(map(float, naps)) + 1.0)
    if _SLOW.search(typed):
        return SLOW
    if _COMPUTES.search(typed):
        return 1.0
    return 0.1 if all(map(_QUICK.match, filter(str.strip, typed.splitlines()))) and "|" not in typed else 0.5
