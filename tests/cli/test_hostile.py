"""Records are written by models, tools and data sets: nothing in them may steer the terminal or the printing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.cli.printing import clean, excerpt, shorten, words

Call = Callable[..., Any]

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")


@pytest.mark.parametrize(
    "command",
    [
        ("show", "demo"),
        ("show", "demo", "beta-00000"),
        ("show", "demo", "beta-00000/0"),
        ("show", "demo", "beta-00001#0"),
        ("replay", "demo", "beta-00000/0"),
        ("replay", "demo", "beta-00000/0", "--all"),
    ],
)
def test_no_command_passes_on_what_steers_a_terminal(call: Call, runs: Path, command: tuple[str, ...]) -> None:
    done = call(*command, "--runs", runs)
    assert done.returncode == 0, done.stderr
    assert STEERING.findall(done.stdout) == []


def test_hostile_text_is_shown_for_what_it_is(call: Call, runs: Path) -> None:
    said = call("show", "demo", "beta-00000", "--runs", runs).stdout
    assert "␛]0;owned␇␛[2J␛[31mred<U+009B>5m" in said
    assert "[bold]no markup[/bold]" in said
    assert "<U+202E>txt.exe␍" in said.replace("\n", "")


def test_on_a_terminal_only_our_own_styles_are_sent(on_terminal: Call, runs: Path) -> None:
    code, said = on_terminal("show", "demo", "beta-00000/0", "--runs", runs)
    assert code == 0
    sent = set(re.findall("\x1b.{0,3}", said))
    assert all(re.match("\x1b\\[\\d*[;m\\d]", sequence) for sequence in sent), sent
    assert "\x07" not in said
    assert "\x9b" not in said


def test_json_of_a_hostile_record_is_plain_ascii_and_whole(call: Call, runs: Path, maker: Any) -> None:
    said = call("show", "demo", "beta-00000", "--runs", runs, "--json").stdout
    assert said.isascii()
    assert "\x1b" not in said
    assert json.loads(said)["record"]["prompt"] == maker.hostile


def test_a_hostile_id_is_neutralised_in_the_error(call: Call, runs: Path) -> None:
    done = call("show", "demo", "\x1b[2Jx", "--runs", runs)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


def test_an_error_that_names_a_hostile_folder_is_neutralised(call: Call, maker: Any) -> None:
    maker.path.rename(maker.path.with_name("\x1b[2Jhalf"))
    done = call("show", "other", "--runs", maker.path.parent)
    assert done.returncode == 1
    assert "␛[2Jhalf" in done.stderr
    assert "\x1b" not in done.stderr


@given(st.text())
def test_clean_text_never_steers(text: str) -> None:
    assert STEERING.search(clean(text)) is None
    assert STEERING.search(excerpt(text)) is None
    clean(text).encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])), st.integers(2, 40))
def test_a_shortened_line_is_no_longer_than_asked(text: str, width: int) -> None:
    line = shorten(text, width)
    assert len(line) <= width
    assert "\n" not in line


def test_plain_text_stays_as_it_is() -> None:
    text = "naïve café — 日本語 🙂\n\tindented [not markup] \\ end"
    assert clean(text) == text
    assert words(text).plain == text


def test_half_a_surrogate_pair_can_be_printed() -> None:
    assert clean("a\ud83d") == "a<U+D83D>"


def test_windows_line_ends_are_line_ends() -> None:
    assert clean("a\r\nb\rc") == "a\nb␍c"
