"""Judges answers to questions: by the words of the accepted ones, or by a judge, without a box."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, ValidationError

from datafactory.agent.prompting import prompt
from datafactory.protocols import Chat, Episode
from datafactory.types import UNANSWERABLE, CheckResult, Message, Outcome, Question, Reject, Verdict

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_CLOSED = frozenset(("yes", "no", "noanswer"))
"""Answers of one word between which there is nothing in common (HotpotQA's rule): the F1 is 1 or 0."""


class Word(BaseModel):
    """What a judge is to answer."""

    model_config = ConfigDict(extra="forbid")

    reasoning: str
    correct: bool


def normalised(text: str) -> str:
    """SQuAD's normal form (arXiv 1606.05250, its evaluation script): lower case, without ASCII punctuation, without the
    articles a, an and the, with single spaces. So `os.path` is `ospath`, as it is wherever that script is used."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, accepted: Collection[str]) -> bool:
    """Whether an answer is one of the accepted ones, in normal form."""
    said = normalised(answer)
    return any(said == normalised(right) for right in accepted)


def token_f1(answer: str, accepted: Collection[str]) -> float:
    """The best F1, from 0 to 1, of an answer's words with those of an accepted one, in normal form; 1 where neither has
    any word, and 0 where only one has, or where `yes` or `no` stands against something else."""
    return max((_f1(normalised(answer), normalised(right)) for right in accepted), default=0.0)


def _f1(said: str, right: str) -> float:
    if said == right:
        return 1.0
    if said in _CLOSED or right in _CLOSED:
        return 0.0
    mine, theirs = said.split(), right.split()
    shared = sum((Counter(mine) & Counter(theirs)).values())
    # One product: precision and recall apart would lose the last bit of a whole one.
    return 2 * shared / (len(mine) + len(theirs)) if shared else 0.0


def gives_up(answer: str) -> bool:
    """Whether an answer says that there is none in the corpus."""
    return normalised(answer) == UNANSWERABLE


def needs_judge(question: Question, answer: str | None) -> bool:
    """Whether words alone do not settle it: something was answered to a question that has an answer, and it is none of
    the accepted ones."""
    return bool(answer and question.answers and not gives_up(answer) and not exact_match(answer, question.answers))


def grade(
    question: Question,
    answer: str | None,
    *,
    found: Collection[str] = (),
    visited: Collection[str] = (),
    judged: bool | None = None,
) -> Verdict:
    """The verdict on an answer. `answer`: None where nothing was answered in the form that was asked for, which earns
    nothing (ASearcher's reward is F1 x format). `found`, `visited`: urls of the pages that were shown and opened.

    The reward is the token F1; with a judge's word, 1 or 0; for a question without an answer 1 where that was said,
    else 0. The checks besides it weigh nothing: `exact_match`, `evidence_found` and `evidence_visited` (shares of
    the pages that support the answer; only where there are any).
    """
    said = answer or ""
    exact = exact_match(said, question.answers) if question.answers else gives_up(said)
    if not question.answers:
        name, reward = "unanswerable", float(answer is not None and exact)
    elif judged is not None and not exact:
        name, reward = "judge", float(judged)
    else:
        name, reward = "token_f1", token_f1(said, question.answers) if answer is not None else 0.0
    results = [_result(name, reward, weight=1.0, log=f"answered {said!r}, accepted {list(question.answers)!r}")]
    if question.answers:
        results.append(_result("exact_match", float(answer is not None and exact)))
    if evidence := question.evidence:
        for word, urls in (("evidence_found", found), ("evidence_visited", visited)):
            results.append(_result(word, round(len(set(urls) & set(evidence)) / len(evidence), 6)))
    return Verdict(reward=round(reward, 6), checks=tuple(results))


def _result(name: str, score: float, *, weight: float = 0.0, log: str = "") -> CheckResult:
    outcome: Outcome = "passed" if score == 1.0 else "failed"
    return CheckResult(name=name, outcome=outcome, score=score, weight=weight, log=log[:4000])


async def judged(question: Question, answer: str, chat: Chat, episode: Episode) -> bool | None:
    """A judge's word on an answer; None: twice it said nothing that can be read, and the words must do. Raises
    TeacherError."""
    text = prompt("answers_judge", question=question.text, accepted=question.answers, answer=answer[:4000])
    for _ in range(2):
        reply = await chat.reply([Message(role="user", content=text)], schema=Word.model_json_schema(), episode=episode)
        try:
            return Word.model_validate_json(reply.message.content).correct
        except ValidationError:
            continue
    return None


def prove_question(question: Question) -> Reject | None:
    """The gate of questions: None where the own answer scores 1, and answering nothing or giving up scores 0.
    Reasons: `solution_fails`, `noop_scores`."""
    if not grade(question, question.answer).solved:
        return Reject(reason="solution_fails", detail=f"its own answer {question.answer!r} is not right")
    empty = [right for right in question.answers if not normalised(right) or gives_up(right)]
    if empty:
        return Reject(reason="noop_scores", detail=f"the accepted answer {empty[0]!r} says nothing")
    return None
