"""Several teachers in one chair: who answers, how often, and what a pipeline file may say about it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import ConfigError
from datafactory.pipeline import load
from datafactory.protocols import Chat, Episode, Mix, Teacher
from datafactory.registry import Problem, build, walk
from datafactory.spec import Spec
from datafactory.teachers.mix import MixTeacher
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Check, Draft, Message, Source, Task

A, B, C = (ScriptedTeacher(replies=(text,) * 3) for text in "abc")
OPENED: list[str] = []


class Door(Spec):
    """A teacher that says when it comes and goes."""

    label: str

    @property
    def name(self) -> str:
        return "door"

    def sampling(self) -> dict[str, Any]:
        return {}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        OPENED.append(f"+{self.label}")
        async with A.open() as chat:
            yield chat
        OPENED.append(f"-{self.label}")


class Absent(Door):
    """A teacher that cannot run here, and has a file of the user's."""

    label: str = ""
    path: Path

    def problems(self) -> tuple[str, ...]:
        return () if self.path.exists() else (f"no such file: {self.path}",)

    def inputs(self) -> tuple[Path, ...]:
        return (self.path,)


def about(domain: str) -> Task:
    """A task of a domain."""
    draft = Draft(prompt="go", domain=domain, checks=(Check(name="c", argv=("true",)),), source=Source(generator="t"))
    return Task(**{name: getattr(draft, name) for name in Draft.model_fields}, id="t-0", digest="d")


def shares(mix: MixTeacher, domain: str = "debugging", over: int = 4000) -> Counter[Teacher]:
    """Who answers that many episodes."""
    task = about(domain)
    return Counter(mix.pick(Episode(id=f"t-{n // 4}/{n % 4}", seed=n, task=task)).replies[0] for n in range(over))


def built(value: Any) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    made = build("teacher", value, ("teacher",), problems)
    return made, [str(problem) for problem in problems]


SCRIPTS = [{"use": "scripted", "replies": [text]} for text in "ab"]


def test_a_mix_is_a_teacher_and_a_mix() -> None:
    mix = MixTeacher(teachers=(A, B))
    assert isinstance(mix, Mix) and isinstance(mix, Teacher)
    assert not isinstance(A, Mix)


@settings(max_examples=20, deadline=None)
@given(weights=st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any))
def test_shares_match_the_weights(weights: list[int]) -> None:
    found = shares(MixTeacher(teachers=(A, B, C), weights=tuple(weights)))
    for text, weight in zip("abc", weights, strict=True):
        share = weight / sum(weights)
        # five standard deviations: one in a million, and the draw is the same each time
        assert abs(found[text] - 4000 * share) <= 5 * math.sqrt(4000 * share * (1 - share))


def test_without_weights_all_answer_alike() -> None:
    found = shares(MixTeacher(teachers=(A, B)))
    assert abs(found["a"] - 2000) < 160


def test_a_domain_has_weights_of_its_own() -> None:
    mix = MixTeacher(teachers=(A, B), weights=(3, 1), domains={"security": (0, 1)})
    assert shares(mix, "security") == {"b": 4000}
    assert 2800 < shares(mix, "debugging")["a"] < 3200
    assert {mix.pick(Episode(f"d#{n}", n)).replies[0] for n in range(50)} == {"a", "b"}


def test_an_episode_has_the_same_teacher_in_every_run() -> None:
    episodes = [Episode(f"t-{n}/0", n, about("debugging")) for n in range(100)]
    first = [MixTeacher(teachers=(A, B)).pick(episode) for episode in episodes]
    assert [MixTeacher(teachers=(A, B)).pick(episode) for episode in reversed(episodes)] == first[::-1]
    moved = [MixTeacher(teachers=(A, B)).pick(Episode(e.id, e.seed + 1, e.task)) for e in episodes]
    assert moved != first  # another seed of the pipeline draws anew


def test_a_mix_within_a_mix_draws_for_itself() -> None:
    mix = MixTeacher(teachers=(MixTeacher(teachers=(A, B)), C), weights=(1, 1))
    found = shares(mix)
    assert abs(found["a"] - 1000) < 150 and abs(found["b"] - 1000) < 150 and abs(found["c"] - 2000) < 160


