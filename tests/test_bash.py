"""Lines for bash are parsed without ending the process, whatever characters they have."""

from hypothesis import given
from hypothesis import strategies as st

from datafactory.bash import tame, tree_of
from filters.swe.looking.lines import commands
from sandboxes.no_execution import refusal

RARE = "\U0001f600"
OTHER = "\U000c76ca"


def test_a_line_without_rare_characters_stays_as_it_is() -> None:
    assert tame("cat 'ü 一.txt'") == "cat 'ü 一.txt'"


def test_rare_characters_become_letters_that_the_line_does_not_have() -> None:
    line = f"echo {RARE}{OTHER}{RARE} \u3400"
    tamed = tame(line)
    assert tamed is not None and len(tamed) == len(line)
    first, second, third = tamed[5:8]
    assert first == third != second
    assert not {first, second} & set(line)


def test_a_line_with_too_many_kinds_is_not_read() -> None:
    assert tame("".join(chr(0x10000 + number) for number in range(8000))) is None


def test_what_crashed_the_grammar_does_not_any_more() -> None:
    for line in ("{\U00031860", "T{\U000ee105M^\n\U000c76ca", "${a[@]/{\U0010ffff}"):
        assert tree_of((tame(line) or "").encode()).root_node is not None
        assert list(commands(line)) is not None
        assert refusal(line) is None or refusal(line)


def test_a_rare_character_hides_nothing_behind_another() -> None:
    assert refusal(f"sed 's{RARE}A一B一;#{RARE}id{RARE}e' a.txt")
    assert refusal(f"sed 's{RARE}a{RARE}b{RARE}' a.txt") is None


@given(st.text(alphabet=st.characters(min_codepoint=0x10000), max_size=10), st.text(max_size=20))
def test_no_rare_text_ends_the_process(rare: str, text: str) -> None:
    line = f"a{{{rare}{text}"
    assert refusal(line) is None or refusal(line)
    assert all(command.words for command in commands(line))
