"""Bugs that a teacher writes: proved by tests, told by an issue that does not leak, rejected where they are none."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from datafactory.checks import prove
from datafactory.errors import ConfigError
from datafactory.protocols import Episode, Maker, SandboxHost, Slot
from datafactory.swe_facts import SweFacts
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Draft, Message, Reject, Reply
from generators.swe.rewriting.rewrites import HOLE, How
from generators.swe.swe_llm_bugs import SWELLMBugs
from generators.swe.swe_mutations import SWEMutations
from sandboxes.namespace import NamespaceSandbox
from tests.generators.swe.basket import ADD, BASKET, CHEAPEST, CODE, TESTS, TOTAL

ISSUE = {
    "title": "Result is not what the documentation promises",
    "body": "After an update the results of the basket are not what they were any more. It used to be right before "
    "that, and nothing else has changed on our side; we see it with every input of ours.",
}


class Author:
    """A chat that knows the functions of the basket; keeps what it was asked."""

    def __init__(self, code: Mapping[str, str], *issues: Mapping[str, str]) -> None:
        self.code, self.issues = code, list(issues)
        self.asked: list[str] = []

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        self.asked.append(messages[-1].content)
        assert schema is not None
        if "title" in schema["properties"]:
            answer: Mapping[str, str] = self.issues.pop(0)
        else:
            named = re.search(r"(?:function|class) `([\w.]+)` of|body of `([\w.]+)`", self.asked[-1])
            assert named is not None
            answer = {"code": self.code[named[1] or named[2]]}
            answer = answer | ({"mistake": "The price stays."} if "mistake" in schema["properties"] else {})
        return Reply(message=Message(role="assistant", content=json.dumps(answer)), model="author-1")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for layers and environments, and the repository beside it."""
    top: Path = tmp_path_factory.mktemp("swe")
    for name, text in {"basket.py": BASKET, "tests/test_basket.py": TESTS}.items():
        (top / "basket" / name).parent.mkdir(parents=True, exist_ok=True)
        (top / "basket" / name).write_text(text)
    return top


@asynccontextmanager
async def opened(
    state: Path, monkeypatch: pytest.MonkeyPatch, **fields: Any
) -> AsyncIterator[tuple[SandboxHost, Maker]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    given = {"count": 4, "repos": [str(state / "basket")], "boxes": 1, **fields}
    async with NamespaceSandbox().start() as host, SWELLMBugs.model_validate(given).open(host) as maker:
        yield host, maker


async def made(maker: Maker, chat: Any, count: int) -> list[Draft | Reject]:
    return [await maker.make(Slot(index, 0, seed=index), chat) for index in range(count)]


@pytest.mark.namespace
async def test_a_mistake_that_a_teacher_makes_is_a_task(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Author(CODE)
    async with opened(state, monkeypatch, how="modify") as (host, maker):
        got = await made(maker, chat, 4)
        again = await maker.make(Slot(4, 0, seed=9), chat)
        drafts = [draft for draft in got if isinstance(draft, Draft)]
        assert len(drafts) >= 2, [(reject.reason, reject.detail) for reject in got if isinstance(reject, Reject)]
        for draft in drafts:
            facts = SweFacts.model_validate(draft.source.facts)
            assert facts.bug_kind == "lm_modify" and ".lm_modify__" in facts.instance_id
            assert draft.source.model == "author-1"
            said = draft.source.facts["teacher"]
            assert said["mistake"] == "The price stays." and "untested" not in said["function"]
            assert "The price stays." not in draft.prompt
            assert await prove(host, draft, repeats=2) is None, facts.patch
    assert isinstance(again, Reject) and again.reason == "same_bug"
    assert not any("`untested`" in asked for asked in chat.asked)


@pytest.mark.namespace
async def test_what_is_rewritten_rightly_is_no_task_and_what_is_wrong_is_one(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {
        "cheapest": CHEAPEST.format(""),
        "Basket.add": ADD.replace("(known[0]", "(price * 1"),
        "Basket.total": TOTAL,
    }
    chat = Author(right)
    async with opened(state, monkeypatch, how="rewrite") as (_, maker):
        got = await made(maker, chat, 3)
    drafts = [draft for draft in got if isinstance(draft, Draft)]
    assert [draft.source.facts["teacher"]["function"] for draft in drafts] == ["Basket.total"]
    assert [reject.reason for reject in got if isinstance(reject, Reject)] == ["no_test_fails"] * 2
    assert drafts[0].source.facts["bug_kind"] == "lm_rewrite"
    assert all(HOLE in asked for asked in chat.asked)
    total = next(asked for asked in chat.asked if "body of `Basket.total`" in asked)
    assert "cents" not in total.partition("def total")[2].partition("cheapest")[0].replace("whole cents", "")


@pytest.mark.namespace
@pytest.mark.parametrize("how", ["modify", "rewrite"])
async def test_an_issue_that_leaks_is_asked_for_again(state: Path, monkeypatch: pytest.MonkeyPatch, how: How) -> None:
    wrong = {name: code if name != "cheapest" else CHEAPEST.format("+ 1") for name, code in CODE.items()}
    leaking = {"title": ISSUE["title"], "body": f"{ISSUE['body']} The root cause is in basket.py."}
    chat = Author(wrong, leaking, ISSUE)
    async with opened(state, monkeypatch, how=how, statement="teacher") as (_, maker):
        got = await maker.make(Slot(0, 0, seed=1), chat)
    assert isinstance(got, Draft), got
    assert got.prompt.startswith(ISSUE["title"]) and "root cause" not in got.prompt
    assert len(chat.asked) == 3 and "statement_leaks" in chat.asked[2]
    always = Author(wrong, *[leaking] * 3)
    async with opened(state, monkeypatch, how=how, statement="teacher") as (_, maker):
        lost = await maker.make(Slot(0, 0, seed=1), always)
    assert isinstance(lost, Reject) and lost.reason == "statement_leaks"
    assert lost.what is not None and lost.what["patch"] and lost.what["teacher"]["how"] == how


@pytest.mark.namespace
async def test_a_script_can_be_the_teacher_and_none_is_an_error(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = ScriptedTeacher(replies=("no JSON", '{"code": "x", "mistake": "y"}'))
    async with opened(state, monkeypatch, how="modify") as (_, maker), script.open() as chat:
        got = [await maker.make(Slot(0, retry, seed=0), chat) for retry in (0, 1)]
        assert [each.reason for each in got if isinstance(each, Reject)] == ["not_json", "not_the_function"]
        with pytest.raises(ConfigError, match="teacher"):
            await maker.make(Slot(0, 2, seed=0), None)
        over = await maker.make(Slot(0, 99, seed=0), chat)
    assert isinstance(over, Reject) and over.final and over.reason == "no_more_bugs"


@pytest.mark.namespace
async def test_a_teacher_writes_the_issues_of_mutations_too(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "state"))
    leaking = {"title": ISSUE["title"], "body": f"{ISSUE['body']} The root cause is in basket.py."}
    chat = Author({}, leaking, ISSUE)
    spec = SWEMutations.model_validate(
        {"count": 1, "repos": [str(state / "basket")], "statement": "teacher", "boxes": 1}
    )
    assert spec.asks
    async with NamespaceSandbox().start() as host, spec.open(host) as maker:
        got = [await maker.make(Slot(0, retry, seed=retry), chat) for retry in range(6) if chat.issues]
    assert isinstance(got[-1], Draft) and got[-1].prompt.startswith(ISSUE["title"])
    assert len(chat.asked) == 2 and "statement_leaks" in chat.asked[1]
