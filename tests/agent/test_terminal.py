"""The terminal, on a real bash behind a real pseudo-terminal."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest

from datafactory.agent.keys import Keys
from datafactory.agent.terminal import Terminal
from datafactory.errors import SandboxError

NASTY = [
    "tab\there, two\t\ttabs",
    "bang! !! !$ !-1 and a $HOME that stays",
    "\"double\" 'single' `ticks`",
    "back\\slash \\n \\t \\\\ end\\",
    "unicode: Größe Ünïcödé 漢字 🙂",
    "percent %s %d %%",
    "~ # { } [ ] ( ) < > | & ; * ?",
    "",
    "  leading and trailing  ",
]


async def test_the_first_screen_is_a_prompt(box: Any):
    view = await Terminal(box, str(box.root)).start()
    assert view.text == f"root@box:{box.root}# "


@pytest.mark.parametrize("prefer", ["script", "tmux"])
async def test_no_screen_holds_a_time_or_a_name_of_the_terminals_own(box: Any, prefer: str):
    if shutil.which(prefer) is None:
        pytest.skip(f"{prefer} is not installed")
    terminal = Terminal(box, str(box.root), prefer=prefer)
    await terminal.start()
    again = await terminal.type([])
    assert again.view.whole
    assert again.view.text.strip() == f"root@box:{box.root}#"
    ended = await terminal.type([Keys("exit\n", 5.0)])
    assert "[the shell has ended; a new one was started]" in ended.view.text
    for view in (again.view, ended.view, (await terminal.type([])).view):
        assert "Script" not in view.text
        assert ".terminal-" not in view.text


async def test_output_without_end_ends_the_session_before_the_disk_is_full(terminal: Terminal, box: Any):
    log = f"{terminal.home}/log"
    seen = await terminal.type([Keys("yes 0123456789012345678901234567890123456789\n", 60.0)])
    assert "[the shell has ended; a new one was started]" in seen.view.text
    assert int((await box.exec(f"stat -c %s {log}")).stdout) < 70 << 20


async def test_new_output_has_prompt_command_and_result(terminal: Terminal, box: Any):
    seen = await terminal.type([Keys("echo hello\n", 1.0)])
    assert not seen.view.whole
    assert seen.view.text == f"root@box:{box.root}# echo hello\nhello\nroot@box:{box.root}# "


async def test_the_wait_ends_when_the_prompt_is_back(terminal: Terminal):
    began = time.monotonic()
    await terminal.type([Keys("sleep 0.2\n", 50.0)])
    assert 0.2 <= time.monotonic() - began < 5.0


async def test_a_turn_of_several_commands_is_one_call_into_the_box(terminal: Terminal, box: Any):
    before = box.lines
    seen = await terminal.type([Keys("cd /\n", 0.1), Keys("pwd\n", 0.1), Keys("echo $((6*7))\n", 0.1)])
    assert box.lines == before + 1
    assert "\n/\n" in seen.view.text
    assert "\n42\n" in seen.view.text


async def test_a_command_that_outlasts_its_duration_goes_on(terminal: Terminal):
    first = await terminal.type([Keys("sleep 1; echo over\n", 0.1)])
    assert "\nover" not in first.view.text
    later = await terminal.type([Keys("", 20.0)])
    assert later.view.text.startswith("over\n")


async def test_lines_typed_ahead_are_waited_for_even_where_they_are_silent(terminal: Terminal, box: Any):
    seen = await terminal.type([Keys("sleep 0.6\nsleep 1\ntouch over\n", 30.0)])
    assert (box.root / "over").exists()
    assert seen.view.text.endswith("# ")
    assert "\nnext\n" in (await terminal.type([Keys("echo next\n", 5.0)])).view.text


async def test_ctrl_c_interrupts(terminal: Terminal):
    await terminal.type([Keys("sleep 100\n", 0.1)])
    began = time.monotonic()
    seen = await terminal.type([Keys("C-c", 10.0)])
    assert time.monotonic() - began < 5.0
    assert "^C" in seen.view.text
    assert "\n130\n" in (await terminal.type([Keys("echo $?\n")])).view.text


async def test_ctrl_d_ends_what_reads(terminal: Terminal):
    await terminal.type([Keys("cat\n", 0.1), Keys("some line\n", 0.1)])
    seen = await terminal.type([Keys("C-d", 10.0), Keys("echo status $?\n", 1.0)])
    assert "status 0" in seen.view.text


async def test_nasty_lines_arrive_as_they_are(terminal: Terminal, box: Any):
    text = "\n".join(NASTY) + "\n"
    await terminal.type([Keys(f"cat > nasty.txt <<'EOF'\n{text}EOF\n", 5.0)])
    assert (box.root / "nasty.txt").read_text() == text


async def test_a_script_of_ten_kilobytes_arrives_whole(terminal: Terminal, box: Any):
    body = "".join(f"print('line {n}', \"{'x' * (n % 70)}\", {n}!={n}+1)\t# !{n}\n" for n in range(160))
    assert len(body) > 10_000
    await terminal.type([Keys(f"cat > big.py <<'EOF'\n{body}EOF\n", 30.0)])
    assert (box.root / "big.py").read_text() == body
    seen = await terminal.type([Keys("python3 big.py | tail -n 1\n", 20.0)])
    assert "line 159" in seen.view.text


async def test_a_line_longer_than_a_tty_line_arrives_whole(terminal: Terminal, box: Any):
    word = "".join(chr(ord("a") + n % 26) for n in range(20_000))
    await terminal.type([Keys(f"printf %s '{word}' > long.txt\n", 10.0)])
    assert (box.root / "long.txt").read_text() == word
    assert "icanon" in (await terminal.type([Keys("stty -a\n")])).view.text.replace("-icanon", "")


async def test_a_shell_that_ends_is_replaced(terminal: Terminal, box: Any):
    seen = await terminal.type([Keys("cd /; exit 3\n", 5.0)])
    assert "[the shell has ended; a new one was started]" in seen.view.text
    assert "Script done" not in seen.view.text
    assert f"\n{box.root}\n" in (await terminal.type([Keys("pwd\n")])).view.text


async def test_a_terminal_whose_files_are_gone_is_replaced(terminal: Terminal):
    seen = await terminal.type([Keys(f"rm -rf {terminal.home}\n", 2.0)])
    again = seen if seen.stuck else await terminal.type([Keys("echo here\n")])
    assert again.stuck
    assert "\nalive\n" in (await terminal.type([Keys("echo alive\n")])).view.text


async def test_a_flood_keeps_head_and_tail(terminal: Terminal):
    seen = await terminal.type([Keys("seq 1 400000\n", 30.0)])
    assert seen.missing > 1_000_000
    assert "seq 1 400000\n1\n2\n" in seen.view.text
    assert "\n400000\n" in seen.view.text


async def test_a_full_screen_program_shows_its_screen(terminal: Terminal):
    if shutil.which("less") is None:
        pytest.skip("less is not installed")
    page = await terminal.type([Keys("seq 1 500 | less\n", 1.0)])
    assert page.view.whole
    assert page.view.text.startswith("1\n2\n3\n")
    assert len(page.view.text.splitlines()) == 40
    after = await terminal.type([Keys("q", 5.0)])
    assert after.view.text.endswith("# ")


async def test_where_nothing_is_new_the_screen_is_shown_again(terminal: Terminal):
    await terminal.type([Keys("echo one\n")])
    seen = await terminal.type([])
    assert seen.view.whole
    assert "echo one\none\n" in seen.view.text


async def test_late_output_of_the_background_is_seen_next(terminal: Terminal):
    await terminal.type([Keys("(sleep 0.3; echo later) &\n", 0.1)])
    assert "later" in (await terminal.type([Keys("", 0.6)])).view.text


async def test_it_works_through_tmux_too(box: Any):
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Terminal(box, str(box.root), prefer="tmux")
    await terminal.start()
    text = "\n".join(NASTY) + "\n"
    await terminal.type([Keys(f"cat > nasty.txt <<'EOF'\n{text}EOF\n", 5.0)])
    assert (box.root / "nasty.txt").read_text() == text
    await terminal.type([Keys("exit\n", 2.0)])


async def test_an_image_without_a_terminal_is_a_clear_error(box: Any):
    tools = ("bash", "mkdir", "mkfifo", "grep", "sleep", "cat")
    (box.root / "bin").mkdir()
    for tool in tools:
        (box.root / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    await box.exec(f"PATH={box.root}/bin")
    with pytest.raises(SandboxError, match="needs `script`"):
        await Terminal(box, str(box.root)).start()
