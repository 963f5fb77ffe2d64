"""What is seen of a terminal's bytes."""

from __future__ import annotations

from datafactory.agent.clip import clip
from datafactory.agent.keys import Keys, pressed, script
from datafactory.agent.screen import Screen


def shown(*data: bytes) -> str:
    screen = Screen()
    return [screen.feed(piece) for piece in data][-1].text


def test_colours_and_titles_are_gone():
    assert shown(b"\x1b]0;title\x07\x1b[1;31mred\x1b[0m plain\r\n") == "red plain\n"


def test_a_progress_bar_is_its_last_state():
    assert shown(b"10%\r50%\r100%\r\ndone\r\n") == "100%\ndone\n"


def test_backspaces_and_erased_ends_are_applied():
    assert shown(b"abc\b\bX\r\n") == "aXc\n"
    assert shown(b"long text\r\x1b[Kshort\r\n") == "short\n"


def test_tabs_stay_tabs():
    assert shown(b"a\tb\r\n") == "a\tb\n"


def test_a_character_cut_in_two_waits_for_its_rest():
    data = "é".encode()
    assert shown(b"caf" + data[:1], data[1:] + b"\r\n") == "café\n"


def test_an_escape_cut_in_two_waits_for_its_rest():
    assert shown(b"a\x1b[3", b"1mb\r\n") == "ab\n"


def test_bytes_that_are_no_text_are_replaced():
    assert shown(b"\xff\xfe\x00ok\r\n") == "\ufffd\ufffdok\n"


def test_clear_leaves_what_comes_after():
    view = Screen().feed(b"old\r\n\x1b[H\x1b[2J\x1b[3J$ ")
    assert view.whole
    assert view.text.strip() == "$"


def test_a_full_screen_program_is_a_page_and_leaves_no_trace():
    screen = Screen()
    screen.feed(b"$ vi\r\n")
    page = screen.feed(b"\x1b[?1049h\x1b[H\x1b[2Jhello\x1b[3;5Hthere")
    assert page.whole
    assert page.text == "hello\n\n    there"
    assert not screen.feed(b"\x1b[?1049l$ ").whole


def test_long_output_is_cut_in_its_middle_with_the_count():
    text = "a" * 6000 + "b" * 6000
    cut = clip(text)
    assert cut == f"{'a' * 5000}\n[... output limited to 10000 bytes; 2000 interior bytes omitted ...]\n{'b' * 5000}"


def test_ten_thousand_bytes_are_not_cut():
    assert clip("x" * 10_000) == "x" * 10_000


def test_a_cut_never_breaks_a_character():
    cut = clip("é" * 6000)
    assert "\ufffd" not in cut
    assert "2000 interior bytes" in cut


def test_bytes_lost_before_are_counted():
    assert "7 interior bytes" in clip("abcd", missing=7)


def test_names_of_keys_are_keys_and_words_are_words():
    assert pressed("C-c") == ["\x03"]
    assert pressed("C-d\n") == ["\x04"]
    assert pressed("Up Enter") == ["\x1b[A", "\r"]
    assert pressed("ls\n") is None
    assert pressed("git checkout C-c") is None
    assert pressed("") is None


def test_a_duration_is_capped_at_sixty_seconds():
    assert "rest 60000000 1" in script(Keys("make\n", 3600.0))


def test_half_a_surrogate_does_not_break_typing():
    script(Keys("echo \ud800\n", 1.0)).encode()