async def test_as_a_plain_teacher_it_asks_whoever_is_picked() -> None:
    mix = MixTeacher(teachers=(MixTeacher(teachers=(A, B)), C))
    asked = [Message(role="user", content="go")]
    async with mix.open() as chat:
        for number in range(20):
            episode = Episode(id=f"t-{number}/0", seed=number, agent="tools")
            reply = await chat.reply(asked, episode=episode)
            assert reply.message.content == mix.pick(episode).replies[0]
        assert (await chat.reply(asked)).message.content in "abc"


async def test_it_opens_everybody_once_and_closes_them() -> None:
    OPENED.clear()
    one, two = Door(label="1"), Door(label="2")
    async with MixTeacher(teachers=(one, two, one)).open():
        assert OPENED == ["+1", "+2"]
    assert OPENED == ["+1", "+2", "-2", "-1"]


def test_it_is_built_from_a_file_with_all_that_it_holds() -> None:
    inner = {"use": "mix", "teachers": [SCRIPTS[0]]}
    made, problems = built(
        {"use": "mix", "teachers": [inner, SCRIPTS[1]], "weights": [3, 1], "domains": {"games": [1, 0]}}
    )
    assert problems == []
    places = [place for place, _ in walk(made, ("teacher",))]
    assert places == [
        ("teacher",),
        ("teacher", "teachers", 0),
        ("teacher", "teachers", 0, "teachers", 0),
        ("teacher", "teachers", 1),
    ]
    said = made.describe()
    assert (said["use"], said["weights"], said["domains"]) == ("mix", [3.0, 1.0], {"games": [1.0, 0.0]})
    assert [teacher["use"] for teacher in said["teachers"]] == ["mix", "scripted"]


def test_what_its_teachers_lack_and_read_is_known_before_anything_runs(tmp_path: Path) -> None:
    file, read = tmp_path / "p.yaml", tmp_path / "read.txt"
    absent = {"use": f"{__name__}:Absent", "path": str(read)}
    stages = [{"use": "synthesize", "generators": ["terminal_skills"]}, {"use": "rollout"}]
    mix = {"use": "mix", "teachers": ["oracle", {"use": "mix", "teachers": [absent]}]}
    file.write_text(json.dumps({"name": "p", "teacher": mix, "stages": stages}))
    with pytest.raises(ConfigError, match=r"teacher\.teachers\[1\]\.teachers\[0\]: no such file"):
        load(file)
    digests = []
    for content in ("one", "two"):
        read.write_text(content)
        digests.append([stage.digest for stage in load(file).stages])
    assert digests[0][0] == digests[1][0] and digests[0][1] != digests[1][1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"weights": [1]}, "teacher.weights: needs a weight for each teacher: there are 2, and 1 weights"),
        ({"weights": [0, 0]}, "teacher.weights: all weights are 0: nobody would answer"),
        ({"weights": [1, -1]}, "teacher.weights[1]: must be at least 0, not -1"),
        ({"weights": [1, True]}, "teacher.weights[1]: must be a number, not True"),
        ({"weights": [1, float("inf")]}, "teacher.weights[1]: input should be a finite number (it is inf)"),
        ({"domains": {"securty": [1, 0]}}, "teacher.domains.securty: unknown domain; did you mean 'security'?"),
        (
            {"domains": {"security": [1]}},
            "teacher.domains.security: needs a weight for each teacher: there are 2, and 1",
        ),
        ({"domains": {"security": [0, 0]}}, "teacher.domains.security: all weights are 0"),
        ({"teachers": []}, "teacher.teachers: needs at least 1, and is []"),
        ({"teachers": [{"use": "scriptd"}]}, "teacher.teachers[0].use: unknown teacher 'scriptd'; did you mean"),
        ({"wieghts": [1, 1]}, "teacher.wieghts: unknown key; did you mean 'weights'?"),
    ],
)
def test_mistakes_are_shown_where_they_stand(more: dict[str, Any], said: str) -> None:
    made, problems = built({"use": "mix", "teachers": SCRIPTS, **more})
    assert made is None
    assert len(problems) == 1
    assert problems[0].startswith(said)
