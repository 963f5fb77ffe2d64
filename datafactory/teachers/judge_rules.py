"""A judge that is no model: a few rules that anybody can read, as a floor under every judge that is one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from datafactory.errors import TeacherError
from datafactory.protocols import Chat, Episode
from datafactory.spec import Spec
from datafactory.types import Message, Reply

_PART = re.compile(
    r"^===== ([0-9a-f]{24}) ([\w ]+) begins =====\n(.*?)\n===== \1 \2 ends =====$", re.DOTALL | re.MULTILINE
)
_ERRORS = re.compile(
    r"command not found|No such file or directory|Permission denied|syntax error|Traceback \(most recent call last\)"
    r"|^\w*(?:Error|Exception): |\bFAILED\b|Segmentation fault|exit(?: code|ed with| status):? *[1-9]",
    re.MULTILINE,
)
"""What programs print when something went wrong."""
_PATHS = re.compile(r"`(/[\w.@+/-]*[\w@+-])`")
_LOOKS = re.compile(r"\b(cat|head|tail|ls|wc|diff|cmp|stat|file|test|pytest|sha256sum|md5sum|jq)\b")

MODEL = "judge_rules"
"""What replies say made them: it is no model."""


class JudgeRules(Spec):
    """Judges attempts by rules instead of a model: did it end by its own word, did its last commands print errors, did
    it ever type the paths that the task names, did it look at results. It reads the same prompt as a model would, and
    its scores are marked `judge_rules`."""

    use_name: ClassVar[str] = "judge_rules"
    paid: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """As recorded in scores: marks what no model said."""
        return "judge_rules"

    def sampling(self) -> dict[str, Any]:
        """Nothing is drawn."""
        return {}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Nothing to start."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        yield RulesChat()


class RulesChat:
    """Stateless: an answer follows from the prompt and the schema alone."""

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """`reasoning`, with `score` on the scale of the schema or, where two attempts are compared, `verdict`. Raises
        TeacherError where there is no transcript to judge."""
        found = _PART.findall(messages[-1].content)
        parts = {title: text for _, title, text in found}
        asked = (schema or {}).get("properties", {})

        def judged(title: str) -> tuple[float, str]:
            return _judged(_read(parts[title], found[0][0]), parts.get("prompt", ""))

        if "transcript" in parts and "score" in asked:
            chance, said = judged("transcript")
            answer: dict[str, Any] = {"reasoning": said, "score": _on_scale(chance, asked["score"])}
        elif "A transcript" in parts and "B transcript" in parts and "verdict" in asked:
            (one, of_one), (other, of_other) = judged("A transcript"), judged("B transcript")
            answer = {"reasoning": f"A: {of_one} B: {of_other}", "verdict": _verdict(one - other)}
        else:
            raise TeacherError("judge_rules: can only answer the stages `judge` and `compare`, with transcripts")
        room = asked.get("reasoning", {}).get("maxLength")
        answer["reasoning"] = answer["reasoning"][:room]
        return Reply(message=Message(role="assistant", content=orjson.dumps(answer).decode()), model=MODEL)


def _on_scale(chance: float, asked: Mapping[str, Any]) -> float:
    low, high = asked.get("minimum", 0), asked.get("maximum", 1)
    score: float = low + chance * (high - low)
    return round(score) if asked.get("type") == "integer" else round(score, 4)


def _verdict(lead: float) -> str:
    for least, said in ((0.4, ">>"), (0.02, ">")):
        if abs(lead) >= least:
            return f"A{said}B" if lead > 0 else f"B{said}A"
    return "A=B"


@dataclass(frozen=True)
class _Attempt:
    """What the rules look at."""

    typed: str
    """All that the agent said, one turn after the other."""
    last_typed: str
    """Its last three turns."""
    last_shown: str
    """The last three things that it was shown."""
    ended: str


def _read(text: str, code: str) -> _Attempt:
    turns = re.split(rf"^\[{code} turn \d+, (agent|environment)\]\n", text, flags=re.MULTILINE)
    said = list(zip(turns[1::2], turns[2::2], strict=True))
    agent = [words for who, words in said if who == "agent"]
    shown = [words for who, words in said if who == "environment"]
    ended = re.search(rf"\[{code} ended: (\w+)\]\s*$", text)
    return _Attempt(
        "\n".join(agent), "\n".join(agent[-3:]), "\n".join(shown[-3:]), ended[1] if ended is not None else ""
    )


def _judged(attempt: _Attempt, prompt: str) -> tuple[float, str]:
    """The chance, from 0.02 to 0.98, and the rules that made it. The weights are set by hand, not fitted."""
    chance, said = 0.8, []
    if attempt.ended != "submitted":
        chance -= 0.5
        said.append(f"It ended by {attempt.ended or 'nobody knows what'}, not by its own word (-0.5).")
    if found := _ERRORS.search(attempt.last_shown):
        chance -= 0.25
        said.append(f"Near the end something printed {found[0].strip()!r} (-0.25).")
    named = set(_PATHS.findall(prompt))
    never = sorted(path for path in named if path.rpartition("/")[2] not in attempt.typed)
    if never:
        lost = round(0.6 * len(never) / len(named), 3)
        chance -= lost
        said.append(f"Of {len(named)} paths in the task it never typed {len(never)}, {never[0]} for one (-{lost:g}).")
    if _LOOKS.search(attempt.last_typed):
        chance += 0.1
        said.append("It looked at results near the end (+0.1).")
    return min(max(chance, 0.02), 0.98), " ".join(said) or "No rule found anything against it."
