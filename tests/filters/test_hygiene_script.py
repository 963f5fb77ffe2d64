"""Which attempts `foreign_script` drops, and which were asked for."""

import pytest
from pydantic import ValidationError

from filters.foreign_script import ForeignScript, name_of
from tests.filters.hygiene_rows import reasons, said, shown, typed, why


@pytest.mark.parametrize("ascii_only", [False, True])
def test_letters_of_another_script_are_named_and_shown(ascii_only: bool):
    answer = said("Let me 检查 the file")
    expected = 'foreign_script: 2 Han letters > 0, first "检查" (message 2, content)'
    assert why(ForeignScript(), shown("go"), answer, ascii_only=ascii_only) == expected


def test_thoughts_and_commands_count():
    thought, command = said("ok", thought="Хорошо"), said("", calls=[{"command": "echo 안녕"}])
    assert reasons(ForeignScript(), {"messages": [thought]}, {"messages": [command]}) == [
        'foreign_script: 6 Cyrillic letters > 0, first "Хорошо" (message 1, reasoning)',
        'foreign_script: 2 Hangul letters > 0, first "안녕" (message 1, arguments)',
    ]


def test_several_scripts_are_named_together():
    assert why(ForeignScript(), said("東京タワー")).startswith("foreign_script: 4 letters of Han and Katakana > 0")


@pytest.mark.parametrize(
    "text", ["naïve café, Łódź, Straße", "∑ α·β ≤ π ✓ → 😀 ½ µ ²", "“quotes” – …、。", "\x1b[31mred\x1b[0m", ""]
)
def test_latin_formulas_and_signs_stay(text: str):
    assert reasons(ForeignScript(), {"messages": [said(text)]}, ascii_only=True) == [None]
    assert why(ForeignScript(), said(text)) is None


def test_a_task_about_a_script_keeps_its_attempts():
    answer = typed("grep 错误 log.txt\n")
    assert why(ForeignScript(), answer, instruction="统计日志里的行数") is None
    assert why(ForeignScript(prompt=False), answer, instruction="统计日志里的行数") is not None
    assert "Cyrillic" in why(ForeignScript(), said("Да"), instruction="统计日志里的行数")


def test_what_others_say_does_not_count_and_may_be_quoted():
    file = shown("名前: 値", "tool")
    assert why(ForeignScript(), file, said("done")) is None
    assert why(ForeignScript(), file, said("The column 名前 is first")) is None
    assert why(ForeignScript(quotes=False), file, said("The column 名前 is first")) is not None
    assert why(ForeignScript(), said("The column 名前 is first"), file) is not None


def test_an_attempt_goes_when_it_passes_both_limits():
    answer = said("x" * 96 + " 检查文件")
    assert why(ForeignScript(max_chars=4), answer) is None
    assert why(ForeignScript(max_share=0.04), answer) is None
    assert why(ForeignScript(max_chars=3, max_share=0.03), answer) == (
        'foreign_script: 4 Han letters > 3, 4.00% > 3.00%, first "检查文件" (message 1, content)'
    )


def test_scripts_are_chosen_by_their_names_in_unicode():
    assert why(ForeignScript(scripts=("Latin", "Cyrillic")), said("Хорошо, ok")) is None
    with pytest.raises(ValidationError, match="'Chinese' is no script of Unicode; such as Han"):
        ForeignScript(scripts=("Chinese",))


def test_a_script_that_is_not_listed_is_named_by_its_letters():
    assert (name_of("ꦲ"), name_of("ض")) == ("Javanese", "Arabic")
