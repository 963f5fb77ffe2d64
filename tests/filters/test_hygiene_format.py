"""What `format` says of answers that break off, calls that no tool takes, and rows that teach nothing."""

import json

import pytest

from filters.format import Format
from tests.filters.hygiene_rows import said, shown, typed, why

TOOL = [json.dumps({"type": "function", "function": {"name": "run", "parameters": {}}})]
ANSWERED = {"role": "tool", "content": "ok", "tool_call_id": "c0"}


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        ("Here it is:\n```python\nprint(1)\n", "a code block"),
        ('{"analysis": "I list", "commands": [{"keystrokes": "ls', "a JSON object"),
        ("  ~~~\nls", "a code block"),
    ],
)
def test_a_last_answer_that_breaks_off_is_dropped(answer: str, where: str):
    assert why(Format(), shown("go"), said(answer)) == f"format: the last answer breaks off in {where}"
    assert why(Format(half_said=True), shown("go"), said(answer)) is None
    assert why(Format(), shown("go"), said(answer), shown("again"), said("done")) is None


@pytest.mark.parametrize(
    "answer",
    [
        said("```\nls\n```\nThat is all."),
        said("Use ``` for a fence, and { for a block."),
        typed("cat > a.md <<EOF\n```\nEOF\n"),
        said('{"a": 1}\nThat is all.'),
        said("{curly} braces are fine"),
    ],
)
def test_whole_answers_stay(answer: dict):
    assert why(Format(), shown("go"), answer) is None


def test_a_row_without_a_turn_to_train_on_is_dropped():
    row = {"train_turns": [False, False]}
    assert why(Format(), shown("go"), said("done"), **row) == "format: no turn carries loss"
    assert why(Format(untrainable=True), shown("go"), said("done"), **row) is None


def test_calls_that_no_tool_takes_can_be_dropped():
    broken, strange = said("", calls=[{"__malformed__": "{oops"}]), said("", calls=[{}])
    strange["tool_calls"][0]["function"]["name"] = "fly"
    strict = Format(broken_calls=False)
    reason = "format: 1 turns with arguments that are no JSON object"
    assert why(strict, shown("go"), broken, ANSWERED, said("ok"), tools=TOOL) == reason
    reason = "format: calls of 1 tools that are not on offer, such as fly"
    assert why(strict, shown("go"), strange, ANSWERED, said("ok"), tools=TOOL) == reason
    assert why(Format(), shown("go"), strange, ANSWERED, said("ok"), tools=TOOL) is None
    whole = said("", calls=[{"command": 'grep "__malformed__": x'}])
    assert why(strict, shown("go"), whole, ANSWERED, said("ok"), tools=TOOL) is None
