"""The oracle at work: real attempts on a real bash, in every dialect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from datafactory.agent import Attempted, Limits, attempt, dialect
from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.oracle import OracleTeacher
from datafactory.teachers.oracle.plan import seconds
from datafactory.teachers.oracle.words import goal
from datafactory.types import Check, Draft, Message, Source, Step, Task, Usage, files

ALL = pytest.mark.parametrize("agent", ["terminus-2", "tools", "openhands"])
SCRIPT = "".join(f"\tprint('row {n} \\\\ {n * 7 % 13} !{n}', \"{'é' * (n % 40)}\")  # $HOME `x`\n" for n in range(130))
NASTY = (
    Step(thought="write a big script", command=f"cat > big.py <<'EOF'\nif True:\n{SCRIPT}EOF"),
    Step(thought="run it", command="python3 big.py | tail -n 1 > last.txt"),
    Step(
        thought="keep quotes", command="""printf '%s\\n' "it's" 'say "hi!"' 'a\tb' 'back\\slash' '漢字' > quotes.txt"""
    ),
    Step(command='for w in one two; do\n  echo "$w!" \\\n    >> words.txt\ndone'),
    Step(thought="a long line", command=f"echo {'long' * 2000} | wc -c > length.txt"),
)


def made(root: Any, *steps: Step, inputs: dict[str, str] | None = None) -> Task:
    draft = Draft(
        prompt="Sum the amounts of sales.csv. Write the total to total.txt, and nothing else.",
        workdir=str(root),
        files=files({f"{root}/{name}": text for name, text in (inputs or {}).items()}),
        checks=(Check(name="there", argv=("true",)),),
        solution=steps,
        source=Source(generator="tests"),
    )
    return Task(**{name: getattr(draft, name) for name in Draft.model_fields}, id="t-0", digest=draft.content_digest())


async def run(task: Task, box: Any, agent: str, *, slip: float = 0.0, seed: int = 1) -> Attempted:
    await box.push(task.files)
    episode = Episode(id="t-0/0", seed=seed, task=task, agent=agent)
    async with OracleTeacher(slip=slip).open() as chat:
        return await attempt(dialect(agent)(task, box), chat, limits=Limits(), episode=episode)


def commands(messages: Sequence[Message]) -> list[str]:
    """All that was run, in any dialect."""
    found: list[str] = []
    for message in messages:
        if message.role == "assistant" and message.tool_calls:
            found += [call.arguments["command"] for call in message.tool_calls if "bash" in call.name]
        elif message.role == "assistant":
            found += [command["keystrokes"] for command in json.loads(message.content)["commands"]]
    return [command.strip() for command in found]


SALES = {"sales.csv": "item,amount\n" + "".join(f"thing{n},{n}\n" for n in range(200))}
SUM = Step(thought="add up the second column", command="awk -F, 'NR>1{s+=$2} END{print s}' sales.csv > total.txt")


@ALL
async def test_it_looks_then_acts_then_checks_then_finishes(box: Any, agent: str):
    done = await run(made(box.root, SUM, inputs=SALES), box, agent)
    assert done.stop == "submitted"
    assert (box.root / "total.txt").read_text() == "19900\n"
    said = commands(done.messages)
    place = said.index(SUM.command)
    assert any(command.startswith(("ls", "pwd")) for command in said[:place])
    assert any("sales.csv" in command for command in said[:place])
    assert any("total.txt" in command for command in said[place + 1 :])
    assert all(message.fault is None for message in done.messages)


@ALL
async def test_it_is_labelled_and_costs_no_tokens(box: Any, agent: str):
    done = await run(made(box.root, SUM, inputs=SALES), box, agent)
    assert done.model == "oracle"
    if agent == "openhands":
        assert all(len(message.tool_calls) == 1 for message in done.messages if message.role == "assistant")
    assert done.usage == Usage()


@ALL
async def test_nasty_steps_arrive_as_they_are(box: Any, agent: str):
    done = await run(made(box.root, *NASTY), box, agent)
    assert done.stop == "submitted"
    assert len(SCRIPT) > 8_000
    assert (box.root / "big.py").read_text() == f"if True:\n{SCRIPT}"
    assert (box.root / "last.txt").read_text().startswith("row 129 \\ ")
    assert (box.root / "quotes.txt").read_text() == 'it\'s\nsay "hi!"\na\tb\nback\\slash\n漢字\n'
    assert (box.root / "words.txt").read_text() == "one!\ntwo!\n"
    assert (box.root / "length.txt").read_text() == "8001\n"


@ALL
@pytest.mark.parametrize("seed", range(4))
async def test_slips_are_seen_corrected_and_harmless(box: Any, agent: str, seed: int):
    task = made(box.root, SUM, Step(command="cp total.txt copy.txt"), inputs=SALES)
    done = await run(task, box, agent, slip=1.0, seed=seed)
    text = "\n".join(message.content for message in done.messages)
    assert "No such file" in text or "command not found" in text
    assert done.stop == "submitted"
    assert (box.root / "copy.txt").read_text() == "19900\n"
    assert sorted(path.name for path in box.root.iterdir()) == ["copy.txt", "sales.csv", "total.txt"]
    straight = await run(task, box, agent, slip=0.0, seed=seed)
    lines = ["\n".join(commands(each.messages)).count("\n") for each in (done, straight)]
    assert lines[0] > lines[1]


async def test_a_shell_that_errors_would_end_gets_no_slips(box: Any):
    task = made(box.root, Step(command="set -e"), SUM, inputs=SALES)
    done = await run(task, box, "terminus-2", slip=1.0)
    assert "has ended" not in "".join(message.content for message in done.messages)
    assert (box.root / "total.txt").read_text() == "19900\n"


@ALL
async def test_an_error_that_was_not_planned_is_looked_into_and_tried_once_more(box: Any, agent: str):
    flaky = Step(command="test -e seen && echo fine > total.txt || { touch seen; cat nowhere.txt; }")
    done = await run(made(box.root, flaky), box, agent)
    said = commands(done.messages)
    assert said.count(flaky.command) == 2
    assert said[said.index(flaky.command) + 1].startswith("ls -la")
    assert (box.root / "total.txt").read_text() == "fine\n"


@ALL
async def test_a_step_that_cannot_be_repeated_is_not(box: Any, agent: str):
    once = Step(command="echo line >> total.txt; cat nowhere.txt")
    done = await run(made(box.root, once), box, agent)
    assert commands(done.messages).count(once.command) == 1
    assert (box.root / "total.txt").read_text() == "line\n"


async def test_it_waits_for_what_still_runs(box: Any):
    slow = Step(command="echo a; sleep 3; echo 5 > total.txt")
    task = made(box.root, slow)
    shown = [
        Message(role="user", content="…"),
        Message(role="assistant", content="look"),
        Message(role="user", content="New Terminal Output:\nls\nroot@box:/app# "),
        Message(role="assistant", content="act"),
        Message(role="user", content="New Terminal Output:\nroot@box:/app# echo a; sleep 3\na\n"),
    ]
    async with OracleTeacher(slip=0.0).open() as chat:
        reply = await chat.reply(shown, episode=Episode(id="t", seed=1, task=task, agent="terminus-2"))
    assert json.loads(reply.message.content)["commands"] == [{"keystrokes": "", "duration": 5.0}]


@ALL
async def test_the_same_history_gets_the_same_answer(box: Any, agent: str):
    task = made(box.root, SUM, inputs=SALES)
    done = await run(task, box, agent, slip=0.5)
    episode = Episode(id="t-0/0", seed=1, task=task, agent=agent)
    async with OracleTeacher(slip=0.5).open() as chat:
        for place, message in enumerate(done.messages):
            if message.role == "assistant":
                assert (await chat.reply(done.messages[:place], episode=episode)).message == message


async def test_attempts_differ_in_their_words(box: Any):
    task = made(box.root, SUM, inputs=SALES)
    said = set()
    for seed in range(6):
        done = await run(task, box, "tools", seed=seed)
        said.add("\n".join(message.content for message in done.messages if message.role == "assistant"))
    assert len(said) == 6


@pytest.mark.parametrize(
    ("agent", "solved", "problem"),
    [("codex", True, "not 'codex'"), ("", True, "not ''"), ("tools", False, "no solution"), (None, True, "no task")],
)
async def test_what_it_cannot_demonstrate_is_a_clear_error(tmp_path: Any, agent: str, solved: bool, problem: str):
    task = made(tmp_path, *([SUM] if solved else []))
    episode = None if agent is None else Episode(id="t", seed=1, task=task, agent=agent)
    async with OracleTeacher().open() as chat:
        with pytest.raises(TeacherError, match=problem):
            await chat.reply([Message(role="user", content="go")], episode=episode)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "MEMO\n\nA job from Alder Bank.\n\n(a) Sort `/app/a.txt` into `/app/b.txt`. Done.",
            "Sort `/app/a.txt` into `/app/b.txt`.",
        ),
        ("# Fix it\n\nHello,\n\nthe tests of foo.py fail. Please repair foo.py now.", "Please repair foo.py now."),
        ("Sam has 3 apples and eats 2 of them. How many are left?", "How many are left?"),
        (
            "- [ ] `/app/t.csv` (CSV, header `a,b`) gets a row per line.\n",
            "`/app/t.csv` (CSV, header `a,b`) gets a row per line.",
        ),
        ("Nothing is asked for here at all.", "Nothing is asked for here at all."),
        ("MEMO", "MEMO"),
        ("", ""),
    ],
)
def test_the_goal_is_a_sentence_that_asks_for_something(prompt: str, expected: str):
    assert goal(prompt) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("mkdir -p out\nls -la data", 0.1),
        ("cat > run.py <<'EOF'\nimport make\nsleep 30\nEOF", 0.1),
        ("awk '{ print $1 }' a | sort > b", 0.5),
        ("python3 - <<'PY'\nimport pytest, time\nPY", 1.0),
        ('while read -r line; do echo "$line"; done < a', 1.0),
        ("python3 -m pytest -q", 15.0),
        ("sleep 4", 5.0),
    ],
)
def test_a_command_is_watched_no_longer_than_it_needs(command: str, expected: float):
    assert seconds(command) == expected
