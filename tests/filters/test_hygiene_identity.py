"""Which attempts `teacher_identity` drops, and which only speak of models."""

import json

import pytest

from filters.teacher_identity import TeacherIdentity
from tests.filters.hygiene_rows import reasons, said, shown, typed, why


@pytest.mark.parametrize(
    "sentence",
    [
        "I am Qwen",
        "I'm DeepSeek-V3.2",
        "I’m ChatGPT",
        "As Qwen, I",
        "As GPT-4, I",
        "I am an AI assistant created by Anthropic",
        "I am a large language model trained by Google",
        "as an AI language model developed by OpenAI",
        "I was trained by OpenAI",
        "I was created by the team at Mistral AI",
        "I'm an AI assistant called Claude",
        "My name is Kimi",
        "my developers at Anthropic",
        "我是通义千问",
        "我是由阿里云开发",
        "作为DeepSeek",
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_teacher_that_names_itself_is_dropped(sentence: str, ascii_only: bool):
    answer = said(f"Hello.\n{sentence}. Let me help.")
    expected = f'teacher_identity: 1 times, first "{sentence}" (message 2, content)'
    assert why(TeacherIdentity(), shown("who?"), answer, ascii_only=ascii_only) == expected


def test_a_maker_belongs_to_the_sentence():
    said_so = why(
        TeacherIdentity(), shown("go"), said("ok", thought="I am Qwen, made by Alibaba Cloud, so I list files.")
    )
    assert said_so == 'teacher_identity: 1 times, first "I am Qwen, made by Alibaba Cloud" (message 2, reasoning)'


@pytest.mark.parametrize(
    "sentence",
    [
        "I am going to install openai and anthropic",
        "I am using GPT-4's tokenizer",
        "I'm reading a file about GPT-4",
        "I'm in /opt/llama.cpp now",
        "I'm llama.cpp-savvy",
        "such as Qwen, I think",
        "as OpenAI documents, I should send a header",
        "I was told by Google that the file exists",
        "The app was made by Google, and I like it",
        "I am Claude Shannon's biographer",
        "I'm a Gemini user",
        "Run `echo I am Qwen` first",
        "The bot:\n```python\nprint('I am Claude')\n```\n",
        "my training set comes from Meta",
        "The README says who made Qwen: Alibaba",
    ],
)
def test_a_teacher_that_speaks_of_models_stays(sentence: str):
    assert why(TeacherIdentity(), shown("go"), said(sentence)) is None


def test_what_a_program_says_is_not_the_teachers_word():
    command = typed("echo 'I am Claude, made by Anthropic' > bot.txt\n")
    call = said("Writing the bot.", calls=[{"command": "echo 'I am Claude'"}])
    assert reasons(TeacherIdentity(), {"messages": [command]}, {"messages": [call]}) == [None, None]


def test_a_text_dialect_speaks_in_its_analysis():
    answer = typed("ls\n", analysis="I am Qwen, and I list files.")
    assert (
        why(TeacherIdentity(), shown("go"), answer)
        == 'teacher_identity: 1 times, first "I am Qwen" (message 2, content)'
    )


def test_a_sentence_that_was_shown_before_is_a_quotation():
    seen = shown("bot.log: I am Claude", "tool")
    assert why(TeacherIdentity(), seen, said("The log says: I am Claude")) is None
    assert why(TeacherIdentity(), said("The log says: I am Claude"), seen) is not None
    assert why(TeacherIdentity(), said("I am Claude"), instruction="Say: I am Claude") is None


def test_others_may_say_who_they_are():
    assert why(TeacherIdentity(), shown("You are Qwen. I am Qwen, too.", "system"), said("ok")) is None


def test_names_can_be_added_and_namelessness_dropped():
    rows = [{"messages": [said("I am Zorblax")]}, {"messages": [said("As an AI language model, I cannot")]}]
    assert reasons(TeacherIdentity(), *rows) == [None, None]
    assert reasons(TeacherIdentity(names=("zorblax",)), *rows)[0].endswith('"I am Zorblax" (message 1, content)')
    assert reasons(TeacherIdentity(unnamed=True), *rows)[1].endswith('"As an AI language model" (message 1, content)')


def test_every_name_gets_through_the_screen():
    from filters.teacher_identity import NAMES

    table = json.loads(NAMES.read_text())
    for word in table["model_words"]:
        versions = [word, f"{word}4", f"{word}-4", f"{word} 4", f"{word}plus", f"{word}-plus"]
        rows = [{"messages": [said(f"I am {version}, hello")]} for version in versions]
        assert any(reasons(TeacherIdentity(), *rows)), word
    for word in table["maker_words"]:
        rows = [
            {"messages": [said(f"I was created by {word}{more} .")]}
            for more in ("", " lab", " for AI", " laboratory", "云", "巴巴")
        ]
        assert any(reasons(TeacherIdentity(), *rows)), word
